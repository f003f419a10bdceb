"""The list of known survivors, each with its reason.

`equivalent` ones no data can tell from the original: they count neither for nor against the kill rate. `accepted` ones
could be told, and count as survivors.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

from warehouse.errors import WarehouseError

SURVIVORS_FILE = Path(__file__).with_name("accepted_survivors.yml")


@dataclass(frozen=True)
class Survivor:
    """Why a mutant lives: its kind (`equivalent` or `accepted`) and the reason."""

    kind: str
    reason: str


def accepted_survivors(file: Path = SURVIVORS_FILE) -> dict[str, Survivor]:
    """Return the known survivors by the name of their mutant.

    Raises:
        WarehouseError: an entry without a reason.
    """
    entries = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else []
    survivors: dict[str, Survivor] = {}
    for entry in entries or []:
        if not entry.get("reason"):
            raise WarehouseError(f"{file.name}: the entry of {entry.get('mutants')} has no reason. Write one.")
        for name in entry["mutants"]:
            survivors[name] = Survivor(entry["kind"], entry["reason"])
    return survivors
