"""`warehouse quarantine`: the rows that were refused, why, and what their line says."""

import json
import sys
from typing import Annotated, Any

import typer


def quarantine(
    entity: Annotated[str | None, typer.Option(help="Only rows of this entity.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only rows with this reason.")] = None,
    load: Annotated[str | None, typer.Option(metavar="LOAD", help="Only rows of this load.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many rows.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show quarantined rows with their address, their reason and their raw line."""
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.quarantined import Wanted, quarantined_rows

    total, rows = quarantined_rows(warehouse_paths(), Wanted(entity, reason, load, limit))
    if as_json:
        sys.stdout.write(json.dumps({"rows": rows, "total": total}, ensure_ascii=False) + "\n")
        return
    _show(total, rows)


def _show(total: int, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for row in rows:
        place = f"{row['file']}:{row['line_number']}" if row["line_number"] is not None else row["file"]
        console.print(
            f"{place} (load {row['load_id']}, record {row['record_number']}) {row['entity']}: {row['reason']}"
        )
        if row["raw_line"] is not None:
            console.print(f"    {row['raw_line']}")
    if total > len(rows):
        console.print(f"{total - len(rows):,} more rows: use --limit, --entity, --reason or --load")
    elif not rows:
        console.print("no quarantined rows")
