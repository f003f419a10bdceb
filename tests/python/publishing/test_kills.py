"""kill -9 at random moments of publishing and rolling back, while readers poll."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from publishing.companies import keep, marks
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.publishing.files import PARTIAL
from warehouse.publishing.live import live_version, publish_version, published_state, roll_back

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{PROJECT_DIR / 'scripts'}{os.pathsep}{HERE.parent}"}
# `make torture` sets it to 500.
KILLS = int(os.environ.get("WAREHOUSE_TORTURE_KILLS", "12"))


def test_no_kill_ever_shows_a_reader_a_mixed_or_broken_file(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    publish_version(paths, keep(paths, "first", rows=200_000))
    keep(paths, "second", rows=200_000)
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, HERE / "polling.py", paths.published_file, stop],
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        for _ in range(2)
    ]
    chance = random.Random(20250701)
    try:
        for _ in range(KILLS):
            swapper = subprocess.Popen(
                [sys.executable, HERE / "swapping.py", paths.root], stdout=subprocess.PIPE, env=ENVIRONMENT
            )
            assert swapper.stdout is not None
            assert swapper.stdout.readline() == b"swapping\n"
            time.sleep(chance.uniform(0, 0.3))
            swapper.kill()
            swapper.wait()
            assert published_state(paths) == "live"
            assert len(marks(paths.published_file)) == 1
    finally:
        stop.touch()
        reports = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    for report in reports:
        assert report["wrong"] == []
        assert report["reads"] > KILLS
        assert set(report["runs"]) <= {"first", "second"}
    sys.stdout.write(f"{KILLS} kills, {sum(report['reads'] for report in reports)} reads, none wrong\n")
    # Whatever the last kill left, the next command works and cleans up.
    live = live_version(paths)
    assert live is not None
    other = keep(paths, "third")
    publish_version(paths, other)
    assert roll_back(paths).run_id == live.run_id
    from warehouse.building.folders import sweep

    sweep(paths)
    assert [path for path in paths.root.rglob(f"*{PARTIAL}") if path.parent != paths.root / "builds"] == []


@pytest.mark.parametrize("damaged", ["nothing", "half a file"])
def test_leftovers_of_a_killed_publication_are_swept(tmp_path: Path, damaged: str) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    publish_version(paths, keep(paths, "first"))
    leftover = paths.published / f".warehouse.duckdb.0123{PARTIAL}"
    leftover.write_bytes(b"" if damaged == "nothing" else paths.published_file.read_bytes()[:1000])
    from warehouse.building.folders import sweep

    assert sweep(paths) == 1
    assert not leftover.exists()
    assert marks(paths.published_file) == {"first"}
