"""Whether dbt really did, in this run, all that the project consists of."""

from typing import Any

from warehouse.auditing.findings import FAILED, NOTED, PASSED, Finding
from warehouse.building.dbt_run import PASSED as GOOD
from warehouse.building.dbt_run import DbtRun

_SHOWN = 5
_ENDED_WELL = "no failures and warnings"


def check_dbt_result(dbt: DbtRun) -> list[Finding]:
    """Return findings on dbt's artefacts: from this run, complete, without failures and warnings."""
    return [_from_this_run(dbt), _complete(dbt), *_statuses(dbt)]


def _from_this_run(dbt: DbtRun) -> Finding:
    named = {dbt.results["metadata"]["invocation_id"], dbt.manifest["metadata"]["invocation_id"]}
    if named == {dbt.invocation_id} and dbt.invocation_id:
        return Finding("result of this run", "run_results.json", PASSED, f"invocation {dbt.invocation_id}")
    return Finding(
        "result of this run",
        "run_results.json",
        FAILED,
        "the results on disk are those of another invocation",
    )


def _complete(dbt: DbtRun) -> Finding:
    missing, surplus = dbt.expected - dbt.executed.keys(), dbt.executed.keys() - dbt.expected
    if not dbt.expected:
        return Finding("all nodes ran", "manifest.json", FAILED, "the project has no nodes")
    if missing or surplus:
        return Finding(
            "all nodes ran",
            "manifest.json",
            FAILED,
            f"{len(missing)} of {len(dbt.expected)} nodes did not run{_names(missing)}, "
            f"{len(surplus)} ran that the project does not have{_names(surplus)}",
        )
    left_out = f"; {len(dbt.left_out)} tests of seeds do not apply to a landing zone" if dbt.left_out else ""
    return Finding("all nodes ran", "manifest.json", PASSED, f"{len(dbt.expected)} nodes{left_out}")


def _statuses(dbt: DbtRun) -> list[Finding]:
    findings = []
    nodes: dict[str, Any] = dbt.manifest["nodes"]
    others = {name: status for name, status in dbt.executed.items() if status not in GOOD}
    allowed = 0
    for name, status in sorted(others.items()):
        node = nodes.get(name, {})
        reason = (node.get("config") or {}).get("meta", {}).get("allowed_warning")
        if status == "warn" and reason:
            findings.append(Finding(_ENDED_WELL, name, NOTED, f"allowed: {reason}"))
            allowed += 1
        else:
            findings.append(Finding(_ENDED_WELL, name, FAILED, f"ended as {status}"))
    if allowed == len(others):
        warned = f", {allowed} with an allowed warning" if allowed else ""
        details = f"{len(dbt.executed)} nodes passed{warned}"
        findings.append(Finding(_ENDED_WELL, "run_results.json", PASSED, details))
    return findings


def _names(names: Any) -> str:
    shown = sorted(names)[:_SHOWN]
    more = ", …" if len(names) > _SHOWN else ""
    return f" ({', '.join(shown)}{more})" if shown else ""
