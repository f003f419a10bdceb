"""Lets dbt render the unit tests of a marked project once."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import WarehouseError


@dataclass(frozen=True)
class UnitTest:
    """A rendered unit test: the marked SQL of its model over its inputs, and the rows it expects."""

    name: str
    model: str
    sql: str
    expected: tuple[dict[str, Any], ...]


def run_dbt(project: Path, build_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt in `project` with its own profile, building into `build_dir`."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "dbt.cli.main", *arguments, "--profiles-dir", ".", "--quiet", "--no-use-colors"],
        cwd=project,
        env={**os.environ, "WAREHOUSE_BUILD_DIR": str(build_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


def prepare_project(project: Path, target: Path) -> None:
    """Give the folder of the marked models everything else that dbt needs."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(project / name, target / name)
    for name in ("seeds", "tests", "docs"):
        if (project / name).exists():
            (target / name).symlink_to(project / name, target_is_directory=True)


def build_relations(project: Path, build_dir: Path) -> None:
    """Build all models without rows: dbt reads the types of a unit test's inputs from the relations they replace."""
    build_dir.mkdir(parents=True, exist_ok=True)
    for arguments in (["seed"], ["run", "--empty"]):
        finished = run_dbt(project, build_dir, *arguments, "--target-path", str(build_dir / "target"))
        if finished.returncode:
            raise WarehouseError(f"dbt {' '.join(arguments)} failed before any mutation:\n{finished.stdout[-2000:]}")


def render_unit_tests(marked: Path, build_dir: Path, models: list[str] | None = None) -> list[UnitTest]:
    """Return the unit tests of the marked project, rendered.

    Args:
        marked: project whose templates hold marks.
        build_dir: folder whose build.duckdb holds every relation that the unit tests stand in for.
        models: only the tests of these models; None for all.

    Raises:
        WarehouseError: dbt could not parse the project or rendered no unit test.
    """
    target = marked / "target"
    selection = ["test_type:unit"] if models is None else [f"{model},test_type:unit" for model in models]
    # The marks are no SQL, so every test "fails" here; only its rendered text is wanted.
    finished = run_dbt(marked, build_dir, "test", "--select", *selection, "--target-path", str(target))
    manifest_file = target / "manifest.json"
    if not manifest_file.exists():
        raise WarehouseError(f"dbt could not parse the marked project:\n{finished.stdout[-2000:]}")
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    rendered = {file.stem: file for file in (target / "compiled").rglob("*.sql")}
    tests = [
        UnitTest(
            name=test["name"],
            model=test["model"],
            sql=rendered[test["name"]].read_text(encoding="utf-8"),
            expected=tuple(test["expect"]["rows"] or ()),
        )
        for test in manifest["unit_tests"].values()
        if test["name"] in rendered
    ]
    if not tests:
        raise WarehouseError(f"dbt rendered no unit test:\n{finished.stdout[-2000:]}")
    return sorted(tests, key=lambda test: len(test.sql))
