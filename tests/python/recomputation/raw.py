"""Delivered rows to judged rows: values and reasons, duplicates, superseded rows, merges, exchange rates."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from recomputation.values import Cell, clean, judge_cell
from warehouse.building.variables import project_settings
from warehouse.contract import Entity, entities

Raw = dict[str, list[dict[str, str | None]]]
Variables = dict[str, Any]

# What a company may say of its deliveries beside the vars of the project.
DELIVERIES: Variables = {"landed_at": {}, "full_loads": ()}


@dataclass
class Row:
    """One delivered row. `state` is staged, superseded or quarantined; `values` hold the typed columns."""

    entity: str
    load_id: str
    file: str
    line_number: int
    record_number: int
    texts: dict[str, str | None]
    values: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    emptied: set[str] = field(default_factory=set)
    state: str = "staged"

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    def quarantine(self, reason: str) -> None:
        """Take the row out of everything but the quarantine; its first reason stays."""
        if self.state == "staged":
            self.reason, self.state = reason, "quarantined"


def instant(value: date | datetime | str) -> datetime:
    """Return a variable's date, instant or ISO text as a naive instant."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day)


def with_defaults(variables: Variables) -> Variables:
    """Fill in the variables that were not given: those of the project with their defaults."""
    filled = {**project_settings()["vars"], **DELIVERIES, **variables}
    for name in ("as_of", "seeds_landed_at"):
        filled[name] = None if filled[name] is None else instant(filled[name])
    return filled


def landed_locally(row: Row, variables: Mapping[str, Any]) -> datetime:
    """Return when a row was landed (UTC) as naive local time of the reporting zone, as its events are."""
    landed_at: datetime = variables["landed_at"].get(row.load_id, variables["seeds_landed_at"])
    return landed_at.replace(tzinfo=UTC).astimezone(ZoneInfo(variables["reporting_timezone"])).replace(tzinfo=None)


def judge_row(entity: Entity, row: Row, timezone: ZoneInfo, landed_at: datetime) -> None:
    """Type every column in the contract's order; the first reason counts."""
    reason = None
    for column in entity.columns:
        cell = judge_cell(
            column.name,
            column.type,
            row.texts.get(column.name),
            is_required=column.is_required,
            accepted=column.values,
            timezone=timezone,
            latest=landed_at + timedelta(days=1) if column.is_event else None,
            empty_when=column.empty_when,
        )
        row.values[column.name] = cell.value
        if cell == Cell(None) and clean(row.texts.get(column.name)) is not None:
            row.emptied.add(column.name)
        reason = reason or cell.reason
    if reason is None and entity.name == "subscription_periods":
        ended_at = row["ended_at"]
        if ended_at is not None and ended_at < row["started_at"]:
            reason = "ends_before_start"
    if reason is None and entity.name == "deals":
        created_at, closed_at = row["created_at"], row["closed_at"]
        if created_at is not None and closed_at is not None and closed_at < created_at:
            reason = "closed_before_created"
    if reason is not None:
        row.quarantine(reason)


def contents(row: Row) -> tuple[str | None, ...]:
    """Return the trimmed text of every canonical column: what makes two rows the same."""
    return tuple(clean(row.texts.get(name)) for name in entities()[row.entity].column_names)


def settle_keys(rows: list[Row], key: tuple[str, ...]) -> None:
    """Decide among good rows of one key: the last line of a load, then the last load."""
    by_key: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.state == "staged":
            by_key[tuple(row[name] for name in key)].append(row)
    for same_key in by_key.values():
        by_load: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(same_key, key=lambda row: (row.load_id, row.file, row.line_number)):
            by_load[row.load_id].append(row)
        survivors = []
        for load_id in sorted(by_load):
            *earlier, last = by_load[load_id]
            for row in earlier:
                if contents(row) == contents(last):
                    row.state = "superseded"
                else:
                    row.quarantine("duplicate_key")
            survivors.append(last)
        for row in survivors[:-1]:
            row.state = "superseded"


def bury_missing(rows: list[Row], key: tuple[str, ...], full_loads: Iterable[str]) -> None:
    """Supersede rows whose key a later complete delivery of the entity lacks."""
    for load_id in full_loads:
        complete = [row for row in rows if row.load_id == load_id]
        there = {tuple(row[name] for name in key) for row in complete}
        for row in rows:
            is_missing = tuple(row[name] for name in key) not in there
            if complete and row.state == "staged" and row.load_id < load_id and is_missing:
                row.state = "superseded"


def read_rows(raw: Raw, variables: Variables) -> dict[str, list[Row]]:
    """Judge every delivered row by itself and settle its key; one list per entity of the contract."""
    timezone = ZoneInfo(variables["reporting_timezone"])
    found: dict[str, list[Row]] = {}
    for name, entity in entities().items():
        rows = []
        for number, texts in enumerate(raw.get(name, ()), start=1):
            line_number = int(texts.get("line_number") or number + 1)
            row = Row(
                entity=name,
                load_id=texts.get("load_id") or "",
                file=texts.get("file") or f"{entity.seed}.csv",
                line_number=line_number,
                record_number=int(texts.get("record_number") or line_number - 1),
                texts={column: texts.get(column) for column in entity.column_names},
            )
            judge_row(entity, row, timezone, landed_locally(row, variables))
            rows.append(row)
        settle_keys(rows, entity.key)
        bury_missing(rows, entity.key, variables["full_loads"])
        found[name] = rows
    return found


def current(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that count: neither quarantined nor superseded."""
    return [row for row in rows if row.state == "staged"]


def folded(text: str | None) -> str | None:
    """Return a name as names are compared: trimmed, case-insensitively."""
    text = clean(text)
    return None if text is None else text.lower()


class Merges:
    """Follows merges to the surviving account."""

    def __init__(self, accounts: list[Row]) -> None:
        """Read the merges of current account rows; the rows of a cycle are quarantined."""
        target = {
            row["account_id"]: row["merged_into_account_id"]
            for row in accounts
            if row["merged_into_account_id"] not in (None, row["account_id"])
        }
        in_cycle = set()
        for start in target:
            here = target[start]
            for _ in range(len(target)):
                if here == start:
                    in_cycle.add(start)
                    break
                if here not in target:
                    break
                here = target[here]
        for row in accounts:
            if row["account_id"] in in_cycle:
                row.quarantine("merge_cycle")
        self.target = {source: to for source, to in target.items() if source not in in_cycle}

    def survivor(self, account_id: str | None) -> str | None:
        """Return the account at the end of the chain; an unknown account is its own survivor."""
        while account_id in self.target:
            account_id = self.target[account_id]
        return account_id


class ExchangeRates:
    """The value of one unit of a currency in the reporting currency, by day."""

    def __init__(self, rows: list[Row], reporting_currency: str) -> None:
        """Read the current rows of `fx_rates`."""
        self.reporting_currency = reporting_currency
        self.rates = [(row["currency"], row["valid_from"], Fraction(row["rate"])) for row in rows]

    def has(self, currency: str | None) -> bool:
        """Tell whether the currency has a rate on any day."""
        return currency in {None, self.reporting_currency} or any(code == currency for code, _, _ in self.rates)

    def rate(self, currency: str | None, on: date | datetime | None) -> Fraction | None:
        """Return the rate of the latest `valid_from` on or before the day; None when there is none."""
        if currency is None or currency == self.reporting_currency:
            return Fraction(1)
        if on is None:
            return None
        day = on.date() if isinstance(on, datetime) else on
        known = [(since, rate) for code, since, rate in self.rates if code == currency and since <= day]
        return max(known)[1] if known else None
