"""Corrected rows: what became of a file that `warehouse quarantine --export` wrote and somebody corrected.

A corrected row takes the place of the row that was refused: it is delivered at the time and in the order of the
original delivery, after it and before whatever came later, so that it never replaces a newer row of its key. The row
that was refused stays counted as quarantined where it was delivered; `_corrections` says that it is no longer open.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from warehouse.contract import Entity
from warehouse.engine import literal
from warehouse.landing import zone
from warehouse.landing.header import CORRECTED_ADDRESS
from warehouse.landing.messages import FileRejectedError
from warehouse.landing.rows import BAD_BYTES, BLANK_ROW, BadRow
from warehouse.paths import WarehousePaths

# Where two texts are one number, nothing was corrected: spreadsheets write 100.00 as 100.
_NUMBER_TYPES = ("money", "number", "rate", "fx_rate", "integer", "score")
CORRECTION_MARK = "mapping correction"


@dataclass(frozen=True)
class Part:
    """The corrected rows of one original delivery.

    `rows` has line_number, record_number, the address of the row that each corrects (zone.CORRECTIONS_SCHEMA) and
    the canonical columns. `exported_at` and `load_sequence` are those by which the original delivery is ordered.
    """

    rows: pa.Table
    exported_at: datetime.datetime
    load_sequence: int
    source: str
    load_ids: tuple[str, ...]


@dataclass
class Corrections:
    """What a file of corrected rows holds: rows by original delivery, and how many rows were left out why."""

    parts: list[Part] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What the user should know about rows that were left out."""
        return [f"{kind}: {count} left out" for kind, count in self.left_out.items() if count]


def check_structure(bad: Iterable[BadRow], line: int) -> int:
    """Return how many of the bad rows are blank. Raises FileRejectedError for the first that is not.

    `line` is the 0-based line of the file where their block starts. Whose correction a torn row is cannot be told.
    """
    blank = 0
    for row in bad:
        if row.reason == BAD_BYTES:
            raise FileRejectedError(f"line {row.line + line + 1} is no UTF-8: save the file as CSV UTF-8")
        if row.reason != BLANK_ROW:
            raise FileRejectedError(
                f"line {row.line + line + 1} is a {row.reason}: a correction is taken whole, mend this line as well"
            )
        blank += 1
    return blank


def sort_corrections(paths: WarehousePaths, loads: list[dict[str, Any]], entity: Entity, rows: pa.Table) -> Corrections:
    """Compare corrected rows with the rows that they correct, and group those that changed by original delivery.

    `rows` has line_number and record_number (from 1), the columns of CORRECTED_ADDRESS and the canonical columns, all
    but the first two as text. Raises FileRejectedError for an address that names no delivered row.
    """
    import duckdb

    found = Corrections()
    connection = duckdb.connect()
    try:
        connection.register("corrected", rows)
        compared = connection.sql(_comparison(paths, entity)).to_arrow_table()
    finally:
        connection.close()
    registry = {(load["load_id"], load["file"]): load for load in loads if load["entity"] == entity.name}
    erased = _erased_files(paths, entity)
    unchanged = gone = 0
    groups: dict[tuple[datetime.datetime, int, str], list[int]] = {}
    address = ("line_number", *zone.CORRECTED_COLUMNS, "is_found", "is_changed")
    columns = [compared.column(name).to_pylist() for name in address]
    for place, (line, load_id, file, record, is_found, is_changed) in enumerate(zip(*columns, strict=True)):
        load = registry.get((load_id, file))
        if not is_found or load is None:
            if load is None or (load_id, file) not in erased:
                raise FileRejectedError(_unknown_address(line, entity, load_id, file, record))
            gone += 1
        elif not is_changed:
            unchanged += 1
        else:
            time = zone.delivered_at(load, loads)
            groups.setdefault((time, load["load_sequence"], load["source"]), []).append(place)
    found.left_out = {"unchanged rows stay in quarantine": unchanged, "rows that were erased since": gone}
    rows = compared.drop_columns(["is_found", "is_changed"])
    for (time, sequence, source), places in sorted(groups.items()):
        taken = rows.take(pa.array(places))
        load_ids = tuple(sorted(set(taken.column("corrected_load_id").to_pylist())))
        found.parts.append(Part(taken, time, sequence, source, load_ids))
    return found


