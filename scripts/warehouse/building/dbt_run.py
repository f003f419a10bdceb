"""Runs dbt inside this process, quietly, and reads what it says about itself from the files it wrote."""

import hashlib
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.building.folders import RunFolder
from warehouse.building.inputs import SEEDS, Inputs
from warehouse.errors import WarehouseError
from warehouse.failures import described_failure
from warehouse.files import PARTIAL, read_json
from warehouse.memory import MEMORY_LIMIT, limit_of_engine, memory_limit, threads_of
from warehouse.paths import PROJECT_DIR, WarehousePaths

PASSED = ("success", "pass")
_KEPT_PARSES = 4
_PARSE = "partial_parse.msgpack"
# The event of dbt that ends the reading of the project.
_HAS_READ = "FoundStats"
_READINGS = 3
_CLOCK_TOLERANCE_SECONDS = 0.5
# Their schema: the folder of the user's own seeds may lie anywhere and have no subfolders.
_RAW_SCHEMA = "raw"
# What selects the seeds of raw entities, which hold the sample company or one of the user's own.
RAW_SEEDS = f"resource_type:seed,config.schema:{_RAW_SCHEMA}"
# Variables that the SQL of the models alone reads (macro run_setting). Those of --vars make dbt read the project again.
_RUN_SETTINGS = ("as_of", "inactivity_days")
# What a build executes; exposures and the like are listed among the results but do nothing.
_EXECUTED = ("model", "seed", "snapshot", "test", "operation")


@dataclass(frozen=True)
class Failure:
    """One failed node: its name, what happened without cell contents, failing rows and the compiled SQL."""

    node: str
    kind: str
    message: str
    failing_rows: int | None
    compiled_file: str | None

    def sentence(self) -> str:
        """Return the failure as one line for the user."""
        rows = (
            "" if self.failing_rows is None else f", {self.failing_rows:,} failing row{'s'[: self.failing_rows != 1]}"
        )
        where = f"; see {self.compiled_file}" if self.compiled_file else ""
        return f"{self.kind} {self.node}: {self.message}{rows}{where}"


@dataclass(frozen=True)
class DbtRun:
    """What one dbt invocation did, from its own artefacts.

    `expected` are the nodes of this build by the manifest, `executed` is the status of each that ran.
    """

    is_successful: bool
    invocation_id: str
    seconds: float
    expected: frozenset[str]
    left_out: tuple[str, ...]
    executed: dict[str, str]
    failures: tuple[Failure, ...]
    skipped: int
    manifest: dict[str, Any] = field(repr=False)
    results: dict[str, Any] = field(repr=False)

    def marts(self) -> dict[str, dict[str, Any]]:
        """Return the public marts of the manifest by table name."""
        return {
            node["alias"]: node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "model" and node["schema"] == "marts"
        }

    def held_back_marts(self) -> frozenset[str]:
        """Return the marts that the project leaves empty, because they would hold personal data nobody allowed."""
        return frozenset(
            name for name, node in self.marts().items() if node["config"].get("meta", {}).get("is_held_back")
        )

    def keys(self) -> dict[str, list[str]]:
        """Return the columns of the primary key, or else of the tested grain, of every mart that states one."""
        tested = {
            node["attached_node"]: node["test_metadata"]["kwargs"]["columns"]
            for node in self.manifest["nodes"].values()
            if (node.get("test_metadata") or {}).get("name") == "unique_grain"
        }
        found = {}
        for name, node in self.marts().items():
            stated = [each["columns"] for each in node.get("constraints") or [] if each["type"] == "primary_key"]
            columns = stated[0] if stated else tested.get(node["unique_id"])
            if columns:
                found[name] = list(columns)
        return found


