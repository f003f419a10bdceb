"""`warehouse rollback`: one step back, in under a second."""

import json
import sys
from typing import Annotated

import typer


def rollback(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Publish the version that was live before. A damaged published file is replaced by its kept version.

    For example:

    warehouse rollback
    """
    from warehouse.locks import exclusive
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.live import roll_back

    paths = warehouse_paths()
    with exclusive(paths, "a rollback"):
        version = roll_back(paths)
    if as_json:
        sys.stdout.write(json.dumps({"run_id": version.run_id, "as_of": version.record["as_of"]}) + "\n")
    else:
        from rich.console import Console

        console = Console(soft_wrap=True, highlight=False, markup=False)
        console.print(f"published again: run {version.run_id}, as of {version.record['as_of']}")
