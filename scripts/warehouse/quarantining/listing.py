"""Quarantined rows of the published run, with what their lines say in the landing zone or the seeds."""

import csv
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.contract import Entity, entities, seed_file
from warehouse.engine import literal, open_engine
from warehouse.errors import WarehouseError
from warehouse.landing.formulas import neutralised
from warehouse.landing.header import EXPORTED_ADDRESS, EXPORTED_RAW_LINE
from warehouse.landing.names import closest
from warehouse.landing.zone import (
    CORRECTIONS,
    ERASED,
    QUARANTINE,
    ensure_landing_zone,
    landed_rows,
    read_loads,
    rows_of_folder,
)
from warehouse.paths import WarehousePaths, seeds_folder
from warehouse.publishing.compact import mart_tables

_ADDRESS = ("load_id", "file", "line_number", "record_number", "entity", "reason", "key_value")
_SEED_LOAD_COLUMNS = ("load_id", "line_number")
_RECONCILED = "load_reconciliation"
_ROWS_AT_ONCE = 10_000
# What a reason may say of a column, after its name (macro column_reasons).
COLUMN_PROBLEMS = (
    "missing",
    "not_a_code",
    "unknown_value",
    "not_a_boolean",
    "not_a_number",
    "not_whole",
    "out_of_range",
    "not_a_date",
    "in_future",
    "not_first_of_month",
)


class UnknownNameError(WarehouseError):
    """The value of an option is the name of nothing."""

    def __init__(self, option: str, message: str) -> None:
        """Keep which option it is."""
        super().__init__(message)
        self.option = option


@dataclass(frozen=True)
class Wanted:
    """Which rows to show; None means any. Open rows are those that no later load corrected."""

    entity: str | None = None
    reason: str | None = None
    load_id: str | None = None
    limit: int = 20
    is_corrected: bool = False

    @property
    def condition(self) -> str:
        """The rows as an SQL condition."""
        wanted = (("entity", self.entity), ("reason", self.reason), ("load_id", self.load_id))
        parts = [f"{column} = {literal(value)}" for column, value in wanted if value is not None]
        parts.append("corrected_by is not null" if self.is_corrected else "corrected_by is null")
        return " and ".join(parts)


@dataclass(frozen=True)
class Listed:
    """How many rows fit, the first of them, and how many of that kind a later load corrected."""

    total: int
    rows: list[dict[str, Any]]
    corrected: int


@dataclass(frozen=True)
class Exported:
    """One file of exported rows. Those of a seed are corrected in the seed, and cannot be landed."""

    file: str
    entity: str
    rows: int
    seed_rows: int = 0


@contextmanager
def _listing(paths: WarehousePaths, wanted: Wanted) -> Iterator[Any]:
    """Open an engine with the table `listed`: every quarantined row once, and the load that corrected it.

    Raises UnknownNameError when the wanted reason or load is that of no row, but nearly that of some.
    """
    import duckdb

    ensure_landing_zone(paths)
    connection = open_engine()
    try:
        corrections = rows_of_folder(paths.landing, CORRECTIONS)
        connection.execute(
            f"""
            create temp table listed as
            select listed.*, corrected_by
            from ({_all_rows(connection, paths)}) as listed
            left join (
                select
                    entity, corrected_load_id as load_id, corrected_file as file,
                    corrected_record_number as record_number, max(load_id) as corrected_by
                from {corrections} group by all
            ) using (load_id, entity, file, record_number)
            """  # noqa: S608
        )
        _refuse_unknown(connection, paths, wanted)
        yield connection
    except duckdb.Error as error:
        raise WarehouseError(
            f"the published file or a landed one cannot be read ({type(error).__name__}): "
            "`warehouse status` tells which version is whole, `warehouse rollback` brings it back"
        ) from None
    finally:
        connection.close()


def _refuse_unknown(connection: Any, paths: WarehousePaths, wanted: Wanted) -> None:
    def names(column: str, table: str) -> set[str]:
        return {row[0] for row in connection.execute(f"select distinct {column} from {table}").fetchall()}  # noqa: S608

    if wanted.reason is not None:
        known = names("reason", "listed")
        known |= _reasons_of_columns() if known else set()
        _refuse_other("--reason", wanted.reason, known, "no quarantined row has this reason")
    if wanted.load_id is not None:
        known = names("load_id", "listed") | {row["load_id"] for row in read_loads(paths)}
        if "live" in names("database_name", "duckdb_databases()") and _RECONCILED in mart_tables(connection, "live"):
            # Loads of seeds, of which no row was refused.
            known |= names("load_id", f"live.marts.{_RECONCILED}")
        _refuse_other("--load", wanted.load_id, known, "there is no such load")