class _Invocation:
    """What the events of one dbt invocation tell: its id, and how the clock of the day went while dbt read.

    dbt resolves the references, docs and macros of what it read since it began, by that clock. When it is put back
    meanwhile, nodes look older than the run and stay half read, now and in every run that takes over the parse.
    """

    def __init__(self, on_event: Callable[[Any], None]) -> None:
        self.invocation_id = ""
        self._on_event = on_event
        self._begun = _clock_of_the_day()
        self._read: float | None = None

    def listen(self, event: Any) -> None:
        self.invocation_id = self.invocation_id or event.info.invocation_id
        if event.info.name == _HAS_READ and self._read is None:
            self._read = _clock_of_the_day()
        self._on_event(event)

    def clock_was_put_back(self) -> bool:
        read = _clock_of_the_day() if self._read is None else self._read
        return self._begun - read > _CLOCK_TOLERANCE_SECONDS


def _clock_of_the_day() -> float:
    """Return how far the clock of the day is ahead of the one that nobody sets, in seconds."""
    return time.time() - time.monotonic()


def run_dbt(
    paths: WarehousePaths,
    run: RunFolder,
    target: str,
    variables: Mapping[str, Any],
    inputs: Inputs,
    on_event: Callable[[Any], None],
) -> DbtRun:
    """Build everything into the private folder of the run; the seeds of raw entities only where they are the inputs.

    Raises WarehouseError when dbt stops before it could run any node, as for a project that does not parse, and
    KeyboardInterrupt when it was interrupted.
    """
    from dbt.cli.main import dbtRunner

    run_settings = {name: value for name, value in variables.items() if name in _RUN_SETTINGS}
    variables = {name: value for name, value in variables.items() if name not in _RUN_SETTINGS}
    arguments = [
        "build",
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        *("--target", target, "--target-path", str(run.target), "--log-path", str(run.logs)),
        *("--vars", json.dumps(variables, default=str)),
        *("--log-level", "none", "--log-level-file", "info", "--no-print", "--no-version-check"),
        # Unit tests are about the code with the variables as they are by default, not about a delivery.
        *("--exclude-resource-type", "unit_test"),
        *threads_of(memory_limit(), inputs.rows),
    ]
    is_landed = inputs.kind != SEEDS
    if is_landed:
        arguments += ["--exclude", RAW_SEEDS]
    # A log that cannot be written is no reason to print where in the code it could not.
    logging.raiseExceptions = False
    cached = paths.root / "cache" / f"{_parse_key(target, variables)}.msgpack"
    _take_parse(cached, run.target)
    for _ in range(_READINGS):
        invocation = _Invocation(on_event)
        with _environment(run, run_settings):
            outcome = dbtRunner(callbacks=[invocation.listen]).invoke(arguments)
            _close_engine()
        # dbt hands back what it caught, also a Ctrl-C.
        if isinstance(outcome.exception, KeyboardInterrupt):
            raise outcome.exception
        if not invocation.clock_was_put_back():
            break
        (run.target / _PARSE).unlink(missing_ok=True)
    _keep_parse(run.target, cached)
    manifest, results = read_json(run.target / "manifest.json"), read_json(run.target / "run_results.json")
    if manifest is None or results is None:
        raise WarehouseError(f"dbt could not start: {described_failure(outcome.exception)}; see {run.logs / 'dbt.log'}")
    return _read_run(manifest, results, invocation.invocation_id, is_landed)


def _read_run(manifest: dict[str, Any], results: dict[str, Any], invocation_id: str, is_landed: bool) -> DbtRun:
    rows = [row for row in results["results"] if row["unique_id"].split(".")[0] in _EXECUTED]
    expected, left_out = expected_nodes(manifest, is_landed)
    statuses = {row["unique_id"]: str(row["status"]) for row in rows}
    failures = tuple(_failure(row, manifest) for row in rows if row["status"] not in (*PASSED, "skipped", "warn"))
    return DbtRun(
        is_successful=not failures and bool(rows),
        invocation_id=invocation_id,
        seconds=float(results.get("elapsed_time", 0.0)),
        expected=expected,
        left_out=left_out,
        executed=statuses,
        failures=failures,
        skipped=sum(1 for status in statuses.values() if status == "skipped"),
        manifest=manifest,
        results=results,
    )


