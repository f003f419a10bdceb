"""What a build on Spark does around dbt and the cluster, none of which runs here."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from warehouse.building.dbt_run import git_revision
from warehouse.cli import app
from warehouse.erasing.landing import FOLDER as ERASING
from warehouse.errors import WarehouseError
from warehouse.landing.report import Options
from warehouse.paths import WarehousePaths
from warehouse.runs.landing import land
from warehouse.spark import build


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WarehousePaths:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    return WarehousePaths(tmp_path / "warehouse")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments in which dbt was called; every call succeeds, and so does the cluster."""
    environments: list[dict[str, str]] = []

    @contextmanager
    def no_server() -> Iterator[None]:
        yield

    def run(arguments: list[str], env: dict[str, str], **_: Any) -> "subprocess.CompletedProcess[str]":
        environments.append(env)
        target = Path(arguments[arguments.index("--target-path") + 1])
        target.mkdir(parents=True)
        (target / "run_results.json").write_text(json.dumps({"results": []}))
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr("warehouse.spark.build.thrift_server", no_server)
    monkeypatch.setattr("warehouse.spark.build.subprocess", SimpleNamespace(run=run))
    for name, value in (("published_run", None), ("kept_runs", []), ("write_value_models", {}), ("publish_run", [])):
        monkeypatch.setattr(f"warehouse.spark.build.{name}", lambda *_, value=value: value)
    return environments


@pytest.mark.parametrize("option", ["--relearn", "--accept-change"])
def test_an_option_that_does_nothing_on_spark_is_refused(
    option: str, paths: WarehousePaths, calls: list[dict[str, str]]
) -> None:
    result = CliRunner().invoke(app, ["build", "--target", "spark", option])
    assert result.exit_code == 2
    assert option in result.output
    assert "not on Spark" in result.output
    assert calls == []
    assert CliRunner().invoke(app, ["build", "--target", "spark"]).exit_code == 0


def test_an_interrupted_build_says_so(
    paths: WarehousePaths, calls: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("warehouse.spark.build.publish_run", interrupted)
        with pytest.raises(WarehouseError, match="some may show the new run"):
            build.build_on_spark(paths, "spark", {}, lambda _: None)
    monkeypatch.setattr("warehouse.spark.build.subprocess", SimpleNamespace(run=interrupted))
    result = CliRunner().invoke(app, ["build", "--target", "spark"])
    assert result.exit_code == 130
    assert "interrupted: nothing was published" in result.output


def test_dbt_gets_the_environment_that_it_gets_on_duckdb(
    paths: WarehousePaths, calls: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_RESOURCE_TYPES", "model")
    monkeypatch.setenv("DBT_ENV_CUSTOM_ENV_TEAM", "ours")
    monkeypatch.setenv("WAREHOUSE_RUN_SETTINGS", '{"inactivity_days": 1}')
    outcome = build.build_on_spark(paths, "spark", {}, lambda _: None)
    assert len(calls) == 2
    for environment in calls:
        assert "DBT_RESOURCE_TYPES" not in environment
        assert environment["DBT_ENV_CUSTOM_ENV_TEAM"] == "ours"
        assert environment["WAREHOUSE_GIT_REVISION"] == git_revision()
        assert environment["WAREHOUSE_RUN_SETTINGS"] == "{}"
        assert environment["WAREHOUSE_RUN_ID"] == environment["WAREHOUSE_SPARK_SCHEMA"] == outcome.run_id


def test_a_build_reads_what_was_landed_when_it_began(
    paths: WarehousePaths, calls: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A landing during the build, and what a killed erasure or build left behind, change nothing."""
    export = tmp_path / "orders.csv"

    def land_order(number: int) -> None:
        export.write_text(f"order_id,account_id,ordered_at,amount\nO{number},A1,2025-01-01,1\n")
        land(paths, [export], Options(), lambda _: lambda _: None)

    land_order(1)
    left = paths.builds / "run_20250101_000000_abcdef" / "landing"
    left.mkdir(parents=True)
    (paths.root / ERASING / "orders").mkdir(parents=True)
    run, read = build.subprocess.run, []

    def landing_meanwhile(arguments: list[str], **options: Any) -> Any:
        zone = Path(json.loads(arguments[arguments.index("--vars") + 1])["landing_zone"])
        land_order(len(read) + 2)
        with duckdb.connect() as connection:
            query = f"select order_id from read_parquet('{zone}/orders/*.parquet')"
            read.append((zone, connection.execute(query).fetchall()))
        assert not left.exists()
        assert not (paths.root / ERASING).exists()
        return run(arguments, **options)

    monkeypatch.setattr("warehouse.spark.build.subprocess", SimpleNamespace(run=landing_meanwhile))
    outcome = build.build_on_spark(paths, "spark", {}, lambda _: None)
    assert read == [(outcome.folder / "landing", [("O1",)])] * 2
    assert not (outcome.folder / "landing").exists()
    assert outcome.folder.exists()


def test_a_warehouse_whose_path_is_a_pattern_is_refused(tmp_path: Path, calls: list[dict[str, str]]) -> None:
    with pytest.raises(WarehouseError, match="for a pattern"):
        build.build_on_spark(WarehousePaths(tmp_path / "a*b"), "spark", {}, lambda _: None)
    assert calls == []


def test_raw_folders_leave_the_landing_zone_aside(paths: WarehousePaths, calls: list[dict[str, str]]) -> None:
    outcome = build.build_on_spark(paths, "spark", {"raw_folders": {"orders": "s3a://bucket"}}, lambda _: None)
    assert not outcome.is_failed
    assert not paths.landing.exists()
