"""The folder of a build, what is swept from dead ones, and whether the disk has room for a new one."""

import datetime
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from warehouse.engine import SPILL
from warehouse.errors import WarehouseError
from warehouse.files import PARTIAL, remove
from warehouse.paths import WarehousePaths
from warehouse.publishing.versions import bring_back_versions

# Runs whose logs and compiled SQL are kept for a look; the data of a failed run stays until the next build.
KEPT_RUNS = 5
# A build writes at most about this multiple of the landed (compressed) bytes, and the marts are copied twice.
_BYTES_PER_LANDED_BYTE = 6
_LEAST_FREE_BYTES = 300 * 1024 * 1024
CURRENT = "current"
_DATA = (
    "build.duckdb",
    "build.duckdb.wal",
    "marts_build.duckdb",
    "marts_build.duckdb.wal",
    "spill",
    "landing",
)


@dataclass(frozen=True)
class RunFolder:
    """The private folder of one run, WAREHOUSE_DIR/builds/<run id>."""

    run_id: str
    path: Path

    @property
    def stable(self) -> Path:
        """The same folder under a name that all runs share, so that dbt finds its settings unchanged."""
        return self.path.parent / CURRENT

    @property
    def target(self) -> Path:
        """What dbt compiles, and its results."""
        return self.path / "target"

    @property
    def logs(self) -> Path:
        """The log of dbt."""
        return self.path / "logs"

    @property
    def build_file(self) -> Path:
        """The database of staging and intermediate models."""
        return self.path / "build.duckdb"

    @property
    def marts_file(self) -> Path:
        """The database of the marts."""
        return self.path / "marts_build.duckdb"

    def drop_data(self) -> None:
        """Remove the databases and the frozen inputs; logs, compiled SQL and findings stay."""
        for name in _DATA:
            remove(self.path / name)


def new_run_folder(paths: WarehousePaths) -> RunFolder:
    """Create the folder of a new run and point `current` to it."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    run = RunFolder(run_id := f"{now}-{secrets.token_hex(4)}", paths.builds / run_id)
    run.path.mkdir(parents=True)
    pointer = paths.builds / f".{CURRENT}.{run_id}{PARTIAL}"
    pointer.symlink_to(run_id)
    if not run.stable.is_symlink():
        # Somebody copied the warehouse with a tool that follows links.
        remove(run.stable)
    pointer.replace(run.stable)
    return run


def sweep(paths: WarehousePaths) -> int:
    """Remove what earlier runs left behind (data, partial files, old folders); return how many things.

    Call it while holding the lock of the warehouse.
    """
    bring_back_versions(paths)
    removed = 0
    for folder in (paths.builds, paths.published, paths.root / "versions", paths.root / "cache", paths.root):
        for path in folder.glob(f".*{PARTIAL}"):
            remove(path)
            removed += 1
    for path in paths.root.glob(f"{SPILL}*"):
        if not _is_alive(path.name.removeprefix(SPILL)):
            remove(path)
            removed += 1
    # Runs of DuckDB and of Spark.
    folders = (path for pattern in ("*-*", "run_*") for path in paths.builds.glob(pattern) if path.is_dir())
    runs = sorted(folders, key=lambda path: path.stat().st_mtime_ns)
    for number, path in enumerate(reversed(runs)):
        if number >= KEPT_RUNS - 1:
            remove(path)
            removed += 1
            continue
        for name in _DATA:
            if (path / name).exists():
                remove(path / name)
                removed += 1
    return removed


def _is_alive(process: str) -> bool:
    """Tell whether a process runs; somebody else's counts too."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def check_room(paths: WarehousePaths) -> None:
    """Raise WarehouseError when the disk has too little room for a build."""
    landed = sum(path.stat().st_size for path in paths.landing.glob("*/*.parquet"))
    published = paths.published_file.stat().st_size if paths.published_file.exists() else 0
    wanted = max(_LEAST_FREE_BYTES, _BYTES_PER_LANDED_BYTE * landed + 3 * published)
    free = shutil.disk_usage(paths.root).free
    if free < wanted:
        raise WarehouseError(
            f"too little room on the disk of {paths.root}: {free / 1e9:.1f} GB free, a build needs about "
            f"{wanted / 1e9:.1f} GB; free some, or set WAREHOUSE_DIR to another disk"
        )