def _reasons_of_columns() -> set[str]:
    """Return the reasons that rows may have because of one column, whether any row has them now or not."""
    columns = {column for entity in entities().values() for column in entity.column_names}
    return {f"{column}_{problem}" for column in columns for problem in COLUMN_PROBLEMS}


def _refuse_other(option: str, given: str, known: set[str], problem: str) -> None:
    near = closest(given, sorted(known))
    if given not in known and near:
        raise UnknownNameError(option, f"{problem}: did you mean {near}?")


def _all_rows(connection: Any, paths: WarehousePaths) -> str:
    """Return a query over the rows that landing refused and the published ones, each once."""
    refused, erased = (rows_of_folder(paths.landing, folder) for folder in (QUARANTINE, ERASED))
    columns = ", ".join(_ADDRESS)
    query = f"select {columns}, raw_line from {refused}"  # noqa: S608
    if not paths.published_file.exists():
        return query
    connection.execute(f"attach {literal(str(paths.published_file))} as live (read_only)")
    if "quarantined_rows" not in mart_tables(connection, "live"):
        return query
    return f"""
        with structural as ({query}),
        erased as (select distinct load_id, entity, file from {erased}),
        remaining as ({_remaining(connection, paths, erased)})
        select * from structural
        union all
        select {columns}, null as raw_line from live.marts.quarantined_rows as published
        anti join structural using (load_id, file, record_number, reason)
        -- Until the next build, the published list still counts what was erased since.
        where not exists (
            select 1 from erased
            where (erased.load_id, erased.entity, erased.file)
                = (published.load_id, published.entity, published.file)
        )
        or exists (
            select 1 from remaining
            where (remaining.load_id, remaining.entity, remaining.file, remaining.record_number)
                = (published.load_id, published.entity, published.file, published.record_number)
        )
    """  # noqa: S608


def _remaining(connection: Any, paths: WarehousePaths, erased: str) -> str:
    """Return a query over the addresses of the rows that are left of files of which rows were erased."""
    found = connection.execute(f"select distinct entity from {erased}")  # noqa: S608
    parts = [
        f"select load_id, {literal(name)} as entity, file, record_number from {_landed(paths, name)} "  # noqa: S608
        f"semi join (select * from erased where entity = {literal(name)}) using (load_id, file)"
        for name in sorted(row[0] for row in found.fetchall())
    ]
    nothing = "select load_id, entity, file, 0 as record_number from erased where false"
    return " union all ".join([nothing, *parts])


# ---------------------------------------------------------------- showing


def quarantined_rows(paths: WarehousePaths, wanted: Wanted) -> Listed:
    """Return the rows that fit with `raw_line` (None where no line is found any more).

    Rows that landing refused are listed at once, rows that staging refused once they are published.
    """
    with _listing(paths, wanted) as connection:
        names = (*_ADDRESS, "raw_line", "corrected_by")
        rows = connection.execute(
            f"select {', '.join(names)} from listed where {wanted.condition} "  # noqa: S608
            f"order by load_id, entity, file, record_number, reason limit {wanted.limit}"
        ).fetchall()
        found = [dict(zip(names, row, strict=True)) for row in rows]
        for row in found:
            if row["raw_line"] is None:
                row["raw_line"] = _landed_line(connection, paths, row) or seed_line(row)
        corrected = Wanted(wanted.entity, wanted.reason, wanted.load_id, is_corrected=True)
        return Listed(_count(connection, wanted), found, _count(connection, corrected))


def _count(connection: Any, wanted: Wanted) -> int:
    return int(connection.execute(f"select count(*) from listed where {wanted.condition}").fetchall()[0][0])  # noqa: S608


def _landed_line(connection: Any, paths: WarehousePaths, row: dict[str, Any]) -> str | None:
    """Return the landed cells of a row as `column=value`, or None when the row is not in the landing zone."""
    if row["entity"] not in entities():
        return None
    names = entities()[row["entity"]].column_names
    found = connection.execute(
        f"select {', '.join(names)} from {_landed(paths, row['entity'])} "  # noqa: S608
        "where load_id = ? and file = ? and record_number = ? limit 1",
        [row["load_id"], row["file"], row["record_number"]],
    ).fetchall()
    return _cells(dict(zip(names, found[0], strict=True))) if found else None


def _landed(paths: WarehousePaths, entity: str) -> str:
    return landed_rows(paths.landing, entities()[entity])


def seed_line(row: dict[str, Any]) -> str | None:
    """Return the cells of a row of a seed, or None when there is no such row."""
    entity = entities().get(row["entity"])
    if entity is None or row["file"] != f"{entity.seed}.csv":
        return None
    cells = next((cells for line, cells in _seed_rows(entity) if line == row["line_number"]), None)
    return None if cells is None else _cells(cells)


