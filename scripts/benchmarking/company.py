"""The generated companies of the benchmark, kept from run to run below WAREHOUSE_DIR/bench."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarking.processes import Cost, run_measured
from warehouse.errors import WarehouseError
from warehouse.paths import PROJECT_DIR

SEED = 7
WAREHOUSE = PROJECT_DIR / ".venv" / "bin" / "warehouse"
PROJECT_PYTHON = PROJECT_DIR / ".venv" / "bin" / "python"
# What stays in a warehouse folder from one build to the next: the deliveries and the parsed project.
_KEPT = ("landing", "cache", "token.key")


@dataclass(frozen=True)
class Company:
    """One size: its raw Parquet files and the folders of its measurements."""

    customers: int
    folder: Path

    @property
    def raw(self) -> Path:
        """Raw Parquet, all columns text."""
        return self.folder / "raw"

    @property
    def warehouse(self) -> Path:
        """The WAREHOUSE_DIR that is built."""
        return self.folder / "warehouse"

    @property
    def logs(self) -> Path:
        """Output of the measured processes."""
        return self.folder / "logs"

    @property
    def published_file(self) -> Path:
        """What the last build published."""
        return self.warehouse / "published" / "warehouse.duckdb"

    @property
    def yardstick_file(self) -> Path:
        """The marts of the yardstick."""
        return self.folder / "yardstick.duckdb"

    def ensure_raw(self) -> None:
        """Generate the company unless it is there."""
        done = self.raw / "_done"
        if done.exists():
            return
        shutil.rmtree(self.raw, ignore_errors=True)
        sizes = ["--customers", str(self.customers), "--seed", str(SEED)]
        command = [str(WAREHOUSE), "generate", *sizes, "--format", "parquet", "--out", str(self.raw)]
        run_measured("warehouse generate", command, self.logs / "generate.txt")
        done.touch()

    def ensure_landed(self) -> None:
        """Land the company unless that is done."""
        done = self.folder / "landed"
        if done.exists() and (self.warehouse / "landing").exists():
            return
        shutil.rmtree(self.warehouse, ignore_errors=True)
        files = [str(path) for path in sorted(self.raw.glob("*.parquet"))]
        command = [str(WAREHOUSE), "land", "--json", *files]
        run_measured("warehouse land", command, self.logs / "land.txt", {"WAREHOUSE_DIR": str(self.warehouse)})
        done.touch()

    def build(self, name: str, memory_limit: str | None = None) -> tuple[Cost, Path]:
        """Build the whole warehouse from nothing but its landing zone; return its cost and the folder of the run."""
        for path in self.warehouse.iterdir():
            if path.name not in _KEPT:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        environment = {"WAREHOUSE_DIR": str(self.warehouse)}
        if memory_limit:
            environment["WAREHOUSE_MEMORY_LIMIT"] = memory_limit
        command = [str(WAREHOUSE), "build", "--json"]
        cost = run_measured(f"warehouse build ({name})", command, self.logs / f"{name}.txt", environment)
        runs = sorted(path for path in (self.warehouse / "builds").glob("*/target/run_results.json"))
        if not runs:
            raise WarehouseError(f"bench: the build left no run_results.json below {self.warehouse / 'builds'}")
        return cost, runs[-1].parent
