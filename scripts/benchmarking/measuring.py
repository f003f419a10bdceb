"""Measures everything side by side: each job in a process of its own, all jobs once per round, in turn."""

import json
import math
import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarking import dbt_floor
from benchmarking.agreement import compare_marts
from benchmarking.company import PROJECT_PYTHON, WAREHOUSE, Company
from benchmarking.day import measured_day
from benchmarking.dbt_times import NodeTimes, read_times
from benchmarking.peers.answers import differences
from benchmarking.processes import Cost, run_measured

PEERS = ("duckdb", "clickhouse", "polars", "pandas")
VALUE_LIBRARIES = ("warehouse", "lifetimes")
MEMORY_LIMIT = "1GB"
SAMPLE = "sample"
Say = Callable[[str], None]


@dataclass
class Samples:
    """What one job cost in each round."""

    costs: list[Cost] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the median seconds with the fastest and slowest round, and the largest memory."""
        walls = [cost.wall_seconds for cost in self.costs]
        return {
            "seconds": statistics.median(walls),
            "fastest": min(walls),
            "slowest": max(walls),
            "cpu_seconds": statistics.median(cost.cpu_seconds for cost in self.costs),
            "peak_mb": max(cost.peak_mb for cost in self.costs),
        }


@dataclass
class Round:
    """The jobs of one company and what they have cost so far."""

    company: Company
    samples: dict[str, Samples] = field(default_factory=dict)
    node_times: list[NodeTimes] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)

    def add(self, job: str, cost: Cost) -> None:
        """Keep the cost of a job."""
        self.samples.setdefault(job, Samples()).costs.append(cost)

    def build(self) -> None:
        """Build the whole warehouse."""
        cost, target = self.company.build("build")
        self.add("warehouse build", cost)
        self.node_times.append(read_times(target))

    def yardstick(self) -> None:
        """Run the yardstick."""
        log = self.company.logs / "yardstick.txt"
        self.add(
            "yardstick", self._python("yardstick", log, str(self.company.raw), str(self.company.yardstick_file), "")
        )
        self.parts.append(json.loads(log.read_text(encoding="utf-8").splitlines()[-1]))

    def limited_build(self) -> None:
        """Build under the memory limit."""
        self.add("build under 1 GB", self.company.build("limited_build", MEMORY_LIMIT)[0])

    def limited_yardstick(self) -> None:
        """Run the yardstick under the memory limit."""
        arguments = (str(self.company.raw), str(self.company.yardstick_file), MEMORY_LIMIT)
        log = self.company.logs / "limited_yardstick.txt"
        self.add("yardstick under 1 GB", self._python("yardstick", log, *arguments))

    def peer(self, name: str) -> None:
        """Run the reduced job of one tool."""
        out = self.answers_file(name)
        log = self.company.logs / f"peer_{name}.txt"
        self.add(f"reduced job: {name}", self._python(f"peers.{name}_job", log, str(self.company.raw), str(out)))

    def value_models(self, library: str) -> None:
        """Fit the value models with one library."""
        histories = self.company.folder / "histories.parquet"
        log = self.company.logs / f"value_{library}.txt"
        if not histories.exists():
            self._python("peers.histories", log, str(self.company.raw), str(histories))
        python = str(PROJECT_PYTHON) if library == "warehouse" else sys.executable
        arguments = (library, str(histories), str(self.value_file(library)))
        self.add(f"value models: {library}", self._python("peers.value_models", log, *arguments, python=python))

    def answers_file(self, name: str) -> Path:
        """Return where a tool leaves the answers of the reduced job."""
        return self.company.folder / f"answers_{name}.json"

    def value_file(self, library: str) -> Path:
        """Return where a library leaves its parameters."""
        return self.company.folder / f"value_models_{library}.json"

    def _python(self, module: str, log: Path, *arguments: str, python: str = sys.executable) -> Cost:
        return run_measured(module, [python, "-m", f"benchmarking.{module}", *arguments], log)


def sizes_up_to(customers: int) -> list[int]:
    """Return the sizes that growth is measured over: powers of ten from 10,000 on, and the size itself."""
    powers = [10**exponent for exponent in range(4, int(math.log10(customers)) + 1)]
    return sorted({*powers, customers})


def measured_company(company: Company, rounds: int, is_largest: bool, say: Say) -> dict[str, Any]:
    """Measure one company; the peers, the memory limit and the queries only on the largest.

    Returns the figures of the company: costs per job, agreement with the yardstick, answers of the peers.
    """
    say(f"{company.customers:,} customers: generating and landing (kept for the next run)")
    company.ensure_raw()
    company.ensure_landed()
    turn = Round(company)
    jobs: list[tuple[str, Callable[[], None]]] = [("build", turn.build), ("yardstick", turn.yardstick)]
    if is_largest:
        jobs += [(f"reduced job in {name}", lambda name=name: turn.peer(name)) for name in PEERS]  # type: ignore[misc]
        jobs += [(f"value models by {name}", lambda name=name: turn.value_models(name)) for name in VALUE_LIBRARIES]  # type: ignore[misc]
        jobs += [("build under 1 GB", turn.limited_build), ("yardstick under 1 GB", turn.limited_yardstick)]
    for number in range(rounds):
        for name, job in jobs:
            say(f"{company.customers:,} customers, round {number + 1} of {rounds}: {name}")
            job()
    return _figures(turn, is_largest, say)


def _figures(turn: Round, is_largest: bool, say: Say) -> dict[str, Any]:
    company, times = turn.company, turn.node_times
    figures: dict[str, Any] = {
        "customers": company.customers,
        "jobs": {name: samples.summary() for name, samples in turn.samples.items()},
        "marts_sql_seconds": statistics.median(each.marts_sql for each in times),
        "tests_sql_seconds": statistics.median(each.tests_sql for each in times),
        "yardstick_parts": {name: statistics.median(part[name] for part in turn.parts) for name in turn.parts[-1]},
        "agreement": [
            {
                "mart": each.mart,
                "rows": each.rows,
                "values": each.values,
                "unmatched": each.unmatched,
                "differing": each.differing,
            }
            for each in compare_marts(company.yardstick_file, company.published_file)
        ],
    }
    if is_largest:
        say(f"{company.customers:,} customers: a day's delivery on top")
        figures["day"] = measured_day(company)
        say(f"{company.customers:,} customers: queries of dashboards")
        out = company.folder / "queries.json"
        arguments = ["-m", "benchmarking.bi", str(company.published_file), str(out)]
        run_measured("queries", [sys.executable, *arguments], company.logs / "queries.txt")
        figures["queries_ms"] = json.loads(out.read_text(encoding="utf-8"))
        answers = {name: json.loads(turn.answers_file(name).read_text(encoding="utf-8")) for name in PEERS}
        figures["peer_differences"] = {
            name: differences(answers[name], answers["duckdb"]) for name in PEERS if name != "duckdb"
        }
        figures["value_models"] = {
            name: json.loads(turn.value_file(name).read_text(encoding="utf-8")) for name in VALUE_LIBRARIES
        }
    return figures


def measured_floor(folder: Path, rounds: int, say: Say) -> dict[str, Any]:
    """Measure the build of the sample company beside what dbt costs for as many nodes that do nothing."""
    sample, floor = Company(0, folder / SAMPLE), folder / "dbt_floor"
    sample.warehouse.mkdir(parents=True, exist_ok=True)
    say("sample company: a build that parses the project")
    times = read_times(sample.build("first_build")[1])
    dbt_floor.prepare(floor, times.models, times.tests)
    command = [str(PROJECT_PYTHON), "-m", "benchmarking.dbt_floor", str(floor)]
    run_measured("dbt parse", [*command, "parse"], folder / "logs" / "floor.txt")
    builds, floors = Samples(), Samples()
    for number in range(rounds):
        say(f"sample company, round {number + 1} of {rounds}: build, dbt's floor")
        builds.costs.append(sample.build("build")[0])
        floors.costs.append(run_measured("dbt floor", [*command, "build"], folder / "logs" / "floor.txt"))
    return {"build": builds.summary(), "floor": floors.summary(), "nodes": times.models + times.tests}


def environment() -> dict[str, str]:
    """Return the versions that were measured, without names of machines."""
    names = ("duckdb", "chdb", "polars", "pandas", "lifetimes", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def warehouse_is_set_up() -> bool:
    """Tell whether the environment of the warehouse is there."""
    return WAREHOUSE.exists() and PROJECT_PYTHON.exists()
