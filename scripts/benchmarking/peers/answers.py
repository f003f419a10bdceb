"""The answers of a reduced job: three tables of whole numbers, as JSON, so that tools can be compared exactly."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

# Columns of each table; the first ones are its key.
TABLES: dict[str, tuple[str, ...]] = {
    # Months count from year 0: year * 12 + month - 1.
    "cohorts": ("cohort_month", "months_since", "customers", "cents"),
    "retention": ("month", "customers", "retained"),
    "movements": ("month", "new", "reactivation", "expansion", "contraction", "churned", "cents_at_end"),
}
Rows = Iterable[Iterable[Any]]


def write_answers(path: Path, **tables: Rows) -> None:
    """Write the three tables in the order of their keys."""
    sorted_tables = {name: sorted([int(value) for value in row] for row in rows) for name, rows in tables.items()}
    path.write_text(json.dumps(sorted_tables), encoding="utf-8")


def run_job(job: Callable[[Path], dict[str, Rows]]) -> None:
    """Run a job on the raw folder of the command line and write its answers to the file named after it."""
    raw, out = sys.argv[1:3]
    write_answers(Path(out), **job(Path(raw)))


def differences(answers: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Return one sentence per table in which two jobs do not agree."""
    found = []
    for name in TABLES:
        if answers[name] != expected[name]:
            rows = sum(a != b for a, b in zip(answers[name], expected[name], strict=False))
            found.append(f"{name}: {rows} rows differ, {len(answers[name])} against {len(expected[name])} rows")
    return found
