"""Quarantined rows of the published run, with what their lines say in the landing zone or the seeds."""

import csv
from dataclasses import dataclass
from typing import Any

from warehouse.contract import entities
from warehouse.landing.zone import QUARANTINE, ensure_landing_zone
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.publishing.compact import literal, mart_tables, open_engine

_ADDRESS = ("load_id", "file", "line_number", "record_number", "entity", "reason", "key_value")
_SEED_LOAD_COLUMNS = ("load_id", "line_number")


@dataclass(frozen=True)
class Wanted:
    """Which rows to show; None means any."""

    entity: str | None = None
    reason: str | None = None
    load_id: str | None = None
    limit: int = 20


def quarantined_rows(paths: WarehousePaths, wanted: Wanted) -> tuple[int, list[dict[str, Any]]]:
    """Return how many rows fit, and the first of them with `raw_line` (None where no line is found any more).

    Rows that landing refused are listed at once, rows that staging refused once they are published.
    """
    ensure_landing_zone(paths)
    connection = open_engine()
    try:
        condition = " and ".join(
            f"{column} = {literal(value)}"
            for column, value in (
                ("entity", wanted.entity),
                ("reason", wanted.reason),
                ("load_id", wanted.load_id),
            )
            if value is not None
        )
        rows = connection.execute(
            f"select *, count(*) over () from ({_listed(connection, paths)}) "  # noqa: S608
            f"where {condition or 'true'} "
            f"order by load_id, entity, file, record_number, reason limit {wanted.limit}"
        ).fetchall()
        found = [dict(zip((*_ADDRESS, "raw_line"), row[:-1], strict=True)) for row in rows]
        for row in found:
            if row["raw_line"] is None:
                row["raw_line"] = _landed_line(connection, paths, row) or _seed_line(row)
        return (rows[0][-1] if rows else 0), found
    finally:
        connection.close()


def _listed(connection: Any, paths: WarehousePaths) -> str:
    """Return a query over the rows that landing refused and the published ones, each once."""
    folder = literal(str(paths.landing / QUARANTINE))
    columns = ", ".join(_ADDRESS)
    query = f"select {columns}, raw_line from read_parquet({folder} || '/*.parquet')"  # noqa: S608
    if not paths.published_file.exists():
        return query
    connection.execute(f"attach {literal(str(paths.published_file))} as live (read_only)")
    if "quarantined_rows" not in mart_tables(connection, "live"):
        return query
    return f"""
        with structural as ({query})
        select * from structural
        union all
        select {columns}, null as raw_line from live.marts.quarantined_rows
        anti join structural using (load_id, file, record_number, reason)
    """  # noqa: S608


def _landed_line(connection: Any, paths: WarehousePaths, row: dict[str, Any]) -> str | None:
    """Return the landed cells of a row as `column=value`, or None when the row is not in the landing zone."""
    if row["entity"] not in entities():
        return None
    source = literal(str(paths.landing / row["entity"])) + " || '/*.parquet'"
    names = entities()[row["entity"]].column_names
    found = connection.execute(
        f"select {', '.join(names)} from read_parquet({source}) "  # noqa: S608
        "where load_id = ? and file = ? and record_number = ? limit 1",
        [row["load_id"], row["file"], row["record_number"]],
    ).fetchall()
    return _cells(dict(zip(names, found[0], strict=True))) if found else None


def _seed_line(row: dict[str, Any]) -> str | None:
    """Return the cells of a row of a seed, or None when there is no such row."""
    entity = entities().get(row["entity"])
    if entity is None or row["file"] != f"{entity.seed}.csv":
        return None
    folder = "reference" if entity.is_reference else "raw"
    path = PROJECT_DIR / "seeds" / folder / row["file"]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, cells in enumerate(csv.DictReader(file), start=2):
                if int(cells.get("line_number") or number) == row["line_number"]:
                    return _cells({name: value for name, value in cells.items() if name not in _SEED_LOAD_COLUMNS})
    except (OSError, ValueError):
        return None
    return None


def _cells(values: dict[str, str | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items() if value not in (None, ""))
