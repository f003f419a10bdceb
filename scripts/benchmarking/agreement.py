"""Do the answers agree? Two files with the seven marts, row by row; the reduced jobs, number by number."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

KEYS: dict[str, tuple[str, ...]] = {
    "retention_rate": ("basis", "period_type", "period_start", "dimension", "dimension_value"),
    "revenue_retention": ("period_type", "period_start", "dimension", "dimension_value"),
    "churn_cohorts": ("basis", "cohort_type", "cohort_start", "periods_since_start", "dimension", "dimension_value"),
    "customer_lifetime_value": ("account_id",),
    "funnel_conversion": ("pipeline", "period_type", "period_start", "stage", "dimension", "dimension_value"),
    "nps": ("survey_type", "scale", "period_type", "period_start", "wave", "dimension", "dimension_value"),
    "repeat_purchase_rate": ("horizon_days", "cohort_start", "dimension", "dimension_value"),
}
# Doubles and divided decimals may differ in their last digits.
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class MartAgreement:
    """One mart in two files: rows of both, rows that only one has, and differing values per column."""

    mart: str
    rows: int
    values: int
    unmatched: int
    differing: dict[str, int]


def compare_marts(yardstick: Path, published: Path) -> list[MartAgreement]:
    """Compare every column that the yardstick has with the published mart."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{yardstick}' as yardstick (read_only)")
        connection.execute(f"attach '{published}' as published (read_only)")
        return [_compared(connection, mart, keys) for mart, keys in KEYS.items()]


def _compared(connection: duckdb.DuckDBPyConnection, mart: str, keys: tuple[str, ...]) -> MartAgreement:
    types = {row[0]: str(row[1]) for row in connection.execute(f"describe published.marts.{mart}").fetchall()}
    described = connection.execute(f"describe yardstick.marts.{mart}").fetchall()
    columns = [row[0] for row in described if row[0] in types and row[0] not in keys]
    counts = ", ".join(f"count(*) filter (where {_differs(name, types[name])})" for name in columns)
    on = " and ".join(f"ours.{key} = theirs.{key}" for key in keys)
    joined = f"yardstick.marts.{mart} as ours full join published.marts.{mart} as theirs on {on}"
    matched = f"ours.{keys[0]} is not null and theirs.{keys[0]} is not null"
    row = connection.execute(f"select count(*), count(*) filter (where not ({matched})) from {joined}").fetchall()[0]  # noqa: S608
    found = connection.execute(f"select {counts} from {joined} where {matched}").fetchall()[0]  # noqa: S608
    differing = {name: count for name, count in zip(columns, found, strict=True) if count}
    return MartAgreement(mart, row[0], row[0] * len(columns), row[1], differing)


def _differs(name: str, data_type: str) -> str:
    ours, theirs = f"ours.{name}", f"theirs.{name}"
    if data_type.startswith(("DOUBLE", "DECIMAL")):
        distance = f"abs({ours}::double - {theirs}::double)"
        bound = f"{_TOLERANCE} * greatest(1, abs({theirs}::double))"
        return f"({ours} is null) <> ({theirs} is null) or {distance} > {bound}"
    return f"{ours} is distinct from {theirs}"
