"""`warehouse erase`: removes a customer everywhere."""

import json
import sys
from typing import Annotated

import typer


def erase(
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The account_id of the customer.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Remove a customer from deliveries, quarantine, builds, marts and kept versions, for good.

    For example:

    warehouse erase --account A-1042

    warehouse erase --account A-1042 --json   (what was removed, as one JSON object)
    """
    from warehouse.paths import warehouse_paths
    from warehouse.runs.erasing import erase_customer

    if not account.strip():
        raise typer.BadParameter("give the account_id of a customer", param_hint="--account")
    erased = erase_customer(warehouse_paths(), account)
    rows = sum(erased.version_rows.values())
    if as_json:
        document = {
            "accounts": erased.accounts,
            "landed_rows": erased.landed_rows,
            "mart_rows": rows,
            "versions": erased.version_rows,
            "dropped": erased.dropped,
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(
        f"erased: {erased.landed_rows:,} landed rows of {erased.accounts} account(s), {rows:,} rows in "
        f"{len(erased.version_rows)} kept or published files; a redelivery stays erased. "
        "Totals of the marts follow with the next `warehouse build`"
    )
    for name in erased.dropped:
        console.print(f"could not be read, and was dropped: {name}")
    console.print(
        "not reached: copies in PostgreSQL (publish there again), exported CSV files, seeds, and the files that were "
        "delivered"
    )
