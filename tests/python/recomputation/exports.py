"""The files in which a random company is delivered."""

import csv
from pathlib import Path

from recomputation.raw import Raw
from warehouse.contract import entities


def write_exports(raw: Raw, folder: Path) -> list[Path]:
    """Write a folder of canonical exports per load, in the order of delivery; the references come with the first."""
    loads = sorted(
        {row["load_id"] or "" for name, rows in raw.items() if not entities()[name].is_reference for row in rows}
    )
    folders = []
    for number, load_id in enumerate(loads):
        target = folder / f"load_{number:02d}"
        target.mkdir(parents=True)
        for name, rows in raw.items():
            entity = entities()[name]
            own = (
                rows if entity.is_reference and number == 0 else [row for row in rows if row.get("load_id") == load_id]
            )
            if own:
                with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, entity.column_names, extrasaction="ignore", lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(own)
        folders.append(target)
    return folders
