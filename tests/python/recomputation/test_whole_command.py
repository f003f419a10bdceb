"""Random companies through the whole command: landed load by load, built, audited, published, and compared."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from recomputation.companies import random_company
from recomputation.company import Company
from recomputation.compare import compare
from recomputation.expectations import ValueModels
from recomputation.exports import write_exports
from recomputation.metamorphic import ADDRESS_MARTS
from recomputation.recompute import GRAINS, TOLERANCES, marts_of

# Every test builds a warehouse of its own.
WORK_SHARES = 2
WAREHOUSE = Path(sys.executable).parent / "warehouse"


def run(root: Path, *arguments: str) -> None:
    finished = subprocess.run(
        [str(WAREHOUSE), *arguments],
        env={**os.environ, "WAREHOUSE_DIR": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("seed", [3, 9])
def test_random_company_through_the_whole_command(tmp_path: Path, seed: int) -> None:
    raw = random_company(seed)
    root = tmp_path / "warehouse"
    for folder in write_exports(raw, tmp_path / "exports"):
        run(root, "land", str(folder))
    run(root, "build", "--vars", json.dumps({"inactivity_days": 60}))
    # Estimates are the warehouse's own, and no mart; what follows from them is worked out again.
    with duckdb.connect(str(root / "builds" / "kept_rows" / "build.duckdb"), read_only=True) as connection:
        found = connection.execute("from intermediate.int_value_model_fits")
        columns = [column[0] for column in found.description]
        fits = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    company = Company(raw, {"inactivity_days": 60})
    expected = marts_of(company, ValueModels(company, fits))
    with duckdb.connect(str(root / "published" / "warehouse.duckdb"), read_only=True) as connection:
        for mart, grain in GRAINS.items():
            if mart in ADDRESS_MARTS:
                continue
            found = connection.execute(f"from marts.{mart}")
            columns = [column[0] for column in found.description]
            actual = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
            assert compare(expected[mart], actual, mart, grain, tolerances=TOLERANCES.get(mart, {})) == []
        assert connection.execute("select bool_and(is_reconciled) from marts.load_reconciliation").fetchall() == [
            (True,)
        ]
