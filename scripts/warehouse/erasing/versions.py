"""Takes a customer out of the kept versions and the published file. Aggregates stay until the next build."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.contract import entities
from warehouse.engine import literal, open_engine, quoted
from warehouse.erasing.columns import FREE_TEXTS, KEYS
from warehouse.erasing.customer import Customer
from warehouse.erasing.landing import LandedErasure
from warehouse.erasing.texts import redacted_sql
from warehouse.files import digest, read_json, remove
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import SCHEMA, Fingerprints, compact_copy, mart_tables
from warehouse.publishing.live import is_whole, now_text, put_in_place, read_mart_run, swap_in
from warehouse.publishing.versions import (
    AUDIT,
    FILE,
    Version,
    kept_versions,
    new_version_folder,
    read_stack,
    replace_version,
    versions_folder,
)

PUBLISHED = "published"
# Columns by which rows of marts are the customer's, with the kind of their identifier.
_OWNING = {"account_id": "account", "contact_id": "contact", "response_id": "response"}
# Names of contacts are looked through for tokens alone: a longer name that holds the customer's is somebody else's.
_NAMES = ("full_name",)
_KEYS_SCHEMA = pa.schema([("entity", pa.string()), ("place", pa.int32()), ("value", pa.string())])
_PLACES_SCHEMA = pa.schema(
    [("load_id", pa.string()), ("entity", pa.string()), ("file", pa.string()), ("record_number", pa.int64())]
)
_QUARANTINED = {"load_id", "entity", "file", "record_number", "key_value"}


@dataclass(frozen=True)
class Kept:
    """What is kept and published: versions that can be read, folders of those that cannot, and what is published.

    `live` is the version that the published file is; of a damaged one the readable version that was published last.
    """

    versions: list[Version]
    damaged: list[Path]
    live: Version | None
    is_published_readable: bool


@dataclass
class Scrubbed:
    """Rows that were taken out by run, and the names of what could not be read and was dropped."""

    rows: dict[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


def look_at_versions(paths: WarehousePaths) -> Kept:
    """Return which versions can be read, every byte of them. Nothing is changed."""
    known = kept_versions(paths)
    folders = sorted(path for path in versions_folder(paths).glob("[!.]*") if path.is_dir())
    versions = [version for version in known.values() if _is_readable(version.file, version.record)]
    readable = {version.run_id: version for version in versions}
    damaged = [path for path in folders if path.name not in readable]
    row = read_mart_run(paths.published_file)
    if row is not None and row["run_id"] in readable:
        return Kept(versions, damaged, readable[row["run_id"]], True)
    if paths.published_file.exists() and _is_readable(paths.published_file, {}):
        return Kept(versions, damaged, None, True)
    published = [entry["run_id"] for entry in read_stack(paths, None)]
    last = next((readable[run_id] for run_id in reversed(published) if run_id in readable), None)
    return Kept(versions, damaged, last, False)


def _is_readable(file: Path, record: Mapping[str, Any]) -> bool:
    """Tell whether a file has the bytes that were kept, or whether the engine can read all of it all the same."""
    import duckdb

    if digest(file) == record.get("sha256"):
        return True
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(file))} as kept (read_only)")
        for table in mart_tables(connection, "kept"):
            connection.execute(f"select sum(hash(mart)) from kept.{SCHEMA}.{quoted(table)} as mart").fetchall()  # noqa: S608
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return False
    finally:
        connection.close()
    return True


def name_account(paths: WarehousePaths, kept: Kept, customer: Customer) -> bool:
    """Tell whether a kept version or the published file has a row of the customer."""
    files = [version.file for version in kept.versions]
    files += [paths.published_file] if kept.is_published_readable and kept.live is None else []
    for file in files:
        with _opened(file, customer, LandedErasure()) as connection:
            for table in mart_tables(connection, "kept"):
                condition = _condition(_columns(connection, "kept", table))
                query = f"select 1 from kept.{SCHEMA}.{quoted(table)} as mart where {condition} limit 1"  # noqa: S608
                if condition is not None and connection.execute(query).fetchall():
                    return True
    return False


def scrub_versions(paths: WarehousePaths, kept: Kept, customer: Customer, landed: LandedErasure) -> Scrubbed:
    """Rewrite the kept versions and the published file without this customer; drop what cannot be read."""
    scrubbed = Scrubbed()
    for version in kept.versions:
        rows, replaced = _scrub(paths, version, customer, landed)
        scrubbed.rows[version.run_id] = rows
        # What is published may be damaged, or an erasure was killed when the version was clean and this was not.
        is_live = kept.live is not None and version.run_id == kept.live.run_id
        if is_live and paths.published_file.exists() and not is_whole(paths.published_file, replaced.record):
            swap_in(paths, replaced)
    if kept.live is None and paths.published_file.exists():
        if kept.is_published_readable:
            scrubbed.rows[PUBLISHED] = _scrub_published(paths, customer, landed)
        else:
            remove(paths.published_file)
            scrubbed.dropped.append("the published file")
    for folder in kept.damaged:
        remove(folder)
        scrubbed.dropped.append(f"version {folder.name}")
    return scrubbed


def _scrub(paths: WarehousePaths, version: Version, customer: Customer, landed: LandedErasure) -> tuple[int, Version]:
    prepared = new_version_folder(paths, version.run_id)
    rows, marts = _copy_without(version.file, prepared, customer, landed)
    if not rows:
        remove(prepared)
        return 0, version
    file = prepared / FILE
    record = {
        **version.record,
        "marts": marts,
        "bytes": file.stat().st_size,
        "sha256": digest(file),
        "erased_at": now_text(),
    }
    file.chmod(0o444)
    return rows, replace_version(paths, version, prepared, record, read_json(version.folder / AUDIT))


def _scrub_published(paths: WarehousePaths, customer: Customer, landed: LandedErasure) -> int:
    """Take the customer out of a published file of which no version is kept."""
    prepared = new_version_folder(paths, PUBLISHED)
    rows, _ = _copy_without(paths.published_file, prepared, customer, landed)
    if rows:
        put_in_place(paths, prepared / FILE)
    remove(prepared)
    return rows


def _copy_without(source: Path, prepared: Path, customer: Customer, landed: LandedErasure) -> tuple[int, Fingerprints]:
    """Write a copy without the customer into a folder; return how many rows went, and what is in it."""
    draft = prepared / "draft.duckdb"
    with _opened(source, customer, landed) as connection:
        connection.execute(f"attach {literal(str(draft))} as draft (storage_version 'v1.2.0')")
        connection.execute("copy from database kept to draft")
        rows = sum(_take_out(connection, table, customer) for table in mart_tables(connection, "draft"))
        connection.execute("checkpoint draft")
    # Deleting leaves the bytes where they were: only what is copied once more is free of them.
    marts = compact_copy(draft, prepared / FILE) if rows else {}
    remove(draft)
    return rows, marts


@contextmanager
def _opened(file: Path, customer: Customer, landed: LandedErasure) -> Iterator[Any]:
    """Open a file as `kept`, beside the tables of what is searched: identifiers, keys of entities, addresses."""
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(file))} as kept (read_only)")
        for kind in _OWNING.values():
            connection.execute(
                f"create temp table {kind}_ids as select unnest(?::varchar[]) as id",
                [sorted(customer.identifiers.get(kind, ()))],
            )
        connection.register("given_keys", pa.Table.from_pylist(list(_erased_keys(customer)), _KEYS_SCHEMA))
        connection.execute("create temp table erased_keys as from given_keys")
        addresses = [dict(zip(_PLACES_SCHEMA.names, address, strict=True)) for address in landed.addresses]
        connection.register("given_places", pa.Table.from_pylist(addresses, _PLACES_SCHEMA))
        connection.execute("create temp table places as from given_places")
        yield connection
    finally:
        connection.close()


def _erased_keys(customer: Customer) -> Iterator[dict[str, Any]]:
    """Yield what the published keys of refused rows may say of the customer: entity, place in the key, value.

    The place is that of a column of the key, from 1, or None for the whole.
    """
    for name, entity in entities().items():
        own = KEYS.get(name)
        if own is not None and len(own.columns) == len(entity.key):
            parts: list[tuple[int | None, str]] = [(None, own.kind)]
        else:
            kinds = {"account_id": "account", "contact_id": "contact", "deal_id": "deal"}
            named = [(place, kinds[column]) for place, column in enumerate(entity.key, 1) if column in kinds]
            parts = [(None if len(entity.key) == 1 else place, kind) for place, kind in named]
        for place, kind in parts:
            for value in customer.identifiers.get(kind, ()):
                yield {"entity": name, "place": place, "value": value}


def _columns(connection: Any, database: str, table: str) -> set[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ?",
        [database, SCHEMA, table],
    ).fetchall()
    return {row[0] for row in rows}


def _condition(columns: set[str]) -> str | None:
    """Return the SQL of "this row is the customer's" for a mart with these columns, None where no row can be."""
    owning = [f"{column} in (select id from {kind}_ids)" for column, kind in _OWNING.items() if column in columns]  # noqa: S608
    if owning:
        return " or ".join(owning)
    if not columns >= _QUARANTINED:
        return None
    return """
        (load_id, entity, file, record_number) in (select (load_id, entity, file, record_number) from places)
        or (entity, key_value) in (select (entity, value) from erased_keys where coalesce(place, 1) = 1)
        or exists (
            select 1 from erased_keys
            where erased_keys.entity = mart.entity
                and case
                    when place = 1 then starts_with(mart.key_value, value || '|')
                    else string_split(mart.key_value, '|')[place] = value
                end
        )
    """


def _take_out(connection: Any, table: str, customer: Customer) -> int:
    """Take the customer out of one mart of the draft; return the number of rows that went or changed."""
    name = f"draft.{SCHEMA}.{quoted(table)}"
    columns = _columns(connection, "draft", table)
    condition = _condition(columns)
    if condition is None:
        return 0
    if columns >= _QUARANTINED:
        # The row stays, for the counts; what it says about the customer goes.
        query = f"update {name} as mart set key_value = '(erased)' where key_value <> '(erased)' and ({condition})"  # noqa: S608
        return int(connection.execute(query).fetchall()[0][0])
    deleted = int(connection.execute(f"delete from {name} as mart where {condition}").fetchall()[0][0])  # noqa: S608
    for column in sorted(columns & {*FREE_TEXTS, *_NAMES}):
        patterns = customer.token_patterns if column in _NAMES else customer.patterns
        if patterns:
            cleaned = redacted_sql(column, patterns)
            query = f"update {name} set {column} = {cleaned} where {column} <> {cleaned}"  # noqa: S608
            deleted += int(connection.execute(query).fetchall()[0][0])
    return deleted
