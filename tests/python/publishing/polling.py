"""Run as a process by the tests: reads the published file on and on, and reports mixed or failed reads."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb


def read_marks(file: Path) -> set[str]:
    """Return the run of every mart over one connection that opens the file like a BI tool."""
    with duckdb.connect(str(file), read_only=True) as connection:
        query = "select table_name from duckdb_tables() where schema_name = 'marts'"
        tables = [row[0] for row in connection.execute(query).fetchall()]
        found = {str(row[0]) for row in connection.execute("select run_id from marts.mart_run").fetchall()}
        for table in tables:
            columns = [row[0] for row in connection.execute(f"describe marts.{table}").fetchall()]
            if "run_mark" in columns:
                found |= {
                    row[0] for row in connection.execute(f"select distinct run_mark from marts.{table}").fetchall()
                }
            else:
                # Reads every block: a torn file shows in its checksums.
                connection.execute(f"select sum(hash(mart)) from marts.{table} as mart").fetchall()
    return found


def poll(file: Path, stop: Path) -> dict[str, Any]:
    """Read until the file `stop` appears; return the reads, the runs seen, and what went wrong."""
    reads, runs, wrong = 0, set(), []
    while not stop.exists():
        try:
            found = read_marks(file)
        except duckdb.Error as error:
            wrong.append(type(error).__name__ + ": " + str(error).splitlines()[0])
            continue
        reads += 1
        runs |= found
        if len(found) != 1:
            wrong.append(f"mixed read: {sorted(found)}")
        time.sleep(0.002)
    return {"reads": reads, "runs": sorted(runs), "wrong": wrong[:20]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(poll(Path(sys.argv[1]), Path(sys.argv[2]))))
