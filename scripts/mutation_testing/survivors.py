"""The list of accepted survivors: mutants that no test can or need kill, each with its reason."""

from pathlib import Path

import yaml

from warehouse.errors import WarehouseError

SURVIVORS_FILE = Path(__file__).with_name("accepted_survivors.yml")


def accepted_survivors(file: Path = SURVIVORS_FILE) -> dict[str, str]:
    """Return the reason of each accepted survivor by the name of its mutant.

    Raises:
        WarehouseError: an entry without a reason.
    """
    entries = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else []
    reasons: dict[str, str] = {}
    for entry in entries or []:
        if not entry.get("reason"):
            raise WarehouseError(f"{file.name}: the entry of {entry.get('mutants')} has no reason. Write one.")
        for name in entry["mutants"]:
            reasons[name] = entry["reason"]
    return reasons
