"""Helpers of the landing tests: a warehouse of its own per test, and short ways to land and look."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from warehouse.landing import zone
from warehouse.landing.mapping import load_mapping
from warehouse.landing.report import Options, Report
from warehouse.paths import WarehousePaths
from warehouse.runs.landing import land

SHARED = Path(__file__).resolve().parents[4] / "shared"


def shared(name: str) -> Path:
    """Return a folder beside the repo, or skip the test where it is absent."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs {name} in the folder `shared` beside the repo")
    return folder


class Warehouse:
    """A landing zone in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.paths = WarehousePaths(root)

    def land(self, *files: Path, source: str | None = None, **options: Any) -> Report:
        mapping = load_mapping(source) if source else None
        return land(self.paths, list(files), Options(mapping=mapping, **options), lambda _: lambda __: None)

    def rows(self, entity: str, columns: str = "*", order: str = "load_id, file, line_number") -> list[tuple[Any, ...]]:
        folder = self.paths.landing / entity
        query = f"select {columns} from read_parquet('{folder}/*.parquet') order by {order}"
        with duckdb.connect() as connection:
            return connection.execute(query).fetchall()

    def quarantine(self) -> list[dict[str, Any]]:
        files = sorted((self.paths.landing / zone.QUARANTINE).glob("*.parquet"))
        return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]

    def loads(self) -> list[dict[str, Any]]:
        return zone.read_loads(self.paths)

    def files(self) -> list[Path]:
        return sorted(path for path in self.paths.root.rglob("*") if path.is_file())

    def deliveries(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.paths.landing))
            for path in self.paths.landing.rglob("*.parquet")
            if path.name != zone.EMPTY_FILE
        )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file into an export folder and returns its path."""

    def write_file(name: str, contents: str | bytes, folder: str = "exports") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return path

    return write_file


ORDERS = (
    "order_id,account_id,ordered_at,amount,currency\n"
    "O1,A1,2024-02-03T10:00:00Z,100.00,USD\n"
    "O2,A1,2024-03-03T10:00:00Z,120.00,USD\n"
    "O3,A2,2024-03-09T10:00:00Z,80.25,EUR\n"
)
