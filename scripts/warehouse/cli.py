"""The command line `warehouse`: one module per command, registered here."""

import sys

import typer
from rich.console import Console

from warehouse.build import build
from warehouse.erase import erase
from warehouse.errors import WarehouseError
from warehouse.generate import generate
from warehouse.land import land
from warehouse.publish import publish
from warehouse.quarantine import quarantine
from warehouse.rollback import rollback
from warehouse.status import status

app = typer.Typer(
    name="warehouse",
    help="Land raw exports, build, audit and publish the retention analytics warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"error: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
