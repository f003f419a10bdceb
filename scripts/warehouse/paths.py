"""Where everything lives: the repo's own folders and the folders under WAREHOUSE_DIR."""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import WarehouseError

PROJECT_DIR = Path(__file__).resolve().parents[2]
# The engine and its adapter take these in a path for the beginning of something else.
_REFUSED_SIGNS = "?#\\"


@dataclass(frozen=True)
class WarehousePaths:
    """The folders of one warehouse. Two warehouses with different roots share nothing."""

    root: Path

    @property
    def landing(self) -> Path:
        """Append-only deliveries as Parquet, the load registry and the structural quarantine."""
        return self.root / "landing"

    @property
    def builds(self) -> Path:
        """Private files of builds, one folder per run."""
        return self.root / "builds"

    @property
    def published(self) -> Path:
        """What BI tools read."""
        return self.root / "published"

    @property
    def logs(self) -> Path:
        """Where errors that nobody foresaw come from, a file for each."""
        return self.root / "logs"

    @property
    def published_file(self) -> Path:
        """The published warehouse itself."""
        return self.published / "warehouse.duckdb"

    def make_private(self, *names: str) -> None:
        """Create these folders for their owner alone, and take away what others may do in those that are there.

        A group that somebody let in stays in: several users may share a warehouse. Raises OSError when a folder cannot
        be created.
        """
        for name in names:
            folder = self.root / name
            if not folder.is_dir():
                self.root.mkdir(parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
            mode = stat.S_IMODE(folder.stat().st_mode)
            if mode & stat.S_IRWXO:
                # Only the owner may.
                with contextlib.suppress(PermissionError):
                    folder.chmod(mode & ~stat.S_IRWXO)


def seeds_folder() -> Path:
    """Return the folder of the seeds: the environment variable WAREHOUSE_SEEDS, as dbt_project.yml takes it."""
    return PROJECT_DIR / (os.environ.get("WAREHOUSE_SEEDS") or "seeds")


def warehouse_paths() -> WarehousePaths:
    """Return the folders under the environment variable WAREHOUSE_DIR, by default `.warehouse` in the repo.

    Raises WarehouseError when its path has signs that the engine cannot take.
    """
    root = Path(os.environ.get("WAREHOUSE_DIR") or PROJECT_DIR / ".warehouse").resolve()
    if any(sign in str(root) for sign in _REFUSED_SIGNS):
        raise WarehouseError(f"the path {root} has ?, # or a backslash: set WAREHOUSE_DIR to a folder without them")
    return WarehousePaths(root)
