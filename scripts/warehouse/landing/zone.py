"""The landing zone: append-only deliveries as Parquet, the load registry, the quarantine of bad structure.

Nothing is ever changed in place. A load is written to a private folder and moved in, its row in `_loads`
last: whatever has no row there is not landed, and the next call sweeps it away.
"""

import datetime
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from warehouse.contract import Entity, entities
from warehouse.engine import literal
from warehouse.errors import WarehouseError
from warehouse.paths import WarehousePaths

LOADS, QUARANTINE, ERASED, UNFINISHED = "_loads", "_quarantine", "_erased", "_unfinished"
CORRECTIONS, DELETIONS = "_corrections", "_deletions"
EMPTY_FILE = "_empty.parquet"
ADDRESS_COLUMNS = ("load_id", "file", "line_number", "record_number", "landed_at")
# A multiple of the 2,048 rows that DuckDB takes at once, and the size of its own row groups.
ROWS_PER_GROUP = 122_880
_LOCK_SECONDS = 600
_LOAD_ID = re.compile(r"(\d{5,}-[0-9a-f]{8})(?:-\d+)?\.parquet")
_CALL_NUMBER = re.compile(r"\d+")

LOADS_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("entity", pa.string()),
        ("file", pa.string()),
        ("source", pa.string()),
        ("file_sha256", pa.string()),
        ("rows_in", pa.int64()),
        ("rows_landed", pa.int64()),
        ("rows_quarantined", pa.int64()),
        ("is_full", pa.bool_()),
        ("exported_at", pa.timestamp("us")),
        ("landed_at", pa.timestamp("us")),
        ("load_sequence", pa.int64()),
        ("repairs", pa.string()),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("file", pa.string()),
        ("line_number", pa.int64()),
        ("record_number", pa.int64()),
        ("entity", pa.string()),
        ("reason", pa.string()),
        ("key_value", pa.string()),
        ("raw_line", pa.string()),
        # For erasures: what the mapping makes of the line's words. Absent from what was landed before it was kept.
        ("made_identifiers", pa.list_(pa.string())),
    ]
)
ERASED_SCHEMA = pa.schema(
    [("load_id", pa.string()), ("entity", pa.string()), ("file", pa.string()), ("rows_erased", pa.int64())]
)
# Which landed row (of a load that corrects) stands for which quarantined row.
CORRECTED_COLUMNS = ("corrected_load_id", "corrected_file", "corrected_record_number")
CORRECTIONS_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("entity", pa.string()),
        ("file", pa.string()),
        ("line_number", pa.int64()),
        ("record_number", pa.int64()),
        ("corrected_load_id", pa.string()),
        ("corrected_file", pa.string()),
        ("corrected_record_number", pa.int64()),
    ]
)
# Which key a row of a delivery says was deleted at its source.
DELETIONS_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("entity", pa.string()),
        ("file", pa.string()),
        ("line_number", pa.int64()),
        ("record_number", pa.int64()),
        ("key_value", pa.string()),
    ]
)


def entity_schema(entity: Entity) -> pa.Schema:
    """Return the schema of the deliveries of an entity.

    The address of the row, then its canonical columns as text.
    """
    address = [
        ("load_id", pa.string()),
        ("file", pa.string()),
        ("line_number", pa.int64()),
        ("record_number", pa.int64()),
        ("landed_at", pa.timestamp("us")),
    ]
    return pa.schema(address + [(name, pa.string()) for name in entity.column_names])


def _files_of(folder: Path) -> str:
    """Return the Parquet files of a folder as the engine takes them: the marks of a pattern in its name are none."""
    return literal(re.sub(r"([*?[])", r"[\1]", str(folder)) + "/*.parquet")


def rows_of_folder(landing: Path, folder: str) -> str:
    """Return the rows of one of the zone's own folders as a table expression."""
    return f"read_parquet({_files_of(landing / folder)}, hive_partitioning = false)"


def landed_rows(landing: Path, entity: Entity) -> str:
    """Return the landed rows of an entity as a table expression; a column younger than a delivery is NULL there."""
    columns = ", ".join(f"cast(null as varchar) as {name}" for name in entity.column_names)
    files = f"read_parquet({_files_of(landing / entity.name)}, union_by_name = true, hive_partitioning = false)"
    return f"(select {columns} where false union all by name select * from {files})"  # noqa: S608


def _folders() -> dict[str, pa.Schema]:
    return {
        **{name: entity_schema(entity) for name, entity in entities().items()},
        LOADS: LOADS_SCHEMA,
        QUARANTINE: QUARANTINE_SCHEMA,
        ERASED: ERASED_SCHEMA,
        CORRECTIONS: CORRECTIONS_SCHEMA,
        DELETIONS: DELETIONS_SCHEMA,
    }


def _empty_file(schema: pa.Schema) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink, compression="zstd")
    return bytes(sink.getvalue())