def _seed_rows(entity: Entity) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a seed with their line numbers; none when there is no readable seed.

    Without a column line_number they are numbered in the order of their cells, as in the macro `seed_rows`.
    """
    try:
        with seed_file(seeds_folder(), entity).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        has_lines = bool(rows) and "line_number" in rows[0]
        if not has_lines:
            rows.sort(key=lambda cells: [(value in (None, ""), str(value or "").encode()) for value in cells.values()])
        for number, cells in enumerate(rows, start=2):
            line = int(cells["line_number"]) if has_lines else number
            yield line, {name: value for name, value in cells.items() if name not in _SEED_LOAD_COLUMNS}
    except (OSError, ValueError):
        return


def _cells(values: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items() if value not in (None, ""))


# ---------------------------------------------------------------- exporting


def export_quarantined(paths: WarehousePaths, wanted: Wanted, target: Path, overwrites: bool) -> list[Exported]:
    """Write the rows that fit as CSV files that a spreadsheet shows and `warehouse land` takes back corrected.

    `target` is a file (.csv) for the rows of one entity, else a folder that gets a file per entity. Raises
    WarehouseError when rows of several entities were to go into one file, or a file is there already, or the target is
    in WAREHOUSE_DIR.
    """
    if target.resolve().is_relative_to(paths.root):
        raise WarehouseError(f"{target.name} would lie in WAREHOUSE_DIR, where no erasure finds it: use another folder")
    with _listing(paths, wanted) as connection:
        found = connection.execute(f"select distinct entity from listed where {wanted.condition} order by all")  # noqa: S608
        names = [row[0] for row in found.fetchall() if row[0] in entities()]
        is_file = target.suffix.lower() == ".csv" and not target.is_dir()
        if is_file and len(names) > 1:
            raise WarehouseError(
                f"these are rows of {len(names)} entities ({', '.join(names)}): "
                "give --entity, or the name of a folder instead of a .csv file"
            )
        targets = {name: target if is_file else target / f"{name}.csv" for name in names}
        for path in targets.values():
            if path.exists() and not overwrites:
                raise WarehouseError(f"{path.name} is there already: give another name, or --force")
        try:
            if not is_file and targets:
                target.mkdir(parents=True, exist_ok=True)
            return [
                _write(path, entities()[name], connection, paths, wanted, overwrites) for name, path in targets.items()
            ]
        except FileExistsError as error:
            raise WarehouseError(f"{Path(error.filename2 or '').name} is there already: give another name") from None
        except OSError as error:
            raise WarehouseError(f"{target.name} cannot be written ({error.strerror}): check its folder") from None


def _write(
    path: Path, entity: Entity, connection: Any, paths: WarehousePaths, wanted: Wanted, overwrites: bool
) -> Exported:
    """Write the rows of one entity as a whole."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    header = (*EXPORTED_ADDRESS, *entity.column_names, EXPORTED_RAW_LINE)
    count = of_seed = 0
    try:
        # The mark of UTF-8: without it spreadsheets garble whatever is not Latin.
        with temporary.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for row in _rows_with_cells(entity, connection, paths, wanted):
                writer.writerow("" if cell is None else neutralised(str(cell)) for cell in row)
                count += 1
                of_seed += row[1] == f"{entity.seed}.csv"
        if overwrites:
            temporary.replace(path)
        else:
            # Unlike a rename, a link never replaces a file that appeared meanwhile.
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(str(path), entity.name, count, of_seed)


def _rows_with_cells(entity: Entity, connection: Any, paths: WarehousePaths, wanted: Wanted) -> Iterator[list[Any]]:
    """Yield address, reason, canonical cells as delivered and raw line of every row of an entity that fits."""
    address = ("load_id", "file", "line_number", "record_number", "reason")
    cells = ", ".join(f"landed.{name}" for name in entity.column_names)
    cursor = connection.execute(
        f"""
        select {", ".join(f"listed.{name}" for name in address)}, {cells}, listed.raw_line,
            landed.load_id is not null as is_landed
        from (select * from listed where {wanted.condition}) as listed
        left join {_landed(paths, entity.name)} as landed
            on listed.load_id = landed.load_id and listed.file = landed.file
            and listed.record_number = landed.record_number
        where listed.entity = {literal(entity.name)}
        order by listed.load_id, listed.file, listed.record_number, listed.reason
        """  # noqa: S608
    )
    in_seed: dict[int, dict[str, str]] | None = None
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        for *row, raw_line, is_landed in rows:
            if not is_landed and raw_line is None and row[1] == f"{entity.seed}.csv":
                in_seed = dict(_seed_rows(entity)) if in_seed is None else in_seed
                found = in_seed.get(row[2], {})
                row[len(address) :] = [found.get(name) for name in entity.column_names]
            yield [*row, raw_line]
