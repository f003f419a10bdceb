"""The engine without a database of its own, and how names and texts are written in its SQL."""

import os
from typing import Any

from warehouse.memory import MEMORY_LIMIT, limit_of_engine
from warehouse.paths import warehouse_paths

SPILL = "spill-"


def quoted(name: str) -> str:
    """Return an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def open_engine() -> Any:
    """Return an engine without a database of its own, in UTC, that keeps the order of rows and spills where it may."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    # A folder for each process: what a killed one leaves is swept without touching what another one writes.
    connection.execute(f"set temp_directory = {literal(str(warehouse_paths().root / f'{SPILL}{os.getpid()}'))}")
    if limit := os.environ.get(MEMORY_LIMIT):
        connection.execute(f"set memory_limit = {literal(limit_of_engine(limit))}")
    return connection