def ensure_landing_zone(paths: WarehousePaths) -> None:
    """Create the folders of the zone, each with a zero-row file, so that reading needs no condition."""
    try:
        paths.make_private(paths.landing.name)
        for name, schema in _folders().items():
            target = paths.landing / name / EMPTY_FILE
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f".{EMPTY_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
                temporary.write_bytes(_empty_file(schema))
                temporary.replace(target)
    except OSError as error:
        raise WarehouseError(
            f"the warehouse folder cannot be written ({error.strerror}): check WAREHOUSE_DIR"
        ) from None


@contextmanager
def locked(paths: WarehousePaths) -> Iterator[None]:
    """Hold the lock of the landing zone: one landing at a time. Raises WarehouseError after ten minutes."""
    try:
        paths.make_private(paths.landing.name)
        lock = FileLock(paths.landing / ".lock", timeout=_LOCK_SECONDS)
        lock.acquire()
    except Timeout:
        raise WarehouseError("another landing has been running for ten minutes: wait for it, or end it") from None
    except OSError as error:
        raise WarehouseError(
            f"the warehouse folder cannot be written ({error.strerror}): check WAREHOUSE_DIR"
        ) from None
    try:
        yield
    finally:
        lock.release()


def read_loads(paths: WarehousePaths) -> list[dict[str, Any]]:
    """Return the rows of the load registry in the order of landing. Raises WarehouseError when a file is damaged."""
    rows: list[dict[str, Any]] = []
    for path in sorted((paths.landing / LOADS).glob("*.parquet")):
        if path.name != EMPTY_FILE:
            try:
                rows.extend(pq.read_table(path, partitioning=None).to_pylist())
            except pa.ArrowException:
                raise WarehouseError(
                    f"{path} is damaged, and what was landed is not known without it: restore it from a backup"
                ) from None
    return sorted(rows, key=lambda row: row["load_sequence"])


def sweep(paths: WarehousePaths) -> int:
    """Remove what a broken landing left behind: private folders, and files of loads without a registry row.

    Call it while holding the lock. Returns the number of removed files and folders.
    """
    removed = 0
    unfinished = paths.landing / UNFINISHED
    if unfinished.exists():
        removed += sum(1 for _ in unfinished.iterdir())
        shutil.rmtree(unfinished)
    known = {path.stem for path in (paths.landing / LOADS).glob("*.parquet")}
    for name in [*entities(), QUARANTINE, CORRECTIONS, DELETIONS, ERASED]:
        for path in (paths.landing / name).glob("*.parquet"):
            found = _LOAD_ID.fullmatch(path.name)
            if found and found.group(1) not in known:
                path.unlink()
                removed += 1
    return removed


@dataclass(frozen=True)
class LoadStamp:
    """Identity and time of one call.

    `sequence` counts the calls and starts the load id, `landed_at` (UTC, naive) never goes back.
    """

    load_id: str
    sequence: int
    landed_at: datetime.datetime


def new_stamp(loads: Sequence[dict[str, Any]]) -> LoadStamp:
    """Return the stamp of the next load."""
    # Corrected rows carry the sequence of the load that they correct, so that the id counts as well.
    numbers = (int(found.group()) for row in loads if (found := _CALL_NUMBER.match(row["load_id"])))
    sequence = max([0, *(row["load_sequence"] for row in loads), *numbers]) + 1
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    last = max((row["landed_at"] for row in loads), default=now)
    return LoadStamp(f"{sequence:05d}-{secrets.token_hex(4)}", sequence, max(now, last))


def delivered_at(load: Mapping[str, Any], loads: Iterable[Mapping[str, Any]]) -> datetime.datetime:
    """Return how old a delivery is: its export where that is known, else its landing.

    The files of one entity in one full delivery are one, as old as the youngest of them; `loads` holds them all.
    """
    part_of = ("load_id", "entity", "source", "is_full")
    same = [row for row in loads if all(row[name] == load[name] for name in part_of)] if load["is_full"] else []
    times: list[datetime.datetime] = [row["exported_at"] or row["landed_at"] for row in (load, *same)]
    return max(times)


def commit(paths: WarehousePaths, private: Path, stamp: LoadStamp, registry: list[dict[str, Any]]) -> None:
    """Move the files of a load into place, its registry row last.

    `private` holds one folder per target folder.
    """
    (private / LOADS).mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.Table.from_pylist(registry, LOADS_SCHEMA),
        private / LOADS / f"{stamp.load_id}.parquet",
        compression="zstd",
    )
    folders = sorted((folder for folder in private.iterdir() if folder.name != LOADS), key=lambda path: path.name)
    for folder in [*folders, private / LOADS]:
        for path in sorted(folder.iterdir()):
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(paths.landing / folder.name / path.name)
        descriptor = os.open(paths.landing / folder.name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    shutil.rmtree(private)
