"""Copies the published marts into PostgreSQL, for many BI users at once. Models never run there.

The marts are loaded into a schema beside, compared with the published file, and take the place of the schema
`marts` in one transaction that waits for the transactions that read it.
"""

import importlib
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from warehouse.engine import literal, open_engine, quoted
from warehouse.errors import WarehouseError
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import SCHEMA, Fingerprints, fingerprints, same_rows
from warehouse.publishing.live import is_whole, live_version

INCOMING, OUTGOING = f"{SCHEMA}_incoming", f"{SCHEMA}_outgoing"
# The mark by which a schema is known as one that may be replaced.
MARK = "Retention warehouse"
# Readers that keep a transaction open hold the swap up: it tries for a minute and lets them pass in between. Each
# try ends before the server looks for deadlocks (after one second) and might end a reader instead.
_LOCK_TIMEOUT, _LOCK_ATTEMPTS = "500ms", 60
_TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(38, 0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
_NULL = "\\N"
# A sign of percent-encoding that encodes nothing.
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_MALFORMED = "the URL of --to is malformed: percent-encode the signs of the user and the password (@ is %40, % is %25)"


def publish_to_postgres(paths: WarehousePaths, url: str, reader: str) -> dict[str, Any]:
    """Replace the schema `marts` of a PostgreSQL database by the published marts; return run, marts and rows.

    `reader` is a role that may read this schema; it is created (without login) where it is absent. Raises
    WarehouseError when nothing whole is published, when the database cannot be used, or when the copy differs.
    """
    version = live_version(paths)
    if version is None or not is_whole(paths.published_file, version.record):
        raise WarehouseError("nothing whole is published: run `warehouse build`, or look at `warehouse status`")
    engine = open_engine()
    try:
        # Held open, the file stays the same run whatever is published meanwhile.
        engine.execute(f"attach {literal(str(paths.published_file))} as live (read_only)")
        with _connected(url) as server:
            marts = fingerprints(engine, "live")
            _load(engine, server, marts, version.record.get("keys", {}))
            _describe(engine, server, marts)
            _compare(engine, server, marts)
            _swap(server, reader)
    finally:
        engine.close()
    rows = sum(mart["rows"] for mart in marts.values())
    return {"run_id": version.run_id, "as_of": version.record["as_of"], "marts": len(marts), "rows": rows}


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    """Yield a connection that commits each statement. One publication at a time holds the advisory lock."""
    try:
        psycopg: Any = importlib.import_module("psycopg")
    except ModuleNotFoundError:
        raise WarehouseError(
            "this environment has no PostgreSQL client: run `make setup-postgres`, "
            "then `.venv-postgres/bin/warehouse publish --to …`"
        ) from None
    secrets = _secrets(psycopg, url)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as server:
            server.execute("set timezone = 'UTC'")
            server.execute("set client_min_messages = 'warning'")
            if not server.execute("select pg_try_advisory_lock(hashtext('retention warehouse'))").fetchall()[0][0]:
                raise WarehouseError("another publication into this PostgreSQL database is running: wait for it")
            yield server
    except psycopg.Error as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = lines[0]
        for secret in secrets:
            reason = reason.replace(secret, "…")
        raise WarehouseError(f"PostgreSQL refused: {reason}; its schema {SCHEMA} is unchanged") from None


def _secrets(psycopg: Any, url: str) -> list[str]:
    """Return the spellings of the password of a URL, longest first, for what a message must not repeat.

    Raises WarehouseError, which quotes nothing, when parts of a password may be taken for something else: the server's
    name, its port or the database are shown in messages.
    """
    address = url.partition("://")[2].partition("?")[0]
    authority, _, path = address.partition("/")
    user, _, servers = authority.rpartition("@")
    ports = re.findall(r":([^:,\[\]]*)(?=,|$)", servers)
    is_clear = "@" not in user + path and not _BARE_PERCENT.search(url) and all(re.fullmatch(r"\d*", p) for p in ports)
    try:
        parsed = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        is_clear = False
    if not is_clear:
        raise WarehouseError(_MALFORMED)
    given = user.partition(":")[2]
    spellings = {url, given, unquote(given), str(parsed.get("password") or "")} - {""}
    return sorted(spellings, key=len, reverse=True)


def _type(name: str) -> str:
    if name.startswith("DECIMAL"):
        return name.replace("DECIMAL", "numeric")
    if name not in _TYPES:
        raise WarehouseError(f"the type {name} of a mart has no counterpart in PostgreSQL: nothing was changed there")
    return _TYPES[name]


def _load(engine: Any, server: Any, marts: Fingerprints, keys: dict[str, list[str]]) -> None:
    """Create the incoming schema and fill it, keys last."""
    server.execute(f"drop schema if exists {INCOMING} cascade")
    server.execute(f"create schema {INCOMING}")
    for table, mart in marts.items():
        columns = ", ".join(f"{quoted(name)} {_type(kind)}" for name, kind, _ in mart["columns"])
        target = f"{INCOMING}.{quoted(table)}"
        server.execute(f"create table {target} ({columns})")
        with tempfile.TemporaryDirectory() as folder:
            _copy_in(engine, server, table, target, mart["columns"], Path(folder) / "rows.csv")
        if table in keys:
            _add_key(server, target, keys[table])
        server.execute(f"analyze {target}")


def _copy_in(engine: Any, server: Any, table: str, target: str, columns: list[list[str]], file: Path) -> None:
    texts = ", ".join(quoted(name) for name, kind, _ in columns if kind == "VARCHAR")
    # Quoted texts tell an empty one from none.
    force = f", force_quote ({texts})" if texts else ""
    engine.execute(
        f"copy live.{SCHEMA}.{quoted(table)} to {literal(str(file))} "
        f"(format csv, header false, nullstr {literal(_NULL)}{force})"
    )
    statement = f"copy {target} from stdin (format csv, null {literal(_NULL)})"
    with file.open("rb") as rows, server.cursor() as cursor, cursor.copy(statement) as copy:
        while block := rows.read(1 << 20):
            copy.write(block)


def _add_key(server: Any, target: str, key: list[str]) -> None:
    """Add the primary key, or a unique constraint where a column of the key may be empty."""
    columns = ", ".join(quoted(name) for name in key)
    empty = " or ".join(f"{quoted(name)} is null" for name in key)
    query = f"select exists (select 1 from {target} where {empty})"  # noqa: S608
    kind = "unique nulls not distinct" if server.execute(query).fetchall()[0][0] else "primary key"
    server.execute(f"alter table {target} add {kind} ({columns})")


def _describe(engine: Any, server: Any, marts: Fingerprints) -> None:
    """Copy the comments of tables and columns, and mark the schema."""
    run_id, as_of = engine.execute(f"select run_id, as_of from live.{SCHEMA}.mart_run").fetchall()[0]  # noqa: S608
    comment = f"{MARK}: the published marts, run {run_id}, as of {as_of}"
    server.execute(f"comment on schema {INCOMING} is {literal(comment)}")
    for table, mart in marts.items():
        target = f"{INCOMING}.{quoted(table)}"
        if mart["comment"]:
            server.execute(f"comment on table {target} is {literal(mart['comment'])}")
        for name, _, comment in mart["columns"]:
            if comment:
                server.execute(f"comment on column {target}.{quoted(name)} is {literal(comment)}")


def _compare(engine: Any, server: Any, marts: Fingerprints) -> None:
    """Read every table back and compare its rows with the published ones, value by value."""
    engine.execute(f"attach ':memory:' as returned; create schema returned.{SCHEMA}")
    for table, mart in marts.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.csv"
            _copy_out(server, f"{INCOMING}.{quoted(table)}", file)
            types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind, _ in mart["columns"])
            engine.execute(
                f"create table returned.{SCHEMA}.{quoted(table)} as from read_csv({literal(str(file))}, "
                f"header = false, columns = {{{types}}}, nullstr = {literal(_NULL)}, allow_quoted_nulls = false, "
                "auto_detect = false, delim = ',', quote = '\"', escape = '\"')"
            )
        if not same_rows(engine, *(f"{each}.{SCHEMA}.{quoted(table)}" for each in ("live", "returned"))):
            raise WarehouseError(f"the copy of {table} in PostgreSQL differs from the published one: not swapped in")
        engine.execute(f"drop table returned.{SCHEMA}.{quoted(table)}")


