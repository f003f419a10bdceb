"""The long faults, run by `make torture`: builds killed at random moments, and little memory."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from building.conftest import Command
from warehouse.paths import PROJECT_DIR

pytestmark = pytest.mark.slow
BUILD_KILLS = int(os.environ.get("WAREHOUSE_TORTURE_BUILDS", "5"))
POLLING = PROJECT_DIR / "tests/python/publishing/polling.py"


def test_builds_killed_at_random_moments_never_show(exports: Path, tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports)
    begun = time.monotonic()
    published = {command.json("build")["run_id"]}
    longest = time.monotonic() - begun
    stop = tmp_path / "stop"
    reader = subprocess.Popen([sys.executable, POLLING, command.paths.published_file, stop], stdout=subprocess.PIPE)
    chance = random.Random(20250701)
    for _ in range(BUILD_KILLS):
        build = command.start("build")
        time.sleep(chance.uniform(0.2, longest * 1.1))
        build.kill()
        build.communicate()
        status = command.json("status")
        assert status["state"] == "live"
        published.add(status["run"]["run_id"])
    published.add(command.json("build")["run_id"])
    stop.touch()
    report = json.loads(reader.communicate(timeout=60)[0])
    sys.stdout.write(f"{BUILD_KILLS} killed builds, {report['reads']} reads, {len(published)} runs published\n")
    assert report["wrong"] == []
    assert set(report["runs"]) <= published


def test_little_memory_spills_and_publishes(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    command = Command(tmp_path / "warehouse", environment={"WAREHOUSE_MEMORY_LIMIT": "250MB"})
    command.run("generate", "--customers", "20000", "--format", "parquet", "--out", folder)
    command.run("land", folder)
    limited = command.json("build")
    assert limited["state"] == "published"
    assert not list(command.paths.builds.glob("*/spill"))