def _unknown_address(line: int, entity: Entity, load_id: str | None, file: str | None, record: int | None) -> str:
    if load_id is None or record is None:
        return (
            f"line {line} says no row that it corrects: rows that were never delivered belong into a file of their own"
        )
    if file == f"{entity.seed}.csv":
        return f"line {line} corrects a row of the seed {entity.seed}: correct it there"
    return f"line {line} corrects a row of {entity.name} that is not in the landing zone: keep the quarantined_ columns"


def _comparison(paths: WarehousePaths, entity: Entity) -> str:
    """Return the query over the corrected rows that tells of each whether it is found and whether it changed."""
    is_changed = " or ".join(_differs(column.name, column.type) for column in entity.columns)
    is_filled = " or ".join(f"corrected.{name} is not null" for name in entity.column_names)
    names = ", ".join(f"corrected.{name}" for name in entity.column_names)
    load_id, file, record = (f"corrected.{name}" for name in CORRECTED_ADDRESS)
    return f"""
        with corrected as (
            select * replace (try_cast(quarantined_record_number as bigint) as quarantined_record_number)
            from corrected
        ),
        landed as (select * from {zone.landed_rows(paths.landing, entity)}),
        structural as (
            select distinct load_id, file, record_number
            from {zone.rows_of_folder(paths.landing, zone.QUARANTINE)}
            where entity = {literal(entity.name)}
        )
        select
            corrected.line_number,
            corrected.record_number,
            {load_id} as corrected_load_id,
            {file} as corrected_file,
            {record} as corrected_record_number,
            {names},
            landed.load_id is not null or structural.load_id is not null as is_found,
            case when landed.load_id is null then {is_filled} else {is_changed} end as is_changed
        from corrected
        left join landed
            on {load_id} = landed.load_id and {file} = landed.file and {record} = landed.record_number
        left join structural
            on {load_id} = structural.load_id and {file} = structural.file and {record} = structural.record_number
        order by corrected.line_number
    """  # noqa: S608


def _differs(name: str, kind: str) -> str:
    differs = f"corrected.{name} is distinct from landed.{name}"
    if kind not in _NUMBER_TYPES:
        return f"({differs})"
    number = "try_cast({} as decimal(38, 10))"
    same = f"{number.format(f'corrected.{name}')} = {number.format(f'landed.{name}')}"
    return f"({differs} and not coalesce({same}, false))"


def _erased_files(paths: WarehousePaths, entity: Entity) -> set[tuple[str, str]]:
    import pyarrow.parquet as pq

    found: set[tuple[str, str]] = set()
    for path in (paths.landing / zone.ERASED).glob("*.parquet"):
        for row in pq.read_table(path, partitioning=None).to_pylist():
            if row["entity"] == entity.name:
                found.add((row["load_id"], row["file"]))
    return found


def ledger_rows(part: Part, load_id: str, entity: str, file: str) -> pa.Table:
    """Return the rows of `_corrections` for a part that is landed as `file`."""
    count = part.rows.num_rows
    fixed: Mapping[str, str] = {"load_id": load_id, "entity": entity, "file": file}
    arrays = [
        pa.repeat(pa.scalar(fixed[name]), count) if name in fixed else part.rows.column(name)
        for name in zone.CORRECTIONS_SCHEMA.names
    ]
    return pa.table(arrays, schema=zone.CORRECTIONS_SCHEMA)


def landed_rows(part: Part, stamp: zone.LoadStamp, entity: Entity, file: str) -> pa.Table:
    """Return the rows of a part as they are landed as `file`."""
    count = part.rows.num_rows
    fixed = {"load_id": stamp.load_id, "file": file, "landed_at": stamp.landed_at}
    schema = zone.entity_schema(entity)
    arrays = [
        pa.repeat(pa.scalar(fixed[name], schema.field(name).type), count) if name in fixed else part.rows.column(name)
        for name in schema.names
    ]
    return pa.table(arrays, schema=schema)
