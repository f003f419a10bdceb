"""The command line `warehouse`: one module per command, registered here."""

import json
import os
import sys
import traceback
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from warehouse.build import build
from warehouse.erase import erase
from warehouse.errors import WarehouseError
from warehouse.generate import generate
from warehouse.land import land
from warehouse.paths import warehouse_paths
from warehouse.publish import publish
from warehouse.quarantine import quarantine
from warehouse.rollback import rollback
from warehouse.status import status
from warehouse.unforeseen import note_unforeseen

SHOW_TRACEBACK = "WAREHOUSE_SHOW_TRACEBACK"

app = typer.Typer(
    name="warehouse",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"warehouse {version('warehouse')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Land raw exports, build, audit and publish the retention analytics warehouse."""


app.command()(build)
app.command()(erase)
app.command()(generate)
app.command()(land)
app.command()(publish)
app.command()(quarantine)
app.command()(rollback)
app.command()(status)


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    try:
        app()
    except WarehouseError as error:
        _fail(str(error))
    except Exception as error:
        # The text of an error that nobody foresaw may quote cells: only its kind and place are shown.
        if os.environ.get(SHOW_TRACEBACK):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        noted = note_unforeseen(warehouse_paths(), error)
        report = f"please report it with {noted}, which quotes nothing" if noted else "please report it"
        _fail(
            f"unforeseen {type(error).__name__} in {place.name}, line {place.lineno}: {report}; "
            f"{SHOW_TRACEBACK}=1 shows what it says, too, and may quote your data"
        )


def _fail(message: str) -> NoReturn:
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps({"error": message}, ensure_ascii=False) + "\n")
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"error: {message}")
    sys.exit(1)


if __name__ == "__main__":
    main()
