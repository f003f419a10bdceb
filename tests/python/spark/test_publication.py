"""What readers see when a build fails or is taken back."""

import shutil
from pathlib import Path

import pytest

from spark.conftest import Company, reader, say
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.spark import build
from warehouse.spark.build import build_on_spark
from warehouse.spark.thrift_server import ThriftServer
from warehouse.spark.views import marts_of, publish_run, published_run


def test_a_publication_can_be_taken_back(sample: Company, server: ThriftServer) -> None:
    publish_run(server, sample.spark.run_id)
    assert published_run(server) == sample.spark.run_id
    assert sample.differences(server, "marts") == {}


def test_a_failed_build_leaves_the_published_views(sample: Company, tmp_path: Path, server: ThriftServer) -> None:
    before = published_run(server)
    with reader() as runs:
        outcome = build_on_spark(
            WarehousePaths(tmp_path), "spark", {"raw_folders": {"orders": f"file://{tmp_path}/nowhere"}}, say
        )
    assert outcome.is_failed
    assert outcome.marts == []
    assert runs == [before]


def test_a_failed_data_test_leaves_the_published_views(
    sample: Company, tmp_path: Path, server: ThriftServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    for name in ("macros", "models", "seeds", "tests/data"):
        shutil.copytree(PROJECT_DIR / name, project / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT_DIR / name, project)
    (project / "tests" / "data" / "a_test_that_fails.sql").write_text(
        "select * from {{ ref('stg_landing__loads') }} union all select * from {{ ref('stg_landing__loads') }}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(build, "PROJECT_DIR", project)
    before = published_run(server)
    with reader() as runs:
        outcome = build_on_spark(WarehousePaths(tmp_path / "warehouse"), "spark", {}, say)
    assert "a_test_that_fails" in outcome.failures[0]
    assert marts_of(server, f"{outcome.run_id}_staging") != []
    assert runs == [before]
