"""`warehouse build`: dbt into a private file, the audit, the publication."""

import datetime
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from warehouse.runs.building import Outcome

_NOT_ON_SPARK = {
    "--relearn": "every build there learns the inactivity window again, unless --vars gives inactivity_days",
    "--accept-change": "no build there is compared with the published run, so there is no change to accept",
}


def build(
    target: Annotated[str | None, typer.Option(metavar="NAME", help="Target of profiles.yml to build on.")] = None,
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Look at the company at the start of this day."),
    ] = None,
    relearn: Annotated[bool, typer.Option("--relearn", help="Learn the inactivity window again.")] = False,
    variables: Annotated[
        str | None, typer.Option("--vars", metavar="YAML", help="dbt variables, like '{grace_days: 7}'.")
    ] = None,
    accept_change: Annotated[
        bool, typer.Option("--accept-change", help="Publish although marts lost many rows; recorded.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    select: Annotated[list[str] | None, typer.Option("--select", "-s", "--exclude", "--selector", hidden=True)] = None,
) -> None:
    """Build everything into a private file, audit it, and publish it.

    For example:

    warehouse build

    warehouse build --as-of 2025-01-01   (the company as it was; published with `warehouse publish RUN`)

    warehouse build --vars '{grace_days: 7, reporting_currency: EUR}'

    warehouse build --relearn   (learns the inactivity window anew)
    """
    from warehouse.building.variables import VariableError, default_target, parse_variables, targets
    from warehouse.paths import warehouse_paths
    from warehouse.runs.building import Options, build_warehouse

    if select:
        raise typer.BadParameter(
            "`warehouse build` publishes the whole, never a part; for a part: `dbt build --select …`",
            param_hint="--select",
        )
    known = targets()
    chosen = target or default_target()
    if chosen not in known:
        raise typer.BadParameter(f"no such target: one of {', '.join(known)}", param_hint="--target")
    try:
        values = parse_variables(variables, as_of.date() if as_of else None)
    except VariableError as error:
        raise typer.BadParameter(str(error), param_hint="--vars") from None
    if known[chosen] == "spark":
        for option, is_given in (("--relearn", relearn), ("--accept-change", accept_change)):
            if is_given:
                raise typer.BadParameter(f"not on Spark: {_NOT_ON_SPARK[option]}", param_hint=option)
        _build_on_spark(chosen, values, as_json)
        return
    options = Options(chosen, values, relearn, accept_change)
    try:
        outcome = build_warehouse(warehouse_paths(), options, _no_words if as_json else _say)
    except KeyboardInterrupt:
        raise _interrupted() from None
    if as_json:
        sys.stdout.write(json.dumps(_document(outcome), ensure_ascii=False, default=_json_value) + "\n")
    else:
        _show(outcome)
    if outcome.is_failed:
        raise typer.Exit(1)


def _build_on_spark(target: str, variables: dict[str, Any], as_json: bool) -> None:
    from warehouse.paths import warehouse_paths
    from warehouse.spark.build import build_on_spark

    try:
        outcome = build_on_spark(warehouse_paths(), target, variables, _no_words if as_json else _say)
    except KeyboardInterrupt:
        raise _interrupted() from None
    if as_json:
        document = {
            "run_id": outcome.run_id,
            "state": "failed" if outcome.is_failed else "published",
            "nodes": outcome.nodes,
            "seconds": {step: round(seconds, 1) for step, seconds in outcome.seconds.items()},
            "failures": outcome.failures,
            "marts": outcome.marts,
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        for line in outcome.failures:
            _console(stderr=True).print(f"failed: {line}")
    if outcome.is_failed:
        _console(stderr=True).print(
            f"error: run {outcome.run_id} failed: the published views show what they showed. Logs: {outcome.folder}"
        )
        raise typer.Exit(1)
    if not as_json:
        _say(f"published run {outcome.run_id}: {len(outcome.marts)} views in schema marts ({outcome.nodes} nodes)")


def _interrupted() -> typer.Exit:
    _console(stderr=True).print("interrupted: nothing was published, nothing published changed")
    return typer.Exit(130)


def _say(text: str) -> None:
    _console().print(text)


def _no_words(_: str) -> None:
    """Stay quiet: standard output belongs to the JSON object."""


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _json_value(value: Any) -> Any:
    return float(value) if hasattr(value, "as_tuple") else str(value)


def _document(outcome: "Outcome") -> dict[str, Any]:
    from warehouse.auditing.findings import as_rows
    from warehouse.publishing.headline import headline

    return {
        "run_id": outcome.run_id,
        "state": outcome.state,
        "reason": outcome.reason,
        "as_of": outcome.as_of,
        "inputs": {"kind": outcome.inputs.kind, "loads": outcome.inputs.described_loads()},
        "variables": outcome.variables,
        "nodes": len(outcome.dbt.executed),
        "seconds": round(outcome.seconds, 1),
        "failures": outcome.failure_sentences(),
        "audit": as_rows(outcome.findings),
        "unmapped_stages": outcome.unmapped_stages,
        "marts": {name: mart["rows"] for name, mart in outcome.version.record["marts"].items()}
        if outcome.version
        else {},
        "headline": headline(outcome.version.file) if outcome.version else {},
    }


def _show(outcome: "Outcome") -> None:
    if outcome.is_failed:
        errors = _console(stderr=True)
        for line in outcome.failure_sentences():
            errors.print(f"failed: {line}")
        errors.print(
            f"error: run {outcome.run_id} failed: nothing was published and nothing published changed. "
            f"Data and logs stay in {outcome.folder.path} until the next build"
        )
        return
    from rich.console import Console

    from warehouse.auditing.findings import ACCEPTED, NOTED
    from warehouse.auditing.run import named_stages
    from warehouse.auditing.shared_keys import SHARED_KEYS
    from warehouse.publishing.headline import headline, print_headline

    if outcome.version:
        # In a pipe there is no width to fit into.
        console = Console(width=None if sys.stdout.isatty() else 120, emoji=False, highlight=False)
        print_headline(console, headline(outcome.version.file))
    for finding in outcome.findings:
        if finding.verdict == ACCEPTED:
            _say(f"accepted: {finding.sentence()}")
    if outcome.unmapped_stages:
        stages = named_stages(outcome.unmapped_stages)
        _say(f"stages that deal_stages does not know, counted as (unmapped), neither won nor lost: {stages}")
        _say("  land those of your pipelines: docs/mapping_files.md, Stages of your pipelines")
    for finding in outcome.findings:
        if finding.check == SHARED_KEYS and finding.verdict == NOTED:
            _say(finding.details)
            _say("  if these are different ones, give the keys of one source a prefix: docs/mapping_files.md")
    _say(_ending(outcome))


def _ending(outcome: "Outcome") -> str:
    built = f"{len(outcome.dbt.executed)} nodes, {len(outcome.findings)} findings, {outcome.seconds:.0f} s"
    if outcome.state != "published":
        return f"kept, not published: {outcome.reason}"
    as_of = outcome.as_of or "no date: there is no event"
    return f"published run {outcome.run_id}, as of {as_of} ({built})"
