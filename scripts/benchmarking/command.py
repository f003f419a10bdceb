"""The command behind `make bench`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarking.chart import draw
from benchmarking.company import Company
from benchmarking.documents import CHART, write_figures
from benchmarking.limits import verdicts
from benchmarking.measuring import environment, measured_company, measured_floor, sizes_up_to, warehouse_is_set_up
from benchmarking.tables import print_sheets, sheets
from warehouse.errors import WarehouseError
from warehouse.paths import warehouse_paths

RESULTS = "results.json"


def bench(
    customers: Annotated[int, typer.Option(min=10_000, help="Customers of the largest company.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often every job runs; medians are shown.")] = 3,
    document: Annotated[bool, typer.Option(help="Rewrite the figures of docs/benchmarks.md.")] = False,
    only_report: Annotated[bool, typer.Option(help="Show the last run again, measure nothing.")] = False,
) -> None:
    """Measure the warehouse beside the yardstick and its peers."""
    # A pipe has no width of its own.
    console, progress = Console(width=None if sys.stdout.isatty() else 150), Console(stderr=True)

    def say(line: str) -> None:
        progress.print(line, style="dim", highlight=False)

    folder = warehouse_paths().root / "bench"
    results_file = folder / RESULTS
    if only_report:
        results = json.loads(results_file.read_text(encoding="utf-8"))
    else:
        if not warehouse_is_set_up():
            raise WarehouseError("bench: .venv is missing; run `make setup`")
        sizes = sizes_up_to(customers)
        results = {"environment": environment(), "rounds": rounds, "floor": measured_floor(folder, rounds, say)}
        results["companies"] = [
            measured_company(Company(size, folder / str(size)), rounds, size == sizes[-1], say) for size in sizes
        ]
        write_results(results_file, results)
    found = sheets(results)
    print_sheets(console, found)
    draw(results, folder / "benchmarks.svg")
    if document:
        draw(results, CHART)
        write_figures(results, found)
    missed = [each.name for each in verdicts(results) if each.is_kept is False]
    console.print(f"results: {results_file}", soft_wrap=True)
    if missed:
        console.print(f"limits missed: {', '.join(missed)}", soft_wrap=True)


def write_results(path: Path, results: dict[str, object]) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1), encoding="utf-8")


def main() -> None:
    """Run the command; an error for the user is one line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(bench)
    try:
        app()
    except WarehouseError as error:
        Console(stderr=True).print(f"error: {error}", soft_wrap=True, highlight=False)
        sys.exit(1)
