"""Writes the figures of a run into docs/benchmarks.md, between the two marks."""

import os
from pathlib import Path
from typing import Any

from benchmarking.tables import Sheet, as_markdown
from warehouse.errors import WarehouseError
from warehouse.paths import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "benchmarks.md"
CHART = PROJECT_DIR / "docs" / "benchmarks.svg"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def with_figures(page: str, results: dict[str, Any], found: list[Sheet]) -> str:
    """Return the page with its figures replaced.

    Raises WarehouseError when the marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise WarehouseError(f"bench: {PAGE.name} has lost its marks {BEGIN} and {END}; put them back")
    versions = ", ".join(f"{name} {number}" for name, number in results["environment"].items())
    rounds, cores = _counted(results["rounds"], "round"), _counted(os.cpu_count() or 1, "core")
    summary = f"{rounds}, in turn, on {cores}; {versions}."
    chart = f"![Seconds by size and by tool]({CHART.name})"
    return f"{before}{BEGIN}\n{summary}\n\n{chart}\n\n{as_markdown(found)}\n{END}{after}"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def write_figures(results: dict[str, Any], found: list[Sheet], page: Path = PAGE) -> None:
    """Rewrite the page."""
    page.write_text(with_figures(page.read_text(encoding="utf-8"), results, found), encoding="utf-8")
