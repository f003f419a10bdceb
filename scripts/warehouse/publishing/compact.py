"""A compact copy of the audited marts: only them and their comments, nothing deleted in any byte."""

from pathlib import Path
from typing import Any

from warehouse.engine import literal, open_engine, quoted
from warehouse.errors import WarehouseError

# The oldest client that must read the published file decides its format.
STORAGE_VERSION = "v1.2.0"
SCHEMA = "marts"
Fingerprints = dict[str, dict[str, Any]]


def mart_tables(connection: Any, database: str) -> list[str]:
    """Return the names of the tables of the schema `marts` of an attached database."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and schema_name = ? order by 1",
        [database, SCHEMA],
    ).fetchall()
    return [row[0] for row in rows]


def described_marts(connection: Any, database: str) -> Fingerprints:
    """Return the comment and the columns (name, type, comment) of every mart."""
    found: Fingerprints = {}
    for table in mart_tables(connection, database):
        columns = connection.execute(
            "select column_name, data_type, comment from duckdb_columns() "
            "where database_name = ? and schema_name = ? and table_name = ? order by column_index",
            [database, SCHEMA, table],
        ).fetchall()
        comment = connection.execute(
            "select comment from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
            [database, SCHEMA, table],
        ).fetchall()[0][0]
        found[table] = {"comment": comment, "columns": [list(column) for column in columns]}
    return found


def fingerprints(connection: Any, database: str) -> Fingerprints:
    """Return rows, columns and a fingerprint of the contents of every mart.

    The fingerprint is the sum of the hashes of all rows: equal for equal rows in any order. The same engine
    must make both sides of a comparison.
    """
    found: Fingerprints = {}
    for table, description in described_marts(connection, database).items():
        name = f"{quoted(database)}.{quoted(SCHEMA)}.{quoted(table)}"
        rows, contents = connection.execute(
            f"select count(*), coalesce(sum(hash(mart)), 0)::varchar from {name} as mart"  # noqa: S608
        ).fetchall()[0]
        found[table] = {"rows": rows, "contents": contents, **description}
    return found


def same_rows(connection: Any, left: str, right: str) -> bool:
    """Tell whether two tables (qualified names, same columns) hold the same rows, value by value.

    A copy keeps the order of rows, so both are read side by side; only where that fails, the order is left aside.
    """
    counts = [connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in (left, right)]  # noqa: S608
    if counts[0] != counts[1]:
        return False
    beside = f"select 1 from {left} as a positional join {right} as b where a is distinct from b limit 1"  # noqa: S608
    if not connection.execute(beside).fetchall():
        return True
    missing = f"select 1 from (select * from {left} except all select * from {right}) limit 1"  # noqa: S608
    return not connection.execute(missing).fetchall()


def compact_copy(marts_file: Path, target: Path) -> Fingerprints:
    """Write the marts of `marts_file` to the new file `target` and return what was verified to be in both.

    Raises WarehouseError when the copy differs from the original in any row, column or comment.
    """
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(marts_file))} as audited (read_only)")
        connection.execute(f"attach {literal(str(target))} as compact (storage_version {literal(STORAGE_VERSION)})")
        others = connection.execute(
            "select count(*) from duckdb_tables() where database_name = 'audited' and schema_name <> ?",
            [SCHEMA],
        ).fetchall()[0][0]
        if others:
            raise WarehouseError(
                f"{others} tables outside the schema {SCHEMA} in the file of the marts: nothing published"
            )
        connection.execute("copy from database audited to compact")
        connection.execute("checkpoint compact")
        connection.execute("detach compact")
        connection.execute(f"attach {literal(str(target))} as compact (read_only)")
        audited, copied = described_marts(connection, "audited"), described_marts(connection, "compact")
        different = sorted(
            name
            for name in {*audited, *copied}
            if audited.get(name) != copied.get(name)
            or not same_rows(connection, *(f"{each}.{SCHEMA}.{quoted(name)}" for each in ("audited", "compact")))
        )
        if different:
            raise WarehouseError(
                f"the copy differs from the audited marts in {', '.join(different)}: nothing published"
            )
        found = fingerprints(connection, "compact")
    finally:
        connection.close()
    if target.with_name(target.name + ".wal").exists():
        raise WarehouseError("the copy of the marts was not written completely (a log file is left): nothing published")
    return found
