"""What a build reads: a frozen view of the landing zone, or the seeds of the sample company."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.contract import CONTRACT_FILES
from warehouse.erasing.landing import erased_rows, finish_erasure
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.paths import PROJECT_DIR, WarehousePaths, seeds_folder

SEEDS, LANDED, FOLDERS = "seeds", "landing zone", "raw folders"


@dataclass(frozen=True)
class Inputs:
    """The inputs of a build. `loads` are the rows of the load registry, `folder` the frozen landing zone.

    `erasures` are the landed rows that each erasure took out.
    """

    kind: str
    folder: Path | None = None
    loads: list[dict[str, Any]] = field(default_factory=list)
    erasures: dict[str, int] = field(default_factory=dict)

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
            is_sample = seeds_folder() == PROJECT_DIR / "seeds"
            what = "the sample company from the seeds" if is_sample else f"from the seeds in {seeds_folder()}"
            return f"the landing zone is empty: building {what}"
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


def check_seeds() -> None:
    """Raise WarehouseError when the folder of the seeds is none: the input contract lies beside them."""
    folder = seeds_folder()
    for name in map(Path, CONTRACT_FILES):
        if not next(folder.rglob(name.name), None):
            raise WarehouseError(
                f"WAREHOUSE_SEEDS: {folder} holds no {name.name}: `warehouse land … --to-seeds` and "
                "`warehouse generate` write folders of seeds"
            )


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
        erasures = erased_rows(paths)
    return Inputs(LANDED, folder, loads, erasures)
