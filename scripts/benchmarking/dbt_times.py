"""How long the nodes of a dbt run executed, from its run_results.json and manifest.json."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarking.yardstick import MARTS


@dataclass(frozen=True)
class NodeTimes:
    """Seconds of one dbt run.

    marts_sql: how long at least one SQL model that the seven headline marts need was executing (their own included,
    the Python value models not): overlaps count once, what dbt does between nodes does not count.
    tests_sql: the sum over all data tests, as if they ran one after another.
    models, tests: how many ran, seeds among the models.
    """

    marts_sql: float
    tests_sql: float
    models: int
    tests: int


def covered_seconds(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of intervals."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def upstream(nodes: dict[str, Any], names: Iterable[str]) -> set[str]:
    """Return the ids of the models with these names and of everything that they read."""
    found: set[str] = set()
    open_ids = [unique_id for unique_id, node in nodes.items() if node["name"] in set(names)]
    while open_ids:
        unique_id = open_ids.pop()
        if unique_id not in found and unique_id in nodes:
            found.add(unique_id)
            open_ids.extend(nodes[unique_id]["depends_on"]["nodes"])
    return found


def read_times(target: Path) -> NodeTimes:
    """Read the artefacts in a target folder."""
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    models = {unique_id: node for unique_id, node in nodes.items() if node["resource_type"] == "model"}
    needed = {unique_id for unique_id in upstream(models, MARTS) if models[unique_id]["language"] == "sql"}
    executed = {row["unique_id"]: _interval(row) for row in results}
    tests = [span for unique_id, span in executed.items() if unique_id.startswith("test.") and span]
    return NodeTimes(
        marts_sql=covered_seconds(span for unique_id, span in executed.items() if unique_id in needed and span),
        tests_sql=sum(end - start for start, end in tests),
        models=sum(unique_id.startswith(("model.", "seed.")) for unique_id in executed),
        tests=len(tests),
    )


def _interval(row: dict[str, Any]) -> tuple[float, float] | None:
    for timing in row["timing"]:
        if timing["name"] == "execute":
            started, completed = timing["started_at"], timing["completed_at"]
            return _seconds(started), _seconds(completed)
    return None


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
