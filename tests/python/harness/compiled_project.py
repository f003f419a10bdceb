"""The project built once by dbt, and its compiled SQL run again on other companies in memory.

dbt costs 30 ms a node and a process; the compiled SQL of a company of forty customers costs a second in all. So the
project is built once (which also proves that it builds) and every random company runs the very SQL of that build.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse.contract import entities

PROJECT_DIR = Path(__file__).resolve().parents[3]
MARTS_DATABASE = "marts_file"
BUILD_DATABASE = "build"


@dataclass(frozen=True)
class Model:
    """One model of the compiled project: its relation and the SQL that fills it.

    A Python model is an empty table of its columns: the random companies are too small for a value model.
    """

    name: str
    relation: str
    schema: str
    is_view: bool
    sql: str


@dataclass(frozen=True)
class CompiledProject:
    """The models in an order in which each finds its inputs, and the columns of every seed."""

    models: tuple[Model, ...]
    seeds: Mapping[str, str]

    def run(
        self, rows: Mapping[str, Sequence[Mapping[str, str | None]]], as_of: date | None = None
    ) -> dict[str, list[dict[str, Any]]]:
        """Return mart name → rows for one company.

        `rows` maps an entity to its delivered rows: canonical columns as text, with `load_id` and `line_number`.
        `as_of` stands in for the compiled day; None keeps it.
        """
        connection = self.built(rows, as_of)
        marts = {}
        for model in self.models:
            if model.schema == "marts":
                found = connection.execute(f"from {model.relation}")
                columns = [column[0] for column in found.description]
                marts[model.name] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        connection.close()
        return marts

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
            relation = self.seeds[entity.seed]
            types = ", ".join(f"{name} {'bigint' if name == 'line_number' else 'varchar'}" for name in names)
            connection.execute(f"create table {relation} ({types})")
            values = [[row.get(name) or None for name in names] for row in rows.get(entity.name, ())]
            if values:
                places = ", ".join("?" for _ in names)
                connection.executemany(f"insert into {relation} values ({places})", values)
        for model in self.models:
            kind = "view" if model.is_view else "table"
            sql = model.sql
            if as_of is not None and model.name == "int_as_of":
                sql = f"select date '{as_of}' as as_of"
            connection.execute(f"create {kind} {model.relation} as {sql}")
        return connection


def compile_project(folder: Path, variables: Mapping[str, Any] | None = None) -> CompiledProject:
    """Build the sample company with dbt into `folder` and return its compiled SQL.

    With no variables the build that WAREHOUSE_TESTED_BUILD names, if any, serves as well.

    Raises RuntimeError when the build fails.
    """
    tested_build = os.environ.get("WAREHOUSE_TESTED_BUILD")
    if tested_build and not variables:
        return read_compiled_project(Path(tested_build))
    folder.mkdir(parents=True, exist_ok=True)
    finished = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            "--quiet",
            "build",
            "--exclude-resource-type=unit_test",
            "--exclude-resource-type=test",
            f"--target-path={folder / 'target'}",
            f"--log-path={folder / 'logs'}",
            f"--vars={json.dumps(dict(variables or {}))}",
        ],
        cwd=PROJECT_DIR,
        env={**os.environ, "WAREHOUSE_BUILD_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"the project did not build:\n{finished.stdout[-3000:]}")
    return read_compiled_project(folder)


def empty_table(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Return SQL for no rows with the columns of a table."""
    columns = connection.execute(f"describe {relation}").fetchall()
    return f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind, *_ in columns)} where false"


def read_compiled_project(folder: Path) -> CompiledProject:
    """Return the compiled SQL that a finished build left in its manifest."""
    nodes = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    built = duckdb.connect(str(folder / "build.duckdb"), read_only=True)
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
                    sql=empty_table(built, node["relation_name"])
                    if node["language"] == "python"
                    else node["compiled_code"],
                )
            )
    built.close()
    seeds = {node["name"]: node["relation_name"] for node in nodes.values() if node["resource_type"] == "seed"}
    return CompiledProject(tuple(models), seeds)
