"""`warehouse status`: what is published, since when, from which inputs."""

import json
import sys
from typing import Annotated, Any

import typer


def status(
    audit: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Show the audit findings of a kept run (`live` for the published one)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what is published, since when, from which inputs, and which versions are kept.

    For example:

    warehouse status

    warehouse status --audit live   (what the audit found in the published run)
    """
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.status import status_document

    paths = warehouse_paths()
    if audit is not None:
        _show_audit(audit, as_json)
        return
    document = status_document(paths)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        _show(document)
    if document["state"] == "damaged":
        raise typer.Exit(1)


def _show(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    if document["state"] == "nothing":
        console.print(f"nothing is published at {document['file']}: run `warehouse build`")
        return
    if document["state"] == "damaged":
        console.print(f"DAMAGED: the published file {document['file']}; run `warehouse rollback` or `warehouse build`")
    run = document["run"] or {}
    since = document["published_at"] or "unknown"
    back = " (rolled back to)" if document["is_rolled_back"] else ""
    console.print(f"live: run {run.get('run_id', 'unknown')}{back}, published {since} UTC, as of {run.get('as_of')}")
    console.print(f"file: {document['file']}")
    loads = run.get("loads")
    if isinstance(loads, list):
        named = sorted({load["load_id"] for load in loads})
        rows = sum(load["rows_in"] for load in loads)
        console.print(
            f"inputs: {run['input_kind']}" + (f", {rows:,} rows of loads {', '.join(named)}" if named else "")
        )
        counts = ", ".join(f"{name} {rows:,}" for name, rows in run["marts"].items())
        console.print(f"rows: {counts}")
    if document["versions"]:
        table = Table("run", "as of", "audited (UTC)", "inputs", "size", "state")
        for version in document["versions"]:
            state = (
                "live" if version["is_live"] else "published before" if version["was_published"] else "not published"
            )
            size = f"{version['bytes'] / 1e6:,.1f} MB"
            table.add_row(
                version["run_id"],
                str(version["as_of"]),
                version["audited_at"],
                version["input_kind"],
                size,
                state,
            )
        Console(width=None if sys.stdout.isatty() else 160).print(table)


def _show_audit(run_id: str, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from warehouse.errors import WarehouseError
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.live import live_version
    from warehouse.publishing.status import findings_of
    from warehouse.publishing.versions import kept_versions

    paths = warehouse_paths()
    version = live_version(paths) if run_id == "live" else kept_versions(paths).get(run_id)
    if version is None:
        raise WarehouseError(f"no kept run {run_id}: `warehouse status` lists the kept ones")
    findings = findings_of(version)
    if as_json:
        sys.stdout.write(json.dumps({"run_id": version.run_id, "audit": findings}, ensure_ascii=False) + "\n")
        return
    table = Table("check", "subject", "verdict", "details")
    for finding in findings:
        table.add_row(*(Text(finding[name]) for name in ("check", "subject", "verdict", "details")))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
