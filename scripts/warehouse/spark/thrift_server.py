"""Queries to a Spark cluster through its Thrift server."""

import datetime
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from warehouse.errors import WarehouseError

# What a session must set for itself: Spark takes settings only under this prefix. profiles.yml sets the same for dbt.
SETTINGS = {
    "set:hiveconf:spark.sql.session.timeZone": "UTC",
    "set:hiveconf:spark.sql.ansi.enabled": "true",
}
ROWS_PER_STATEMENT = 5000
SQL_TYPES = {pa.string(): "string", pa.float64(): "double", pa.int64(): "bigint", pa.bool_(): "boolean"}
NUMPY_TYPES = {"TINYINT": "i8", "SMALLINT": "i8", "INT": "i8", "BIGINT": "i8", "DOUBLE": "f8", "BOOLEAN": "?"}


class ThriftServer:
    """An open session. Schemas and tables are named by plain identifiers, never by a user's text."""

    def __init__(self, connection: Any) -> None:
        """Keep the PyHive connection."""
        self._connection = connection

    def execute(self, statement: str) -> None:
        """Run a statement that returns no rows. Raises WarehouseError with the engine's first line."""
        self._run(statement)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query by column name."""
        cursor = self._run(query)
        names, kinds = _names(cursor), _kinds(cursor)
        days = {name for name, kind in zip(names, kinds, strict=True) if kind == "DATE"}
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in found:
            # The client leaves days as text.
            row.update({name: datetime.date.fromisoformat(row[name]) for name in days if isinstance(row[name], str)})
        return found

    def arrays(self, query: str) -> dict[str, Any]:
        """Return the columns of a query as numpy arrays by name, NULLs masked; one entry per row."""
        cursor = self._run(query)
        names, kinds = _names(cursor), _kinds(cursor)
        found = cursor.fetchall()
        return {name: _array([row[place] for row in found], kinds[place]) for place, name in enumerate(names)}

    def write(self, table: str, contents: pa.Table) -> None:
        """Replace a table by the rows of `contents`, whose columns are text, doubles, integers or truth values.

        The rows travel as text in statements, so that no file system has to be shared with the cluster.
        """
        types = {field.name: SQL_TYPES[field.type] for field in contents.schema}
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        self.execute(f"drop table if exists {table}")
        self.execute(f"create table {table} ({columns}) using parquet")
        record = "array<struct<" + ", ".join(f"{name}: {kind}" for name, kind in types.items()) + ">>"
        rows = contents.to_pylist()
        for first in range(0, len(rows), ROWS_PER_STATEMENT):
            document = json.dumps(rows[first : first + ROWS_PER_STATEMENT], ensure_ascii=False)
            self.execute(f"insert into {table} select inline(from_json({quoted(document)}, '{record}'))")

    def _run(self, statement: str) -> Any:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
        except Exception as error:
            raise WarehouseError(f"Spark refused a statement: {_first_line(error)}") from None
        return cursor


def quoted(text: str) -> str:
    """Return a text as a literal of Spark's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def thrift_server() -> Iterator[ThriftServer]:
    """Open a session with the server that WAREHOUSE_SPARK_HOST and WAREHOUSE_SPARK_PORT name.

    Raises WarehouseError when the client is not installed or nothing answers.
    """
    try:
        from pyhive import hive
    except ImportError:
        raise WarehouseError("the Spark client is not installed here: use .venv-spark (`make setup-spark`)") from None
    host, port = os.environ.get("WAREHOUSE_SPARK_HOST", "127.0.0.1"), os.environ.get("WAREHOUSE_SPARK_PORT", "10000")
    user = os.environ.get("WAREHOUSE_SPARK_USER", "warehouse")
    try:
        connection = hive.connect(host, port=int(port), username=user, configuration=SETTINGS)
    except Exception as error:
        raise WarehouseError(
            f"no Spark Thrift server answers at {host}:{port} ({_first_line(error)}): "
            "start one, or run the command under scripts/with_spark.sh"
        ) from None
    try:
        yield ThriftServer(connection)
    finally:
        connection.close()


def _names(cursor: Any) -> Sequence[str]:
    return [str(column[0]).rpartition(".")[2] for column in cursor.description]


def _kinds(cursor: Any) -> list[str]:
    return [str(column[1]).removesuffix("_TYPE") for column in cursor.description]


def _array(values: list[Any], kind: str) -> Any:
    missing = [value is None for value in values]
    data = np.empty(len(values), dtype=NUMPY_TYPES.get(kind, object))
    for place, value in enumerate(values):
        if value is not None:
            data[place] = value
    return np.ma.masked_array(data, mask=missing) if any(missing) else data


def _first_line(error: Exception) -> str:
    status = getattr(error.args[0], "status", None) if error.args else None
    message = str(getattr(status, "errorMessage", None) or error)
    return next((line.strip() for line in message.splitlines() if line.strip()), type(error).__name__)[:300]
