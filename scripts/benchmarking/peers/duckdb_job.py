"""The reduced job in hand-written DuckDB."""

from pathlib import Path

import duckdb

from benchmarking.peers.answers import Rows, run_job

_SQL = Path(__file__).with_name("duckdb_job.sql")


def job(raw: Path) -> dict[str, Rows]:
    """Return the three tables."""
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        connection.execute(f"set variable raw = '{raw}'")
        connection.execute(_SQL.read_text(encoding="utf-8"))
        return {name: connection.execute(f"from {name}").fetchall() for name in ("cohorts", "retention", "movements")}


if __name__ == "__main__":
    run_job(job)
