"""Companies built on both engines. The tests need a cluster: `make test-spark` starts one."""

import csv
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recomputation.companies import Raw
from spark.comparison import differences
from warehouse.contract import entities
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.spark.build import SparkOutcome, build_on_spark
from warehouse.spark.thrift_server import ThriftServer, thrift_server

WAREHOUSE = PROJECT_DIR / ".venv" / "bin" / "warehouse"
# Who ran what and when differs by design.
EXEMPT = ("mart_run",)


@pytest.fixture(autouse=True)
def cluster() -> None:
    pytest.importorskip("pyhive", reason="`make test-spark` has the Spark client")
    if "WAREHOUSE_SPARK_PORT" not in os.environ:
        pytest.skip("`make test-spark` starts a Spark cluster")


@pytest.fixture
def server() -> Iterator[ThriftServer]:
    with thrift_server() as opened:
        yield opened


@dataclass(frozen=True)
class Company:
    """A warehouse folder, what was built from it on Spark, and the marts that DuckDB published from it."""

    paths: WarehousePaths
    spark: SparkOutcome

    def differences(self, server: ThriftServer, schema: str) -> dict[str, list[str]]:
        """Return mart → how the marts of a schema on Spark differ from the published file; {} when nowhere."""
        grains = self.grains()
        found: dict[str, list[str]] = {}
        with duckdb.connect(str(self.paths.published_file), read_only=True) as connection:
            marts = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
            assert marts == set(self.spark.marts)
            for mart in sorted(marts - set(EXEMPT)):
                cursor = connection.execute(f"from marts.{mart}")
                names = [column[0] for column in cursor.description]
                ours = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                theirs = server.rows(f"select * from {schema}.{mart}")
                if lines := differences(mart, grains[mart], ours, theirs):
                    found[mart] = lines
        return found

    def grains(self) -> dict[str, tuple[str, ...]]:
        """Return the tested grain of every mart."""
        manifest = json.loads(
            (self.spark.folder / "after_value_models" / "target" / "manifest.json").read_text(encoding="utf-8")
        )
        return {
            node["attached_node"].rpartition(".")[2]: tuple(node["test_metadata"]["kwargs"]["columns"])
            for node in manifest["nodes"].values()
            if (node.get("test_metadata") or {}).get("name") == "unique_grain"
        }


def run_warehouse(root: Path, *arguments: str) -> None:
    """Run the command of the DuckDB environment in a warehouse of its own."""
    finished = subprocess.run(
        [str(WAREHOUSE), *arguments],
        env={**os.environ, "WAREHOUSE_DIR": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def build_both(root: Path, variables: Mapping[str, Any], is_tested: bool = False) -> Company:
    """Build what was landed in `root`, or else the seeds, on both engines."""
    run_warehouse(root, "build", "--vars", json.dumps(dict(variables)))
    paths = WarehousePaths(root)
    outcome = build_on_spark(paths, "spark", variables, print, is_tested=is_tested)
    assert outcome.failures == []
    return Company(paths, outcome)


def write_csv(rows: list[dict[str, str | None]], columns: tuple[str, ...], file: Path) -> None:
    """Write rows as an export with a header."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def loads_of(raw: Raw) -> list[Raw]:
    """Return a company load by load, in the order of delivery; the references come with the first."""
    known = entities()
    names = sorted({row["load_id"] or "" for name in raw if not known[name].is_reference for row in raw[name]})
    return [
        {
            name: rows
            if known[name].is_reference and number == 0
            else [row for row in rows if row.get("load_id") == load_id]
            for name, rows in raw.items()
        }
        for number, load_id in enumerate(names)
    ]
