"""Runs the yardstick: raw Parquet to the seven headline marts, by hand. A process of its own."""

import json
import re
import sys
import time
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("yardstick.sql")
MARTS = (
    "retention_rate",
    "revenue_retention",
    "churn_cohorts",
    "customer_lifetime_value",
    "funnel_conversion",
    "nps",
    "repeat_purchase_rate",
)


def blocks() -> list[tuple[str, str]]:
    """Return the parts of the script, (name, SQL), in order."""
    parts = re.split(r"^-- @ ", SQL.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [(name, sql) for name, sql in (part.split("\n", 1) for part in parts)]


def run(raw: Path, out: Path, memory_limit: str | None = None) -> dict[str, float]:
    """Write the seven marts of the company in `raw` into the database file `out`; return the seconds per part."""
    out.unlink(missing_ok=True)
    seconds: dict[str, float] = {}
    with duckdb.connect(str(out)) as connection:
        connection.execute("set threads = 2; set timezone = 'UTC'")
        connection.execute(f"set temp_directory = '{out}.spill'")
        if memory_limit:
            connection.execute(f"set memory_limit = '{memory_limit}'")
        connection.execute(f"set variable raw = '{raw}'")
        for name, sql in blocks():
            begun = time.perf_counter()
            connection.execute(sql)
            seconds[name] = time.perf_counter() - begun
        connection.execute("checkpoint")
    return seconds


def main() -> None:
    """Read raw folder, database file and memory limit (or '') from the command line; print the seconds per part."""
    raw, out, limit = sys.argv[1:4]
    sys.stdout.write(json.dumps(run(Path(raw), Path(out), limit or None)) + "\n")


if __name__ == "__main__":
    main()
