"""The project built once by dbt, and its compiled code run again on other companies in memory.

dbt costs 30 ms a node and a process; the compiled models of a company of forty customers cost a second in all. So the
project is built once (which also proves that it builds) and every random company runs the very code of that build:
SQL models as they were compiled, Python models between them as dbt's adapter runs them.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock

from warehouse.contract import entities

PROJECT_DIR = Path(__file__).resolve().parents[3]
MARTS_DATABASE = "marts_file"
BUILD_DATABASE = "build"


@dataclass(frozen=True)
class Model:
    """One model of the compiled project: its relation and the code that fills it."""

    name: str
    relation: str
    schema: str
    is_view: bool
    is_python: bool
    code: str


@dataclass(frozen=True)
class CompiledProject:
    """The models in an order in which each finds its inputs, the relation of every seed, and the data tests by name."""

    models: tuple[Model, ...]
    seeds: Mapping[str, str]
    data_tests: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        rows: Mapping[str, Sequence[Mapping[str, str | None]]],
        as_of: date | None = None,
        also: Sequence[str] = (),
    ) -> dict[str, list[dict[str, Any]]]:
        """Return mart name → rows for one company, and the rows of the models that `also` names.

        `rows` maps an entity to its delivered rows: canonical columns as text, with `load_id` and `line_number`.
        `as_of` stands in for the compiled day; None keeps it.
        """
        with self.built(rows, as_of) as connection:
            return self.tables(connection, also)

    def tables(
        self, connection: duckdb.DuckDBPyConnection, also: Sequence[str] = ()
    ) -> dict[str, list[dict[str, Any]]]:
        """Return mart name → rows of what was built, and the rows of the models that `also` names."""
        tables = {}
        for model in self.models:
            if model.schema == "marts" or model.name in also:
                found = connection.execute(f"from {model.relation}")
                columns = [column[0] for column in found.description]
                tables[model.name] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        return tables

    def failing_tests(self, connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
        """Return data test → its first failing rows, of what was built; the tests of raw seeds have no say."""
        failing = {}
        for name, code in self.data_tests.items():
            rows = connection.execute(code).fetchmany(3)
            if rows:
                failing[name] = rows
        return failing

    def built(
        self, rows: Mapping[str, Sequence[Mapping[str, str | None]]], as_of: date | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Return a connection to databases in memory in which every model of one company is built."""
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("set timezone = 'UTC'")
        for database in (BUILD_DATABASE, MARTS_DATABASE):
            connection.execute(f"attach ':memory:' as {database}")
        for schema in ("raw", "reference", "staging", "intermediate"):
            connection.execute(f"create schema {BUILD_DATABASE}.{schema}")
        connection.execute(f"create schema {MARTS_DATABASE}.marts")
        for entity in entities().values():
            names = [*entity.column_names, *([] if entity.is_reference else ["load_id", "line_number"])]
            texts = [{name: str(row[name]) for name in names if row.get(name)} for row in rows.get(entity.name, ())]
            delivered = pa.table({name: pa.array([row.get(name) for row in texts], "string") for name in names})
            typed = ", ".join(f"cast({name} as bigint) as {name}" if name == "line_number" else name for name in names)
            connection.register("delivered", delivered)
            connection.execute(f"create table {self.seeds[entity.seed]} as select {typed} from delivered")
        for model in self.models:
            if model.is_python:
                connection.register("returned", returned_by(model, connection))
                connection.execute(f"create table {model.relation} as from returned")
                continue
            sql = model.code
            if as_of is not None and model.name == "int_as_of":
                sql = f"select date '{as_of}' as as_of"
            connection.execute(f"create {'view' if model.is_view else 'table'} {model.relation} as {sql}")
        return connection

    def changed(self, name: str, before: str, after: str) -> "CompiledProject":
        """Return the project with another text in the code of one model, as another var would compile it."""
        assert [before in model.code for model in self.models if model.name == name] == [True], (name, before)
        models = (
            replace(model, code=model.code.replace(before, after)) if model.name == name else model
            for model in self.models
        )
        return replace(self, models=tuple(models))


def returned_by(model: Model, connection: duckdb.DuckDBPyConnection) -> Any:
    """Return the table that a Python model returns: its compiled code called as the adapter calls it."""
    names: dict[str, Any] = {}
    exec(compile(model.code, f"{model.name}.py", "exec"), names)
    return names["model"](names["dbtObj"](connection.table), connection)


def compile_project(folder: Path, variables: Mapping[str, Any] | None = None) -> CompiledProject:
    """Build the sample company with dbt and return its compiled code.

    `folder` is one of the calling test's own; workers of one test run share the builds, in a folder above it. With no
    variables the build that WAREHOUSE_TESTED_BUILD names, if any, serves as well.

    Raises RuntimeError when the build fails.
    """
    tested_build = os.environ.get("WAREHOUSE_TESTED_BUILD")
    if tested_build and not variables:
        return read_compiled_project(Path(tested_build))
    above = folder.parent.parent if "PYTEST_XDIST_WORKER" in os.environ else folder.parent
    text = json.dumps(dict(variables or {}), sort_keys=True)
    shared = above / f"compiled-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    done = shared / "done"
    with FileLock(f"{shared}.lock"):
        if not done.exists():
            build_project(shared, variables or {})
            done.touch()
    return read_compiled_project(shared)


def build_project(folder: Path, variables: Mapping[str, Any]) -> None:
    """Build the sample company with dbt into a folder. Raises RuntimeError when the build fails."""
    run_dbt(folder, variables, "build", "--exclude-resource-type=unit_test")


def run_dbt(folder: Path, variables: Mapping[str, Any], *arguments: str) -> dict[str, Any]:
    """Run dbt with its databases and artefacts in a folder; return the nodes of its manifest.

    Raises RuntimeError when dbt fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finished = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            "--quiet",
            *arguments,
            f"--target-path={folder / 'target'}",
            f"--log-path={folder / 'logs'}",
            f"--vars={json.dumps(dict(variables))}",
        ],
        cwd=PROJECT_DIR,
        env={**os.environ, "WAREHOUSE_BUILD_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"dbt {arguments[0]} failed:\n{finished.stdout[-3000:]}")
    return read_nodes(folder)


def read_nodes(folder: Path) -> dict[str, Any]:
    """Return the nodes of the manifest that dbt left in a folder, by their id."""
    nodes: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    return nodes


def read_compiled_project(folder: Path) -> CompiledProject:
    """Return the compiled code that a finished build left in its manifest."""
    nodes = read_nodes(folder)
    waiting = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    models: list[Model] = []
    while waiting:
        ready = [
            key for key, node in waiting.items() if not any(needed in waiting for needed in node["depends_on"]["nodes"])
        ]
        for key in sorted(ready):
            node = waiting.pop(key)
            models.append(
                Model(
                    name=node["name"],
                    relation=node["relation_name"],
                    schema=node["schema"],
                    is_view=node["config"]["materialized"] == "view",
                    is_python=node["language"] == "python",
                    code=node["compiled_code"],
                )
            )
    seeds = {node["name"]: node["relation_name"] for node in nodes.values() if node["resource_type"] == "seed"}
    data_tests = {
        node["name"]: node["compiled_code"]
        for node in nodes.values()
        if node["resource_type"] == "test" and not any(name.startswith("seed.") for name in node["depends_on"]["nodes"])
    }
    return CompiledProject(tuple(models), seeds, data_tests)
