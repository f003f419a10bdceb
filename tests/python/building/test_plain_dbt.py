"""Plain dbt, as its users call it: from another folder, without rows, on a landing zone, as a package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from warehouse.landing.zone import ensure_landing_zone
from warehouse.paths import PROJECT_DIR, WarehousePaths

# A staging model with its unit tests, which read the input contract, and a model that holds one row.
PART = ("--select", "+stg_commerce__orders", "int_value_model_settings")


def dbt(folder: Path, *arguments: str) -> None:
    """Run dbt in a folder that is not the project's."""
    finished = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), "--quiet", "--warn-error", *arguments],
        cwd=folder,
        env={**os.environ, "WAREHOUSE_BUILD_DIR": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    "options", [["--empty"], ["--vars", "{landing_zone: %s}"]], ids=["without rows", "on a landing zone"]
)
def test_a_part_is_built_and_tested_from_any_folder(tmp_path: Path, options: list[str]) -> None:
    # Not the marks of a pattern, which no folder fits.
    paths = WarehousePaths(tmp_path / "it's [h]ere*")
    ensure_landing_zone(paths)
    given = [option.replace("%s", json.dumps(str(paths.landing))) for option in options]
    arguments = [
        f"--project-dir={PROJECT_DIR}",
        f"--profiles-dir={PROJECT_DIR}",
        f"--target-path={tmp_path / 'target'}",
    ]
    dbt(tmp_path, "build", *PART, *arguments, f"--log-path={tmp_path / 'logs'}", *given)
    results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    assert "unit_test" in {result["unique_id"].split(".")[0] for result in results}


def test_another_project_may_take_this_one_as_a_package(tmp_path: Path) -> None:
    settings = {"name": "ours", "version": "1.0", "profile": "retention_warehouse", "flags": {}}
    settings["flags"] = {"indirect_selection": "buildable"}
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    packages = {"packages": [{"local": str(PROJECT_DIR)}]}
    (tmp_path / "packages.yml").write_text(yaml.safe_dump(packages), encoding="utf-8")
    (tmp_path / "profiles.yml").write_bytes((PROJECT_DIR / "profiles.yml").read_bytes())
    dbt(tmp_path, "deps")
    dbt(tmp_path, "build", *PART)
