"""One build from start to end: lock, sweep, inputs, dbt, audit, compact copy, publication."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.auditing.findings import Finding, as_rows, failed, write_table
from warehouse.auditing.run import Audit, Published, audit
from warehouse.auditing.shrinkage import row_counts
from warehouse.building.dbt_run import DbtRun, run_dbt
from warehouse.building.folders import RunFolder, check_room, new_run_folder, sweep
from warehouse.building.inputs import FOLDERS, Inputs, check_seeds, freeze_inputs
from warehouse.building.kept_rows import keep_rows, take_kept_rows
from warehouse.building.progress import shown_progress
from warehouse.building.variables import with_published_window
from warehouse.errors import WarehouseError
from warehouse.failures import OUT_OF_MEMORY
from warehouse.files import digest, write_json
from warehouse.locks import exclusive
from warehouse.memory import MEMORY_LIMIT
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import compact_copy
from warehouse.publishing.live import (
    has_purchases,
    live_version,
    now_text,
    publish_version,
    published_state,
    read_mart_run,
    roll_back,
)
from warehouse.publishing.versions import (
    FILE,
    Version,
    drop_old_versions,
    keep_version,
    new_version_folder,
    next_sequence,
    read_stack,
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the user asked for. `variables` are dbt variables of the command line, already checked."""

    target: str
    variables: dict[str, Any] = field(default_factory=dict)
    relearn: bool = False
    accept_change: bool = False


@dataclass
class Outcome:
    """What became of a build. `reason` says why an audited build was not published."""

    run_id: str
    state: str
    reason: str | None
    inputs: Inputs
    variables: dict[str, Any]
    dbt: DbtRun
    findings: list[Finding]
    unmapped_stages: dict[str, int]
    as_of: datetime.date | None
    seconds: float
    folder: RunFolder
    version: Version | None = None

    @property
    def is_failed(self) -> bool:
        """Tell whether nothing could be kept."""
        return self.state == "failed"

    def failure_sentences(self) -> list[str]:
        """Return one line per failed node or, when dbt was content, per failed finding."""
        if self.dbt.failures:
            lines = [failure.sentence() for failure in self.dbt.failures]
            if self.dbt.skipped:
                lines.append(f"{self.dbt.skipped} nodes that need them were skipped")
            if any(OUT_OF_MEMORY in failure.message for failure in self.dbt.failures):
                lines.append(f"allow the build more memory: {MEMORY_LIMIT}, for instance {MEMORY_LIMIT}=4GB")
            return lines
        return [finding.sentence() for finding in failed(self.findings)]


@dataclass(frozen=True)
class _Live:
    """What was published when the build began."""

    version: Version | None
    run: dict[str, Any] | None

    def inactivity_days(self, paths: WarehousePaths, inputs: Inputs) -> int | None:
        """Return the published window, or None where keeping it would keep nothing comparable."""
        if self.run is None or self.run.get("input_kind") != inputs.kind or not has_purchases(paths.published_file):
            return None
        return self.run.get("inactivity_days")


def build_warehouse(paths: WarehousePaths, options: Options, say: Say) -> Outcome:
    """Build, audit and publish. `say` gets one line per step.

    What fails inside dbt or the audit is an Outcome with the state `failed`; what is published stays.
    Raises WarehouseError when the build could not begin or its files could not be written.
    """
    with exclusive(paths, "a build"):
        return _build(paths, options, say)


def _build(paths: WarehousePaths, options: Options, say: Say) -> Outcome:
    begun = datetime.datetime.now(datetime.UTC)
    swept = sweep(paths)
    if swept:
        say(f"swept {swept} leftovers of earlier runs")
    _heal(paths, say)
    check_seeds()
    check_room(paths)
    run = new_run_folder(paths)
    is_raw = bool(options.variables.get("raw_folders"))
    inputs = Inputs(FOLDERS) if is_raw else freeze_inputs(paths, run.path / "landing")
    say(inputs.sentence())
    live = _Live(live_version(paths), read_mart_run(paths.published_file))
    window = live.inactivity_days(paths, inputs)
    variables = with_published_window(options.variables, window, options.relearn)
    if variables.get("inactivity_days") is not None and "inactivity_days" not in options.variables:
        say(f"inactivity window: {window} days as published (--relearn learns it again)")
    settings = dict(variables)
    if inputs.folder is not None:
        settings["landing_zone"] = str(run.stable / inputs.folder.name)
        settings["keeps_rows"] = True
        reuse = take_kept_rows(paths, run, inputs, variables)
        if reuse is not None:
            say(reuse.sentence())
    with shown_progress() as on_event:
        dbt = run_dbt(paths, run, options.target, settings, inputs, on_event)
    row = read_mart_run(run.marts_file)
    findings, unmapped = _audited(run, dbt, inputs, live, options, row)
    outcome = Outcome(
        # Readers see the id in mart_run: it is the id of the run everywhere else too.
        run_id=row["run_id"] if row else run.run_id,
        state="failed" if not dbt.is_successful or failed(findings) else "audited",
        reason=None,
        inputs=inputs,
        variables=variables,
        dbt=dbt,
        findings=findings,
        unmapped_stages=unmapped,
        as_of=row["as_of"] if row else None,
        seconds=0.0,
        folder=run,
    )
    record = _record(outcome, options, begun, row)
    write_json(run.path / "run.json", record)
    if not outcome.is_failed and row is not None:
        say("audited; keeping a compact copy of the marts")
        outcome.version = _keep(paths, outcome, record)
        _publish(paths, outcome, live, options, row)
        _keep_for_the_next_build(paths, outcome, say)
    outcome.seconds = (datetime.datetime.now(datetime.UTC) - begun).total_seconds()
    return outcome


