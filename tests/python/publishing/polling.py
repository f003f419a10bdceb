"""Run as a process by the tests: reads the published file on and on, and reports mixed or failed reads."""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb


def read_contents(file: Path) -> tuple[set[str], str]:
    """Return the marks of the runs in a file (one, unless it is mixed) and a digest of the contents of all marts.

    One connection reads every block, as a BI tool would open the file: a torn file shows in its checksums.
    """
    contents = hashlib.sha256()
    with duckdb.connect(str(file), read_only=True) as connection:
        query = "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        tables = [row[0] for row in connection.execute(query).fetchall()]
        found = {str(row[0]) for row in connection.execute("select run_id from marts.mart_run").fetchall()}
        for table in tables:
            columns = [row[0] for row in connection.execute(f"describe marts.{table}").fetchall()]
            if "run_mark" in columns:
                marks = connection.execute(f"select distinct run_mark from marts.{table}").fetchall()
                found |= {row[0] for row in marks}
            rows = connection.execute(f"select count(*), sum(hash(mart))::varchar from marts.{table} as mart")
            contents.update(f"{table} {rows.fetchall()}".encode())
    return found, contents.hexdigest()


def poll(file: Path, stop: Path, pause: float) -> dict[str, Any]:
    """Read, `pause` seconds apart, until `stop` appears; return reads, contents by run, and what went wrong."""
    reads, wrong = 0, []
    runs: dict[str, list[str]] = {}
    while not stop.exists():
        try:
            found, contents = read_contents(file)
        except duckdb.Error as error:
            wrong.append(type(error).__name__ + ": " + str(error).splitlines()[0])
            continue
        reads += 1
        if len(found) != 1:
            wrong.append(f"mixed read: {sorted(found)}")
        for run in found:
            if contents not in runs.setdefault(run, []):
                runs[run].append(contents)
        time.sleep(pause)
    return {"reads": reads, "runs": runs, "wrong": wrong[:20]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(poll(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))))
