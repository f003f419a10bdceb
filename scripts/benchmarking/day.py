"""A day's delivery on top of the history: what a build costs that keeps what it typed before."""

import os
import shutil
from pathlib import Path
from typing import Any

import duckdb

from benchmarking.company import WAREHOUSE, Company
from benchmarking.processes import run_measured

# Of a company of three years about a thousandth is new every day.
SHARE = 1000
_FACTS = {
    "orders": "order_id",
    "activities": "activity_id",
    "survey_responses": "response_id",
    "deals": "deal_id",
}


def write_delivery(raw: Path, folder: Path) -> int:
    """Write every thousandth fact again under an identifier of its own; return how many rows there are."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = 0
    for entity, identifier in _FACTS.items():
        source, target = raw / f"{entity}.parquet", folder / f"{entity}.parquet"
        written = duckdb.execute(
            f"copy (select * exclude (file_row_number) replace ('day-' || {identifier} as {identifier}) "  # noqa: S608
            f"from read_parquet('{source}', file_row_number = true) where file_row_number % {SHARE} = 0) "
            f"to '{target}' (format parquet)"
        ).fetchall()
        rows += written[0][0]
    return rows


def measured_day(company: Company) -> dict[str, Any]:
    """Land and build a day's delivery in a copy of the company that was built last; return rows and seconds.

    The copy is of links: the files of a warehouse are replaced and never written to, but for the build that is kept,
    and no other build of the company reads that.
    """
    folder = company.folder / "day"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(company.warehouse, folder / "warehouse", copy_function=os.link, symlinks=True)
    rows = write_delivery(company.raw, folder / "delivery")
    environment = {"WAREHOUSE_DIR": str(folder / "warehouse")}
    files = [str(path) for path in sorted((folder / "delivery").glob("*.parquet"))]
    land = run_measured(
        "warehouse land (day)", [str(WAREHOUSE), "land", "--json", *files], company.logs / "day_land.txt", environment
    )
    build = run_measured(
        "warehouse build (day)", [str(WAREHOUSE), "build", "--json"], company.logs / "day_build.txt", environment
    )
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "rows": rows,
        "land_seconds": land.wall_seconds,
        "build_seconds": build.wall_seconds,
        "build_cpu_seconds": build.cpu_seconds,
    }
