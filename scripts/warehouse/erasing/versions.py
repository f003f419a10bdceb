"""Takes a customer out of the kept versions and the published file. Aggregates stay until the next build."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.engine import literal, open_engine, quoted
from warehouse.erasing.customer import SHORTEST_NAME, Customer
from warehouse.erasing.landing import Address, LandedErasure
from warehouse.erasing.texts import REPLACEMENT, patterns_of
from warehouse.files import digest, read_json, remove
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import SCHEMA, compact_copy, mart_tables
from warehouse.publishing.live import is_whole, live_version, now_text, swap_in
from warehouse.publishing.versions import (
    AUDIT,
    FILE,
    Version,
    bring_back_versions,
    kept_versions,
    new_version_folder,
    replace_version,
)

CUSTOMER_COLUMN = "account_id"
_NAMES_CUSTOMER = f"{CUSTOMER_COLUMN} in (select id from ids)"  # noqa: S608
# Columns of marts in which a person wrote: rows of others may mention the customer there, by name or by token.
COMMENT_COLUMNS, TEXT_COLUMNS = ("comment",), ("full_name", "role")


@dataclass(frozen=True)
class _Traces:
    """What is searched in the marts: account ids, addresses of rows, keys and patterns of texts by their column."""

    ids: list[str]
    places: list[Address]
    keys: Mapping[str, list[str]]
    patterns: Mapping[str, list[str]]


def scrub_versions(paths: WarehousePaths, customer: Customer, landed: LandedErasure) -> dict[str, int]:
    """Rewrite the kept versions and the published file without this customer; return rows per run."""
    bring_back_versions(paths)
    live = live_version(paths)
    names = {name for name in customer.names if len(name) >= SHORTEST_NAME}
    traces = _Traces(
        ids=sorted(customer.accounts),
        places=sorted(landed.addresses),
        keys={column: sorted(keys) for column, keys in landed.keys.items()},
        patterns={
            **dict.fromkeys(COMMENT_COLUMNS, patterns_of(customer.tokens | names)),
            **dict.fromkeys(TEXT_COLUMNS, patterns_of(customer.tokens)),
        },
    )
    scrubbed = {}
    for version in kept_versions(paths).values():
        rows, replaced = _scrub(paths, version, traces)
        scrubbed[version.run_id] = rows
        is_live = live is not None and version.run_id == live.run_id
        # An erasure that was killed may have cleaned the version and not yet what is published.
        if is_live and not is_whole(paths.published_file, replaced.record):
            swap_in(paths, replaced)
    if live is None and paths.published_file.exists():
        # No version of it is kept that could be cleaned: what is published must go with the customer.
        scrubbed["published"] = 1
        remove(paths.published_file)
    return scrubbed


def _scrub(paths: WarehousePaths, version: Version, traces: _Traces) -> tuple[int, Version]:
    prepared = new_version_folder(paths, version.run_id)
    draft, file = prepared / "draft.duckdb", prepared / FILE
    rows = _copy_without(version.file, draft, traces)
    if not rows:
        remove(prepared)
        return 0, version
    # Deleting leaves the bytes where they were: only what is copied once more is free of them.
    marts = compact_copy(draft, file)
    remove(draft)
    record = {
        **version.record,
        "marts": marts,
        "bytes": file.stat().st_size,
        "sha256": digest(file),
        "erased_at": now_text(),
    }
    file.chmod(0o444)
    return rows, replace_version(paths, version, prepared, record, read_json(version.folder / AUDIT))


def _copy_without(source: Path, draft: Path, traces: _Traces) -> int:
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(source))} as kept (read_only)")
        connection.execute(f"attach {literal(str(draft))} as draft (storage_version 'v1.2.0')")
        connection.execute("copy from database kept to draft")
        connection.execute("create temp table ids as select unnest(?::varchar[]) as id", [traces.ids])
        connection.execute(
            "create temp table places (load_id varchar, entity varchar, file varchar, record_number bigint)"
        )
        if traces.places:
            connection.executemany("insert into places values (?, ?, ?, ?)", traces.places)
        rows = sum(_delete(connection, table, traces) for table in mart_tables(connection, "draft"))
        connection.execute("checkpoint draft")
        return rows
    finally:
        connection.close()


def _delete(connection: Any, table: str, traces: _Traces) -> int:
    name = f"draft.{SCHEMA}.{quoted(table)}"
    columns = {
        row[0]
        for row in connection.execute(
            "select column_name from duckdb_columns() where database_name = 'draft' and table_name = ?",
            [table],
        ).fetchall()
    }
    keys = {column: traces.keys[column] for column in sorted(columns & traces.keys.keys())}
    if CUSTOMER_COLUMN in columns or keys:
        conditions = [_NAMES_CUSTOMER] if CUSTOMER_COLUMN in columns else []
        conditions += [f"list_contains(?::varchar[], {column})" for column in keys]
        query = f"delete from {name} where {' or '.join(conditions)}"  # noqa: S608
        deleted = int(connection.execute(query, list(keys.values())).fetchall()[0][0])
        return deleted + sum(_redact(connection, name, column, traces) for column in sorted(columns))
    if {"load_id", "entity", "file", "record_number", "key_value"} <= columns:
        # The row stays, for the counts; what it says about the customer goes.
        query = f"""
            update {name} as listed set key_value = '(erased)'
            where (load_id, entity, file, record_number) in (
                    select (load_id, entity, file, record_number) from places
                )
               or list_has_any(string_split(key_value, '|'), (select list(id) from ids))
        """  # noqa: S608
        return int(connection.execute(query).fetchall()[0][0])
    return 0


def _redact(connection: Any, name: str, column: str, traces: _Traces) -> int:
    """Take the customer out of what others wrote; return the number of rows that changed."""
    patterns = traces.patterns.get(column, ())
    if not patterns:
        return 0
    cleaned = column
    for pattern in patterns:
        cleaned = f"regexp_replace({cleaned}, {literal(pattern)}, {literal(REPLACEMENT)}, 'g')"
    query = f"update {name} set {column} = {cleaned} where {column} <> {cleaned}"  # noqa: S608
    return int(connection.execute(query).fetchall()[0][0])
