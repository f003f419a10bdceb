"""One build of the sample company with every data test, shared by all files and workers of the test run."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

PROJECT_DIR = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class TestedBuild:
    """A finished `dbt build`: its databases and the artifacts that dbt wrote about it."""

    __test__ = False

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return self._artifact("manifest.json")

    @cached_property
    def run_results(self) -> dict[str, Any]:
        return self._artifact("run_results.json")

    @property
    def nodes(self) -> dict[str, Any]:
        return self.manifest["nodes"]

    def of_type(self, resource_type: str) -> list[dict[str, Any]]:
        return [node for node in self.nodes.values() if node["resource_type"] == resource_type]

    @property
    def models(self) -> list[dict[str, Any]]:
        return self.of_type("model")

    @property
    def marts(self) -> list[dict[str, Any]]:
        return [model for model in self.models if layer(model) == "marts"]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Both databases under the names that compiled SQL uses, read-only."""
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{self.folder / 'build.duckdb'}' as build (read_only)")
        connection.execute(f"attach '{self.folder / 'marts_build.duckdb'}' as marts_file (read_only)")
        return connection

    @cached_property
    def columns(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """(schema, relation) → the (name, type) of its columns, in order, as the databases have them."""
        with self.connect() as connection:
            rows = connection.execute(
                "select schema_name, table_name, column_name, data_type from duckdb_columns() "
                "where database_name in ('build', 'marts_file') "
                "order by schema_name, table_name, column_index"
            ).fetchall()
        columns: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for schema, table, name, data_type in rows:
            columns.setdefault((schema, table), []).append((name, data_type))
        return columns

    def _artifact(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / "target" / name).read_text(encoding="utf-8"))


def layer(node: dict[str, Any]) -> str:
    """The folder of the layer that a model stands in: staging, intermediate or marts."""
    return Path(node["original_file_path"]).parts[1]


def run_build(folder: Path) -> None:
    """Build and test the sample company into `folder`; fail with the end of dbt's log when anything fails."""
    folder.mkdir(parents=True, exist_ok=True)
    finished = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            "--quiet",
            "build",
            "--exclude-resource-type=unit_test",
            f"--project-dir={PROJECT_DIR}",
            f"--profiles-dir={PROJECT_DIR}",
            f"--target-path={folder / 'target'}",
            f"--log-path={folder / 'logs'}",
        ],
        env={**os.environ, "WAREHOUSE_BUILD_DIR": str(folder)},
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        pytest.fail("dbt build failed:\n" + (finished.stdout + finished.stderr)[-3000:], pytrace=False)


@pytest.fixture(scope="session")
def tested_build(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> TestedBuild:
    """Whichever worker comes first builds; WAREHOUSE_TESTED_BUILD names the folder of a finished build."""
    if given := os.environ.get("WAREHOUSE_TESTED_BUILD"):
        return TestedBuild(Path(given))
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "tested_build"
    done = folder / "done"
    with FileLock(str(folder) + ".lock"):
        if not done.exists():
            run_build(folder)
            done.touch()
    return TestedBuild(folder)