def expected_nodes(manifest: dict[str, Any], is_landed: bool) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the ids of all nodes of a whole build, and the tests that go with the raw seeds."""
    excluded = {
        name
        for name, node in manifest["nodes"].items()
        if is_landed and node["resource_type"] == "seed" and node["config"]["schema"] == _RAW_SCHEMA
    }
    expected, left_out = set(), []
    for name, node in manifest["nodes"].items():
        kind = node["resource_type"]
        if kind not in _EXECUTED or name in excluded:
            continue
        if kind == "model" and node["config"]["materialized"] == "ephemeral":
            continue
        if kind == "test" and excluded.intersection(node["depends_on"]["nodes"]):
            left_out.append(name)
            continue
        expected.add(name)
    return frozenset(expected), tuple(sorted(left_out))


def _failure(row: dict[str, Any], manifest: dict[str, Any]) -> Failure:
    node = manifest["nodes"].get(row["unique_id"], {})
    kind = str(node.get("resource_type", "node"))
    is_data_test = node.get("resource_type") == "test" and row["status"] == "fail"
    compiled = node.get("compiled_path")
    return Failure(
        node=str(node.get("name", row["unique_id"])),
        kind=kind,
        message="failed" if is_data_test else described_failure(row.get("message")),
        failing_rows=row.get("failures") if is_data_test else None,
        compiled_file=str(PROJECT_DIR / compiled) if compiled else None,
    )


@contextmanager
def _environment(run: RunFolder, run_settings: Mapping[str, Any]) -> Iterator[None]:
    before = dict(os.environ)
    wanted = dbt_environment(before, run.run_id, run_settings)
    wanted[MEMORY_LIMIT] = limit_of_engine(memory_limit())
    wanted["WAREHOUSE_BUILD_DIR"] = str(run.stable)
    try:
        os.environ.clear()
        os.environ.update(wanted)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def dbt_environment(given: Mapping[str, str], run_id: str, run_settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment in which dbt builds the whole project as one run.

    It is the given one, with the names that the project reads and without the settings of dbt that make a build a
    partial one. `run_settings` are the variables that the SQL of the models alone reads (macro run_setting).
    """
    kept = {name: value for name, value in given.items() if not name.startswith("DBT_") or name.startswith("DBT_ENV_")}
    return {
        **kept,
        "WAREHOUSE_RUN_ID": run_id,
        "WAREHOUSE_RUN_SETTINGS": json.dumps(dict(run_settings), default=str),
        "WAREHOUSE_GIT_REVISION": git_revision(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def git_revision() -> str:
    """Return the revision of the code, marked when the working tree differs; `unknown` outside git."""
    command = ["git", "-C", str(PROJECT_DIR), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip() or "unknown"


def _close_engine() -> None:
    """Let go of the databases: dbt keeps its connection for a next invocation in the same process."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    engine = DuckDBConnectionManager._ENV
    if engine is not None:
        engine.close()
        DuckDBConnectionManager._ENV = None


# ---------------------------------------------------------------- the parse of the project, kept between runs


def _parse_key(target: str, variables: Mapping[str, Any]) -> str:
    text = json.dumps([target, dict(variables)], sort_keys=True, default=str)
    return "parse-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _take_parse(cached: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if cached.exists():
        shutil.copyfile(cached, target / _PARSE)


def _keep_parse(target: Path, cached: Path) -> None:
    parsed = target / _PARSE
    if not parsed.exists():
        return
    cached.parent.mkdir(exist_ok=True)
    partial = cached.with_name(f".{cached.name}{PARTIAL}")
    shutil.copyfile(parsed, partial)
    partial.replace(cached)
    parsed.unlink()
    parses = sorted(cached.parent.glob("parse-*.msgpack"), key=lambda path: path.stat().st_mtime_ns)
    for path in parses[:-_KEPT_PARSES]:
        path.unlink()
