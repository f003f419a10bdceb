"""A whole build on Spark: dbt, the value models, dbt again, and publication when every test passed."""

import datetime
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.building.dbt_run import RAW_SEEDS, dbt_environment
from warehouse.building.folders import sweep
from warehouse.building.inputs import LANDED, freeze_inputs
from warehouse.errors import WarehouseError
from warehouse.failures import described_failure
from warehouse.files import read_json, remove
from warehouse.locks import exclusive
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.spark.thrift_server import thrift_server
from warehouse.spark.value_model_step import write_value_models
from warehouse.spark.views import drop_run, kept_runs, publish_run, published_run

# Runs whose schemas stay when a build begins: the last two, and the published one in any case.
KEPT_RUNS = 2
# The two runs of dbt, by what they select: everything that needs no value model, then the rest.
VALUE_MODELS = "tag:value_models+"
HALVES = ("before_value_models", "after_value_models")
# Spark takes them in a path for the marks of a pattern, and would read the folders of others.
_MARKS_OF_PATTERNS = "*?[]{}\\"
# Of nodes after a failure, and of exposures.
_NOT_RUN = ("skipped", "no-op")


@dataclass
class SparkOutcome:
    """What became of a build. `failures` are one line per failed node; `seconds` holds the time of each step."""

    run_id: str
    folder: Path
    failures: list[str] = field(default_factory=list)
    nodes: int = 0
    marts: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_failed(self) -> bool:
        """Tell whether the published views were left as they were."""
        return bool(self.failures)


def build_on_spark(
    paths: WarehousePaths, target: str, variables: Mapping[str, Any], say: Callable[[str], None], is_tested: bool = True
) -> SparkOutcome:
    """Build every model into schemas of a new run, and let the published views show the run when all tests passed.

    Reads the landing zone, as it is when the build begins, where anything was landed, else the seeds, unless
    `variables` name raw folders. Without `is_tested` no data test runs. Raises WarehouseError when the cluster cannot
    be reached or the build not begin, and when it was interrupted while the views were replaced.
    """
    if any(mark in str(paths.root) for mark in _MARKS_OF_PATTERNS):
        raise WarehouseError(
            f"Spark takes the path {paths.root} for a pattern: set WAREHOUSE_DIR to a folder without it"
        )
    with exclusive(paths, "a build"):
        sweep(paths)
        run_id = f"run_{datetime.datetime.now(datetime.UTC):%Y%m%d_%H%M%S}_{secrets.token_hex(3)}"
        outcome = SparkOutcome(run_id, paths.builds / run_id)
        settings = dict(variables)
        frozen = outcome.folder / "landing"
        try:
            if not settings.get("raw_folders") and freeze_inputs(paths, frozen).kind == LANDED:
                settings["landing_zone"] = str(frozen)
            _build(outcome, target, settings, say, is_tested)
        finally:
            # On Spark every model is a table: nothing reads the links any more.
            remove(frozen)
        return outcome


def _build(
    outcome: SparkOutcome, target: str, settings: Mapping[str, Any], say: Callable[[str], None], is_tested: bool
) -> None:
    with thrift_server() as server:
        published = published_run(server)
        for run in kept_runs(server)[:-KEPT_RUNS]:
            if run != published:
                drop_run(server, run)
    for half in HALVES:
        begun = time.monotonic()
        _build_half(outcome, half, target, settings, is_tested)
        outcome.seconds[half] = time.monotonic() - begun
        say(f"{half}: {outcome.nodes} nodes so far, {outcome.seconds[half]:.0f} s")
        if outcome.is_failed:
            return
        if half == "before_value_models":
            begun = time.monotonic()
            with thrift_server() as server:
                rows = write_value_models(server, outcome.run_id)
            outcome.seconds["value_models"] = time.monotonic() - begun
            say("value models: " + ", ".join(f"{count} {name}" for name, count in rows.items()))
    try:
        with thrift_server() as server:
            outcome.marts = publish_run(server, outcome.run_id)
    except KeyboardInterrupt:
        raise WarehouseError(
            "interrupted while the published views were replaced: some may show the new run already; build again"
        ) from None


def _build_half(outcome: SparkOutcome, half: str, target: str, variables: Mapping[str, Any], is_tested: bool) -> None:
    folder = outcome.folder / half
    folder.mkdir(parents=True, exist_ok=True)
    # No --fail-fast: to cancel what still runs, dbt speaks on connections that its other threads listen on. Two threads
    # that read from one Thrift socket take each other's bytes, and may wait for ever.
    arguments = [
        str(Path(sys.executable).parent / "dbt"),
        "build",
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR), "--target", target),
        *("--target-path", str(folder / "target"), "--log-path", str(folder)),
        *("--vars", json.dumps(dict(variables), default=str)),
        *("--quiet", "--warn-error", "--no-version-check"),
        *("--exclude-resource-type", "unit_test"),
        *(() if is_tested else ("--exclude-resource-type", "test")),
    ]
    left_out = []
    if half == "before_value_models":
        left_out.append(VALUE_MODELS)
    else:
        arguments += ["--select", VALUE_MODELS]
        # The same project under the same settings: read once.
        arguments += ["--partial-parse-file-path", str(outcome.folder / HALVES[0] / "target" / "partial_parse.msgpack")]
    if variables.get("landing_zone") or variables.get("raw_folders"):
        left_out.append(RAW_SEEDS)
    if left_out:
        arguments += ["--exclude", *left_out]
    finished = subprocess.run(  # noqa: S603
        arguments,
        env={**dbt_environment(os.environ, outcome.run_id, {}), "WAREHOUSE_SPARK_SCHEMA": outcome.run_id},
        capture_output=True,
        text=True,
        check=False,
    )
    results = read_json(folder / "target" / "run_results.json")
    if results is None:
        raise WarehouseError(f"dbt could not start: {described_failure(finished.stdout)}; see {folder / 'dbt.log'}")
    for row in results["results"]:
        outcome.nodes += row["status"] not in _NOT_RUN
        if row["status"] not in ("success", "pass", *_NOT_RUN):
            outcome.failures.append(f"{row['unique_id']}: {described_failure(row['message'])}")
    if finished.returncode and not outcome.failures:
        outcome.failures.append(f"dbt stopped with status {finished.returncode}; see {folder / 'dbt.log'}")