def _copy_out(server: Any, source: str, file: Path) -> None:
    columns = server.execute(f"select * from {source} limit 0").description  # noqa: S608
    texts = ", ".join(quoted(column.name) for column in columns if column.type_code == 25)
    force = f", force_quote ({texts})" if texts else ""
    statement = f"copy {source} to stdout (format csv, null {literal(_NULL)}{force})"
    with file.open("wb") as rows, server.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            rows.write(block)


def _swap(server: Any, reader: str) -> None:
    """Put the incoming schema in the place of the published one, and let the reader read it."""
    if not server.execute("select 1 from pg_roles where rolname = %s", [reader]).fetchall():
        server.execute(f"create role {quoted(reader)} nologin")
    server.execute(f"grant usage on schema {INCOMING} to {quoted(reader)}")
    server.execute(f"grant select on all tables in schema {INCOMING} to {quoted(reader)}")
    server.execute(f"drop schema if exists {OUTGOING} cascade")
    tables = _replaceable_tables(server)
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            with server.transaction():
                server.execute(f"set local lock_timeout = {literal(_LOCK_TIMEOUT)}")
                if tables is not None:
                    # Waits for transactions that read a mart: none of them sees two runs.
                    if tables:
                        server.execute(f"lock table {', '.join(tables)} in access exclusive mode")
                    server.execute(f"alter schema {SCHEMA} rename to {OUTGOING}")
                server.execute(f"alter schema {INCOMING} rename to {SCHEMA}")
            break
        except importlib.import_module("psycopg").errors.LockNotAvailable:
            if attempt == _LOCK_ATTEMPTS:
                raise WarehouseError(
                    f"readers keep transactions open on the schema {SCHEMA}: end them, then publish again"
                ) from None
            time.sleep(0.5)
    server.execute(f"drop schema if exists {OUTGOING} cascade")


def _replaceable_tables(server: Any) -> list[str] | None:
    """Return the tables of the present schema, or None when there is none. A foreign schema is left alone."""
    found = server.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s", [SCHEMA]
    ).fetchall()
    if not found:
        return None
    if not str(found[0][0] or "").startswith(MARK):
        raise WarehouseError(
            f"the database has a schema {SCHEMA} that no warehouse published: rename it, or use another database"
        )
    rows = server.execute("select tablename from pg_tables where schemaname = %s", [SCHEMA]).fetchall()
    return [f"{SCHEMA}.{quoted(row[0])}" for row in rows]
