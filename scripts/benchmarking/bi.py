"""Times the queries of dashboards on a published file: the median of each over some rounds. A process of its own."""

import json
import re
import statistics
import sys
import time
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("bi_queries.sql")
ROUNDS = 7


def queries() -> list[tuple[str, str]]:
    """Return the queries, (name, SQL), in order."""
    found = re.findall(r"^-- ([^\n]+)\n((?!\s*--)[^;]+);", SQL.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [(name, sql) for name, sql in found]


def timed(published: Path) -> dict[str, float]:
    """Return the milliseconds of each query, read-only, the file open as a BI tool keeps it."""
    with duckdb.connect(str(published), read_only=True) as connection:
        connection.execute("set threads = 2")
        found = {}
        for name, sql in queries():
            times = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                connection.execute(sql).fetchall()
                times.append((time.perf_counter() - begun) * 1000)
            found[name] = statistics.median(times)
    return found


def main() -> None:
    """Read the published file and the output file from the command line."""
    published, out = sys.argv[1:3]
    Path(out).write_text(json.dumps(timed(Path(published))), encoding="utf-8")


if __name__ == "__main__":
    main()
