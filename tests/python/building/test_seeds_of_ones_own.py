"""WAREHOUSE_SEEDS: a folder of seeds anywhere, which dbt and the commands read and never write."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from harness.compiled_project import run_dbt
from warehouse.building.inputs import SEEDS, Inputs, check_seeds
from warehouse.cli import app
from warehouse.errors import WarehouseError
from warehouse.paths import PROJECT_DIR
from warehouse.quarantining.listing import seed_line


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("is_absolute", [True, False])
def test_dbt_leaves_the_seeds_as_they_are(tmp_path: Path, is_absolute: bool) -> None:
    """Dbt writes the statement of a seed under the seed's own path: outside of the target folder, where it can."""
    seeds = tmp_path / "seeds_of_ours"
    shutil.copytree(PROJECT_DIR / "seeds", seeds)
    before = contents(tmp_path)
    given = seeds if is_absolute else Path(os.path.relpath(seeds, PROJECT_DIR))
    arguments = [
        "--quiet",
        "seed",
        "--select",
        "raw_products",
        "deal_stages",
        "--log-path",
        str(tmp_path / "x" / "logs"),
    ]
    finished = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), *arguments, "--target-path", str(tmp_path / "x" / "target")],
        cwd=PROJECT_DIR,
        env={**os.environ, "WAREHOUSE_SEEDS": str(given), "WAREHOUSE_BUILD_DIR": str(tmp_path / "x")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    shutil.rmtree(tmp_path / "x")
    assert contents(tmp_path) == before


def test_the_user_is_told_which_seeds_are_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_SEEDS", raising=False)
    assert Inputs(SEEDS).sentence() == "the landing zone is empty: building the sample company from the seeds"
    monkeypatch.setenv("WAREHOUSE_SEEDS", "")
    check_seeds()
    assert Inputs(SEEDS).sentence().endswith("the sample company from the seeds")
    monkeypatch.setenv("WAREHOUSE_SEEDS", str(tmp_path))
    assert Inputs(SEEDS).sentence() == f"the landing zone is empty: building from the seeds in {tmp_path}"


def test_a_folder_that_holds_no_seeds_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    for folder in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setenv("WAREHOUSE_SEEDS", str(folder))
        result = CliRunner().invoke(app, ["build"])
        assert isinstance(result.exception, WarehouseError)
        assert str(result.exception).startswith(f"WAREHOUSE_SEEDS: {folder} holds no _raw__seeds.yml: ")
    assert not list((tmp_path / "warehouse").glob("builds/2*"))


def test_the_rows_of_a_seed_without_line_numbers_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = tmp_path / "seeds_of_ours"
    shutil.copytree(PROJECT_DIR / "seeds", seeds)
    (path,) = seeds.rglob("fx_rates.csv")
    rows = [
        "EUR,1990-01-01,1.15",
        "GBP,2022-01-01,1.30",
        "AED,2020-01-01,abc",
        ",2020-01-01,1",
        "eur,,x",
        "Äu,2020-01-01,y",
    ]
    path.write_text("\n".join(["currency,valid_from,rate", *rows, ""]), "utf-8")
    monkeypatch.setenv("WAREHOUSE_SEEDS", str(seeds))
    run_dbt(tmp_path / "x", {}, "build", "--select", "fx_rates", "stg_reference__fx_rates")
    with duckdb.connect(str(tmp_path / "x" / "build.duckdb")) as connection:
        bad = connection.execute(
            "select line_number, key_value from staging.stg_reference__fx_rates where quarantine_reason is not null"
        ).fetchall()
    assert len(bad) == 4
    for line_number, key_value in bad:
        cells = str(seed_line({"entity": "fx_rates", "file": "fx_rates.csv", "line_number": line_number}))
        currency, valid_from = key_value.split("|")
        assert ("currency=" in cells, "valid_from=" in cells) == (currency != "", valid_from != "")
        assert currency in cells.upper()
        assert valid_from in cells
