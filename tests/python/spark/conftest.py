"""Companies built on both engines. The tests need a cluster: `make test-spark` starts one."""

import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from recomputation.companies import Raw
from spark.comparison import differences
from warehouse.contract import entities
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.spark.build import SparkOutcome, build_on_spark
from warehouse.spark.thrift_server import ThriftServer, thrift_server
from warehouse.spark.views import published_run

WAREHOUSE = PROJECT_DIR / ".venv" / "bin" / "warehouse"
# Who ran what and when differs by design.
EXEMPT = ("mart_run",)


def say(line: str) -> None:
    """Report what was done, for `pytest -s`."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


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
        rows, cells = 0, 0
        with duckdb.connect(str(self.paths.published_file), read_only=True) as connection:
            marts = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
            assert marts == set(self.spark.marts)
            for mart in sorted(marts - set(EXEMPT)):
                cursor = connection.execute(f"from marts.{mart}")
                names = [column[0] for column in cursor.description]
                ours = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                theirs = server.rows(f"select * from {schema}.{mart}")
                rows, cells = rows + len(ours), cells + len(ours) * len(names)
                if lines := differences(mart, grains[mart], ours, theirs):
                    found[mart] = lines
        say(f"{len(marts) - len(EXEMPT)} marts, {rows} rows, {cells} values compared: {len(found)} marts differ")
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


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The sample company from the seeds, with every data test."""
    return build_both(tmp_path_factory.mktemp("sample"), {}, is_tested=True)


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
    outcome = build_on_spark(paths, "spark", variables, say, is_tested=is_tested)
    assert outcome.failures == []
    return Company(paths, outcome)


@contextmanager
def watched(action: Callable[[ThriftServer], bool]) -> Iterator[list[str]]:
    """Take an action in a session of its own, again and again until it is true or the block ends; yield its errors."""
    errors: list[str] = []
    is_over = threading.Event()

    def watch() -> None:
        try:
            with thrift_server() as server:
                while not is_over.is_set() and not action(server):
                    is_over.wait(1)
        except Exception as error:
            errors.append(str(error))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield errors
    finally:
        is_over.set()
        thread.join(timeout=60)


@contextmanager
def reader() -> Iterator[list[str | None]]:
    """Read the published views as a report does, and yield the runs that they showed, one after the other."""
    seen: list[str | None] = []

    def look(server: ThriftServer) -> bool:
        run = published_run(server)
        if not seen or seen[-1] != run:
            seen.append(run)
        return False

    with watched(look) as errors:
        yield seen
    assert errors == []
    # Once more, after all that the block did.
    with thrift_server() as server:
        look(server)


def write_csv(rows: list[dict[str, str | None]], columns: tuple[str, ...], file: Path) -> None:
    """Write rows as an export with a header."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def csv_folders(company: Raw, root: Path) -> dict[str, str]:
    """Write two files per entity and return entity → folder, as a URI."""
    folders = {}
    for name, rows in company.items():
        if rows:
            folder = root / name
            folder.mkdir(parents=True)
            half = len(rows) // 2
            for number, part in enumerate((rows[:half], rows[half:])):
                write_csv(part, entities()[name].column_names, folder / f"part_{number}.csv")
            folders[name] = f"file://{folder}"
    return folders


def parquet_folders(company: Raw, root: Path) -> dict[str, str]:
    """The same with Parquet files under plain paths; a column whose texts are all numbers or timestamps has such."""
    folders = {}
    for name, rows in company.items():
        if rows:
            folder = root / name
            folder.mkdir(parents=True)
            write_csv(rows, entities()[name].column_names, root / f"{name}.csv")
            table = pyarrow.csv.read_csv(
                root / f"{name}.csv",
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""]),
            )
            # A column without a value is text: Parquet's type of nothing is for nobody.
            kinds = [pa.string() if pa.types.is_null(kind) else kind for kind in table.schema.types]
            table = table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))
            half = len(rows) // 2
            for number, part in enumerate((table[:half], table[half:])):
                pyarrow.parquet.write_table(part, folder / f"part_{number}.parquet")
            folders[name] = str(folder)
    return folders


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