def _keep_for_the_next_build(paths: WarehousePaths, outcome: Outcome, say: Say) -> None:
    """Keep what the next build can reuse. Where that fails or is interrupted, what is published is published."""
    try:
        keep_rows(paths, outcome.folder, outcome.inputs, outcome.variables)
        outcome.folder.drop_data()
    except (OSError, KeyboardInterrupt):
        say("the typed rows could not be kept: the next build types all of them again")


def _heal(paths: WarehousePaths, say: Say) -> None:
    """Bring back a whole version when the published file was damaged by something else."""
    if published_state(paths) != "damaged":
        return
    try:
        version = roll_back(paths, is_damaged=True)
    except WarehouseError:
        say("the published file is damaged and no whole version is kept: this build replaces it")
    else:
        say(f"the published file was damaged: run {version.run_id} was published again from its kept version")


def _audited(
    run: RunFolder, dbt: DbtRun, inputs: Inputs, live: _Live, options: Options, row: dict[str, Any] | None
) -> tuple[list[Finding], dict[str, int]]:
    if not dbt.is_successful:
        return [], {}
    rows = row_counts(live.version.record["marts"]) if live.version else None
    published = Published(rows, _why_not_compared(live, row, options), erased_since(live.version, inputs))
    found: Audit = audit(run, dbt, inputs, published, options.accept_change)
    write_table(found.findings, run.path / "audit.parquet")
    return found.findings, found.unmapped_stages


def erased_since(published: Version | None, inputs: Inputs) -> int:
    """Return the number of landed rows that erasures took out since the published version was built."""
    known = published.record.get("erasures", []) if published else []
    return sum(rows for name, rows in inputs.erasures.items() if name not in known)


def _why_not_compared(live: _Live, row: dict[str, Any] | None, options: Options) -> str | None:
    if row is None or live.run is None:
        return None
    if live.run.get("input_kind") != row.get("input_kind"):
        before, now = live.run.get("input_kind"), row.get("input_kind")
        return f"the published run was built from the {before}, this one from the {now}"
    if is_replay(live.run, row, options.variables):
        return f"a replay as of {row['as_of']}: not compared with the published {live.run['as_of']}"
    return None


def is_replay(
    published: Mapping[str, Any] | None, built: Mapping[str, Any] | None, variables: Mapping[str, Any]
) -> bool:
    """Tell whether a build was asked to look at the company from an earlier day than the published one.

    published, built: their rows of mart_run. An earlier day that nobody asked for is that of the latest event, as when
    the sample gives way to a company of one's own.
    """
    if published is None or built is None or variables.get("as_of") is None:
        return False
    if published.get("input_kind") != built.get("input_kind") or None in (published["as_of"], built["as_of"]):
        return False
    return bool(built["as_of"] < published["as_of"])


def _record(outcome: Outcome, options: Options, begun: datetime.datetime, row: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "run_id": outcome.run_id,
        "folder": outcome.folder.path.name,
        "state": outcome.state,
        "begun_at": begun.strftime("%Y-%m-%d %H:%M:%S"),
        "target": options.target,
        "as_of": str(row["as_of"]) if row and row["as_of"] else None,
        "inactivity_days": row["inactivity_days"] if row else None,
        "variables": outcome.variables,
        "accepted_change": options.accept_change,
        "input_kind": outcome.inputs.kind,
        "loads": outcome.inputs.described_loads(),
        "erasures": sorted(outcome.inputs.erasures),
        "nodes": len(outcome.dbt.executed),
        "unmapped_stages": outcome.unmapped_stages,
        "failures": outcome.failure_sentences(),
    }


def _keep(paths: WarehousePaths, outcome: Outcome, record: dict[str, Any]) -> Version:
    prepared = new_version_folder(paths, outcome.run_id)
    file = prepared / FILE
    marts = compact_copy(outcome.folder.marts_file, file)
    complete = {
        **record,
        "sequence": next_sequence(paths),
        "audited_at": now_text(),
        "bytes": file.stat().st_size,
        "sha256": digest(file),
        "marts": marts,
        "keys": outcome.dbt.keys(),
    }
    file.chmod(0o444)
    return keep_version(paths, prepared, outcome.run_id, complete, as_rows(outcome.findings))


def _publish(paths: WarehousePaths, outcome: Outcome, live: _Live, options: Options, row: dict[str, Any]) -> None:
    version = outcome.version
    if version is None:
        return
    if live.run is not None and is_replay(live.run, row, options.variables):
        outcome.reason = (
            f"a replay: its as_of {outcome.as_of} is before the published {live.run['as_of']}; "
            f"publish it with `warehouse publish {version.run_id}`"
        )
    else:
        publish_version(paths, version, options.accept_change)
        outcome.state = "published"
    current = live_version(paths)
    drop_old_versions(paths, read_stack(paths, current.run_id if current else None))
