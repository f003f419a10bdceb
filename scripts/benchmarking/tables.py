"""The figures of a run as tables: for the terminal and for docs/benchmarks.md."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarking.limits import verdicts

# Why a tool answers differently, where that is known.
KNOWN_DIFFERENCES = {
    "clickhouse": "it reads 2023-02-29 as 1 March, where the others see a date that does not exist",
}


@dataclass(frozen=True)
class Sheet:
    """A title, the column names and the rows, all text; the first column is left-aligned."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def sheets(results: dict[str, Any]) -> list[Sheet]:
    """Return all tables of a run."""
    largest = results["companies"][-1]
    found = [_limits(results), _growth(results), _jobs(largest), _peers(largest), _value_models(largest)]
    return [*found, _agreement(results), _queries(largest), _parts(largest)]


def _limits(results: dict[str, Any]) -> Sheet:
    rows = []
    for each in verdicts(results):
        limit = "" if each.limit is None else f"{each.limit:g} {each.unit}".strip()
        state = {True: "kept", False: "missed", None: ""}[each.is_kept]
        rows.append((each.name, f"{each.value:.2f} {each.unit}".strip(), limit, state, each.explained))
    return Sheet("Against the limits", ("figure", "measured", "limit", "", "from"), rows)


def _growth(results: dict[str, Any]) -> Sheet:
    rows = []
    for company in results["companies"]:
        jobs = company["jobs"]
        build, yardstick = jobs["warehouse build"]["seconds"], jobs["yardstick"]["seconds"]
        marts = company["marts_sql_seconds"]
        cells = (
            f"{build:.1f}",
            f"{marts:.1f}",
            f"{yardstick:.1f}",
            f"{build / yardstick:.2f}",
            f"{marts / yardstick:.2f}",
        )
        rows.append((f"{company['customers']:,}", *cells))
    names = (
        "customers",
        "whole build, s",
        "SQL of seven marts, s",
        "yardstick, s",
        "build ÷ yardstick",
        "SQL ÷ yardstick",
    )
    return Sheet("Growth", names, rows)


def _jobs(largest: dict[str, Any]) -> Sheet:
    rows = []
    for name, job in largest["jobs"].items():
        span = f"{job['fastest']:.1f}–{job['slowest']:.1f}"
        rows.append((name, f"{job['seconds']:.1f}", span, f"{job['cpu_seconds']:.1f}", f"{job['peak_mb']:.0f}"))
    title = f"Every job at {largest['customers']:,} customers"
    return Sheet(title, ("job", "median s", "range s", "CPU s", "peak MB"), rows)


def _peers(largest: dict[str, Any]) -> Sheet:
    jobs = {name: job for name, job in largest["jobs"].items() if name.startswith("reduced job: ")}
    base = jobs["reduced job: duckdb"]["seconds"]
    rows = []
    for name, job in jobs.items():
        tool = name.removeprefix("reduced job: ")
        found = largest["peer_differences"].get(tool, [])
        reason = f" ({KNOWN_DIFFERENCES[tool]})" if found and tool in KNOWN_DIFFERENCES else ""
        agreed = "the same" if not found else "; ".join(found) + reason
        rows.append((tool, f"{job['seconds']:.2f}", f"{job['seconds'] / base:.1f} ×", f"{job['peak_mb']:.0f}", agreed))
    title = "Others on the reduced job (no merges, currencies, refunds)"
    return Sheet(title, ("tool", "median s", "against DuckDB", "peak MB", "answers"), rows)


def _value_models(largest: dict[str, Any]) -> Sheet:
    rows = []
    for library, fit in largest["value_models"].items():
        values = ", ".join(f"{name} {value:.5g}" for name, value in {**fit["bg_nbd"], **fit["gamma_gamma"]}.items())
        rows.append((library, f"{fit['bg_nbd_seconds']:.2f}", f"{fit['gamma_gamma_seconds']:.2f}", values))
    return Sheet("Value models on the same histories", ("library", "BG/NBD, s", "Gamma–Gamma, s", "parameters"), rows)


def _agreement(results: dict[str, Any]) -> Sheet:
    rows = []
    for company in results["companies"]:
        for each in company["agreement"]:
            off = ", ".join(f"{name} {count}" for name, count in each["differing"].items())
            missing = f"{each['unmatched']} rows only on one side" if each["unmatched"] else ""
            state = "; ".join(part for part in (missing, off) if part) or "all agree"
            rows.append((f"{company['customers']:,}", each["mart"], f"{each['rows']:,}", f"{each['values']:,}", state))
    names = ("customers", "mart", "rows", "values compared", "yardstick and warehouse")
    return Sheet("Do the answers agree?", names, rows)


def _queries(largest: dict[str, Any]) -> Sheet:
    times = list(largest["queries_ms"].values())
    rows = [(name, f"{value:.1f}") for name, value in largest["queries_ms"].items()]
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
    rows += [("p50", f"{statistics.median(times):.1f}"), ("p95", f"{p95:.1f}")]
    return Sheet("Twenty queries on the published file", ("query", "ms"), rows)


def _parts(largest: dict[str, Any]) -> Sheet:
    rows = [(name, f"{seconds:.2f}") for name, seconds in largest["yardstick_parts"].items()]
    return Sheet("Parts of the yardstick", ("part", "s"), rows)


def print_sheets(console: Console, found: list[Sheet]) -> None:
    """Print the tables."""
    for sheet in found:
        table = Table(title=sheet.title, title_justify="left")
        for number, name in enumerate(sheet.columns):
            table.add_column(name, justify="left" if number == 0 else "right")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def as_markdown(found: list[Sheet]) -> str:
    """Return the tables as Markdown sections."""
    lines: list[str] = []
    for sheet in found:
        lines += [f"### {sheet.title}", "", "| " + " | ".join(sheet.columns) + " |"]
        lines.append("|" + "---|" * len(sheet.columns))
        lines += ["| " + " | ".join(row) + " |" for row in sheet.rows]
        lines.append("")
    return "\n".join(lines)
