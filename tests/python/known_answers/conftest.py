"""Each real data set landed, built, audited and published once, in a warehouse of its own, for all files that ask."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
WAREHOUSE = Path(sys.executable).parent / "warehouse"
DATA_SETS = ("maven", "mrr_playbook", "cdnow", "cdnow_sample", "carpentries", "cncf")

Query = Callable[[str], list[tuple[Any, ...]]]


def published(tmp_path_factory: pytest.TempPathFactory, path: str, source: str, *arguments: str) -> Query:
    """Return a function that queries what `warehouse land` and `warehouse build` published."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets (../shared/data) are not beside this repo")
    root = tmp_path_factory.mktemp(source)
    environment = {**os.environ, "WAREHOUSE_DIR": str(root)}
    for command in (["land", str(SHARED_DATA / path), "--source", source], ["build", *arguments]):
        finished = subprocess.run(
            [str(WAREHOUSE), *command], env=environment, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
    connection = duckdb.connect(str(root / "published" / "warehouse.duckdb"), read_only=True)
    return lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def maven(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return published(tmp_path_factory, "maven_crm", "maven_crm")


@pytest.fixture(scope="session")
def mrr_playbook(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return published(tmp_path_factory, "mrr_playbook", "mrr_playbook", "--as-of", "2020-03-01")


@pytest.fixture(scope="session")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return published(tmp_path_factory, "cdnow/CDNOW_master.txt", "cdnow", "--as-of", "1998-07-01")


@pytest.fixture(scope="session")
def cdnow_sample(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return published(tmp_path_factory, "cdnow/CDNOW_sample.txt", "cdnow_sample", "--as-of", "1997-10-01")


@pytest.fixture(scope="session")
def carpentries(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return published(tmp_path_factory, "carpentries", "carpentries")


@pytest.fixture(scope="session")
def cncf(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return published(tmp_path_factory, "cncf", "cncf")
