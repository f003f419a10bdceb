"""The reduced job in embedded ClickHouse."""

import json
from pathlib import Path
from typing import Any

from chdb.session import Session

from benchmarking.peers.answers import Rows, run_job

_SQL = Path(__file__).with_name("clickhouse_job.sql")


def rows_of(session: Session, query: str) -> list[list[Any]]:
    """Return the rows of a query."""
    text = str(session.query(query, "JSONCompactEachRow"))
    return [json.loads(line) for line in text.splitlines() if line]


def job(raw: Path) -> dict[str, Rows]:
    """Return the three tables."""
    session = Session()
    try:
        session.query("set max_threads = 2")
        for statement in _SQL.read_text(encoding="utf-8").replace("{raw}", str(raw)).split(";\n"):
            if statement.strip():
                session.query(statement)
        return {name: rows_of(session, f"from {name} select *") for name in ("cohorts", "retention", "movements")}
    finally:
        session.close()


if __name__ == "__main__":
    run_job(job)
