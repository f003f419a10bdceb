"""What a build reads: a frozen view of the landing zone, or the seeds of the sample company."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.erasing.landing import finish_erasure
from warehouse.landing import zone
from warehouse.paths import WarehousePaths

SEEDS, LANDED, FOLDERS = "seeds", "landing zone", "raw folders"


@dataclass(frozen=True)
class Inputs:
    """The inputs of a build. `loads` are the rows of the load registry, `folder` the frozen landing zone."""

    kind: str
    folder: Path | None = None
    loads: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> int | None:
        """Data records in the landed files; None for raw folders, which nobody counted."""
        if self.kind == FOLDERS:
            return None
        return sum(int(load["rows_in"]) for load in self.loads)

    def sentence(self) -> str:
        """Return what is built, for the user."""
        if self.kind == FOLDERS:
            return "building from the folders of raw_folders; what was landed is left aside"
        if self.kind == SEEDS:
            return "the landing zone is empty: building the sample company from the seeds"
        count = len({load["load_id"] for load in self.loads})
        entities = sorted({load["entity"] for load in self.loads})
        loads = "load" if count == 1 else "loads"
        return f"building {count} landed {loads}: {self.rows:,} rows of {', '.join(entities)}"

    def described_loads(self) -> list[dict[str, Any]]:
        """Return one small record per load, entity and file, for `--json` and the record of the run."""
        return [
            {name: load[name] for name in ("load_id", "entity", "file", "source", "rows_in")}
            | {"landed_at": str(load["landed_at"])}
            for load in self.loads
        ]


def freeze_inputs(paths: WarehousePaths, folder: Path) -> Inputs:
    """Return what there is to build; landed files are linked below `folder`.

    The links are made while no landing runs, so that the build reads the same deliveries from its first model
    to its last, whatever is landed meanwhile. Landed files are never changed in place: a link is a copy.
    """
    with zone.locked(paths):
        zone.ensure_landing_zone(paths)
        zone.sweep(paths)
        finish_erasure(paths)
        loads = zone.read_loads(paths)
        if not loads:
            return Inputs(SEEDS)
        for source in sorted(paths.landing.glob("*/*.parquet")):
            if source.parent.name == zone.UNFINISHED:
                continue
            target = folder / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:
                shutil.copyfile(source, target)
    return Inputs(LANDED, folder, loads)
