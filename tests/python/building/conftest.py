"""Helpers of the build tests: the command as a user runs it, and a copy of the project that may be broken."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from warehouse.paths import PROJECT_DIR, WarehousePaths

_COPIED = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "scripts", "docs", "tests/data")


@dataclass(frozen=True)
class Command:
    """`warehouse` with a WAREHOUSE_DIR of its own, run from a project (the repo or a copy of it)."""

    root: Path
    project: Path = PROJECT_DIR
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> WarehousePaths:
        """The folders of this warehouse."""
        return WarehousePaths(self.root)

    def start(self, *arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
        """Start the command without waiting."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.project / "scripts"),
            "WAREHOUSE_DIR": str(self.root),
            **self.environment,
        }
        return subprocess.Popen(
            [*options.pop("wrapper", ()), sys.executable, "-m", "warehouse.cli", *map(str, arguments)],
            cwd=self.project,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=options.pop("stderr", subprocess.PIPE),
            **options,
        )

    def run(self, *arguments: str | Path, expect: int = 0, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run the command and check its exit status."""
        with self.start(*arguments, **options) as process:
            output, errors = process.communicate(timeout=600)
        assert process.returncode == expect, f"{output}\n{errors}"
        assert "Traceback" not in errors
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def json(self, *arguments: str | Path, expect: int = 0) -> Any:
        """Run the command with --json: exactly one JSON object is on standard output."""
        return json.loads(self.run(*arguments, "--json", expect=expect).stdout)


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of a small company."""
    folder = tmp_path_factory.mktemp("exports")
    Command(folder / "unused").run("generate", "--customers", "30", "--format", "csv", "--out", folder)
    return folder


@pytest.fixture(scope="session")
def jumping_clock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which CLOCK_JUMP moves the clock of a process; skips the test where it cannot be made."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux to move the clock of a process")
    source = PROJECT_DIR / "tests/python/building/clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.fixture
def broken_project(tmp_path: Path) -> Path:
    """A copy of the project in which a test may break what it likes."""
    project = tmp_path / "project"
    for name in _COPIED:
        source = PROJECT_DIR / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            project.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, project / name)
    return project
