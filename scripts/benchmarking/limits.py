"""The limits that the warehouse has set itself, and the figures held against them."""

import math
import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """One figure, its limit (none: shown, not judged) and how both read."""

    name: str
    value: float
    limit: float | None
    unit: str
    explained: str

    @property
    def is_kept(self) -> bool | None:
        """Tell whether the limit is kept; None where there is none."""
        return None if self.limit is None else self.value <= self.limit


def verdicts(results: dict[str, Any]) -> list[Verdict]:
    """Return every figure that has a limit, from the results of one run."""
    companies, floor = results["companies"], results["floor"]
    largest = companies[-1]
    jobs = largest["jobs"]
    yardstick, build = jobs["yardstick"]["seconds"], jobs["warehouse build"]["seconds"]
    processor = jobs["warehouse build"]["cpu_seconds"] / jobs["yardstick"]["cpu_seconds"]
    limited = jobs["build under 1 GB"]
    found = [
        Verdict(
            "whole build / yardstick",
            build / yardstick,
            2.5,
            "×",
            f"{build:.1f} s / {yardstick:.1f} s; CPU {processor:.2f} ×",
        ),
        Verdict(
            "SQL of the seven marts / yardstick",
            largest["marts_sql_seconds"] / yardstick,
            1.5,
            "×",
            f"{largest['marts_sql_seconds']:.1f} s / {yardstick:.1f} s",
        ),
        Verdict("peak memory under a 1 GB limit", limited["peak_mb"] / 1000, 1.3, "GB", f"{limited['peak_mb']:.0f} MB"),
        Verdict(
            "time under a 1 GB limit / without",
            limited["seconds"] / build,
            1.25,
            "×",
            f"{limited['seconds']:.1f} s / {build:.1f} s",
        ),
        Verdict("SQL of all data tests", largest["tests_sql_seconds"], 10, "s", "sum over the tests"),
        Verdict(
            "build of the sample company", floor["build"]["seconds"], 12, "s", f"{floor['nodes']} nodes, whole command"
        ),
        Verdict(
            "build of the sample / dbt's floor",
            floor["build"]["seconds"] / floor["floor"]["seconds"],
            1.5,
            "×",
            f"{floor['build']['seconds']:.1f} s / {floor['floor']['seconds']:.1f} s",
        ),
    ]
    for before, after in pairwise(companies):
        for job, limit in (("warehouse build", 0.95), ("yardstick", None)):
            sizes = f"{before['customers']:,} to {after['customers']:,} customers"
            found.append(Verdict(f"growth of the {job}, {sizes}", exponent(before, after, job), limit, "", "exponent"))
    times = list(largest["queries_ms"].values())
    found.append(
        Verdict("queries of dashboards, median", statistics.median(times), None, "ms", f"{len(times)} queries")
    )
    found.append(
        Verdict(
            "queries of dashboards, p95",
            statistics.quantiles(times, n=20, method="inclusive")[-1],
            145,
            "ms",
            f"slowest {max(times):.0f} ms",
        )
    )
    day = largest["day"]
    found.append(
        Verdict(
            "build with a day's delivery / whole build",
            day["build_cpu_seconds"] / jobs["warehouse build"]["cpu_seconds"],
            None,
            "×",
            f"CPU seconds; {day['rows']:,} new rows, landed in {day['land_seconds']:.1f} s",
        )
    )
    return found


def exponent(before: dict[str, Any], after: dict[str, Any], job: str) -> float:
    """Return the power of the size that the time grew with."""
    seconds = after["jobs"][job]["seconds"] / before["jobs"][job]["seconds"]
    return math.log(seconds) / math.log(after["customers"] / before["customers"])
