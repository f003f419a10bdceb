"""The same models on Spark and on DuckDB: every row of every mart, and every unit test."""

import json
import os
import subprocess
import sys
from pathlib import Path

from recomputation.companies import random_company
from recomputation.exports import write_exports
from spark.conftest import Company, build_both, csv_folders, reader, run_warehouse
from warehouse.paths import PROJECT_DIR
from warehouse.spark.thrift_server import ThriftServer
from warehouse.spark.views import published_run

DBT = Path(sys.executable).parent / "dbt"


def test_the_sample_company_has_the_same_marts(sample: Company, server: ThriftServer) -> None:
    assert sample.differences(server, "marts") == {}
    # What is compared is not empty.
    assert server.rows("select count(*) as rows from marts.churn_cohorts")[0]["rows"] > 10_000
    assert server.rows("select count(*) as rows from marts.clv_models where is_chosen")[0]["rows"] > 0


def test_every_unit_test_passes(sample: Company, tmp_path: Path) -> None:
    arguments = ["test", "--select", "test_type:unit", "--target", "spark", "--quiet", "--warn-error"]
    finished = subprocess.run(
        [str(DBT), *arguments, "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path)],
        cwd=PROJECT_DIR,
        env={**os.environ, "WAREHOUSE_SPARK_SCHEMA": sample.spark.run_id},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-5000:]
    results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    results = [row for row in results if row["unique_id"].startswith("unit_test.")]
    assert len(results) > 100
    assert {row["status"] for row in results} == {"pass"}


def test_a_random_company_that_lies_in_folders(tmp_path: Path, server: ThriftServer) -> None:
    """Nothing is landed: both engines read the same CSV files. Readers go from one run to the next."""
    before = published_run(server)
    folders = csv_folders(random_company(9), tmp_path / "raw")
    with reader() as runs:
        company = build_both(
            tmp_path / "warehouse", {"raw_folders": folders, "raw_format": "csv", "inactivity_days": 60}
        )
    assert runs == [before, company.spark.run_id]
    assert company.differences(server, "marts") == {}


def test_a_random_company_that_was_landed(tmp_path: Path, server: ThriftServer) -> None:
    """Both engines read the landing zone: several loads, rows that landing refused, a customer who was erased."""
    root = tmp_path / "warehouse"
    first, *later = write_exports(random_company(11), tmp_path / "exports")
    with (first / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("ORDER-TORN,A001,2024-03-01\n")
    for folder in (first, *later):
        run_warehouse(root, "land", str(folder))
    run_warehouse(root, "erase", "--account", "A003")
    company = build_both(root, {"inactivity_days": 60})
    assert company.differences(server, "marts") == {}
    torn = server.rows("select count(*) as rows from marts.quarantined_rows where reason = 'ragged_row'")
    erased = server.rows("select sum(rows_erased) as rows from marts.load_reconciliation")
    assert (torn[0]["rows"], erased[0]["rows"] > 0) == (1, True)
