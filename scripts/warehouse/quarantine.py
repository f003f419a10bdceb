"""`warehouse quarantine`: the rows that were refused, why, and what their line says."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.landing.messages import printable

if TYPE_CHECKING:
    from rich.console import Console

    from warehouse.quarantining.listing import Exported, Listed

_SHOWN_LENGTH = 500


def quarantine(
    entity: Annotated[str | None, typer.Option(help="Only rows of this entity.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows with this reason.")] = None,
    load: Annotated[str | None, typer.Option(metavar="LOAD", help="Only rows of this load.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many rows.")] = 20,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="The rows that a later load corrected, instead of the open ones.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv or FOLDER", help="Write all these rows as CSV, to be corrected and landed."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --export replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the quarantined rows that are still open, with their address, their reason and their raw line.

    For example:

    warehouse quarantine --entity orders --reason amount_not_a_number

    warehouse quarantine --entity orders --export open_orders.csv
    (correct the cells in a spreadsheet, keep the columns that start with quarantined_)

    warehouse land open_orders.csv
    (each corrected row takes the place of the refused one; unchanged rows stay in quarantine)

    warehouse quarantine --export open_rows
    (a folder with a file per entity; `warehouse land open_rows` takes them all)
    """
    from rich.console import Console

    from warehouse.arguments import check_entity
    from warehouse.paths import warehouse_paths
    from warehouse.quarantining.listing import UnknownNameError, Wanted, export_quarantined, quarantined_rows

    if force and export is None:
        raise typer.BadParameter("it belongs to --export", param_hint="--force")
    check_entity(entity)
    wanted = Wanted(entity, reason, load, limit, corrected)
    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    try:
        if export is not None:
            exported = export_quarantined(warehouse_paths(), wanted, export, force)
        else:
            listed = quarantined_rows(warehouse_paths(), wanted)
    except UnknownNameError as error:
        raise typer.BadParameter(str(error), param_hint=error.option) from None
    if export is None and as_json:
        _print_json({"rows": listed.rows, "total": listed.total, "corrected": listed.corrected})
    elif export is None:
        _show(listed, corrected, console)
    elif as_json:
        _print_json({"exported": [{"file": each.file, "entity": each.entity, "rows": each.rows} for each in exported]})
    else:
        _show_exported(exported, export, console)


def _print_json(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")


def _show(listed: "Listed", is_corrected: bool, console: "Console") -> None:
    for row in listed.rows:
        place = f"{row['file']}:{row['line_number']}" if row["line_number"] is not None else row["file"]
        by = f" (corrected by load {row['corrected_by']})" if row["corrected_by"] else ""
        console.print(
            f"{place} (load {row['load_id']}, record {row['record_number']}) {row['entity']}: {row['reason']}{by}"
        )
        if row["raw_line"] is not None:
            console.print(f"    {printable(row['raw_line'], _SHOWN_LENGTH)}")
    if listed.total > len(listed.rows):
        console.print(f"{listed.total - len(listed.rows):,} more rows: use --limit, --entity, --reason or --load")
    elif not listed.rows:
        console.print("no corrected rows" if is_corrected else "no quarantined rows")
    if listed.corrected and not is_corrected:
        console.print(f"corrected since: {listed.corrected:,} (see --corrected)")


def _show_exported(exported: "list[Exported]", target: Path, console: "Console") -> None:
    for each in exported:
        console.print(f"exported  {each.file}: {each.rows:,} row{'s'[: each.rows != 1]} of {each.entity}")
    if any(each.seed_rows for each in exported):
        console.print("rows of seeds cannot be landed: correct them in seeds/, then: warehouse build")
    elif exported:
        console.print(f"correct them there, then: warehouse land {target}")
    else:
        console.print("no quarantined rows")
