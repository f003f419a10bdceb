"""`warehouse publish`: an audited build that is kept, or the published marts to PostgreSQL."""

import json
import sys
from typing import Annotated

import typer


def publish(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A kept run; by default the newest unpublished one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Publish an audited build that was kept, such as a replay."""
    from warehouse.building.locks import exclusive, unwritable_message
    from warehouse.errors import WarehouseError
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.live import choose_version, publish_version

    paths = warehouse_paths()
    with exclusive(paths, "a publication"):
        try:
            version = choose_version(paths, run)
            publish_version(paths, version)
        except OSError as error:
            raise WarehouseError(unwritable_message(paths, error)) from None
    if as_json:
        sys.stdout.write(json.dumps({"run_id": version.run_id, "as_of": version.record["as_of"]}) + "\n")
    else:
        from rich.console import Console

        console = Console(soft_wrap=True, highlight=False, markup=False)
        console.print(f"published run {version.run_id}, as of {version.record['as_of']}")
