"""kill -9 at random moments of publishing and rolling back, while readers poll."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from publishing.companies import keep, marks
from publishing.forked import ENVIRONMENT, HERE, KILLS, Forked
from publishing.polling import read_contents
from warehouse.building.folders import sweep
from warehouse.files import PARTIAL
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import live_version, publish_version, published_state, roll_back


def test_no_kill_ever_shows_a_reader_a_mixed_or_broken_file(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    versions = [keep(paths, run_id, rows=100_000) for run_id in ("first", "second")]
    publish_version(paths, versions[0])
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, HERE / "polling.py", paths.published_file, stop, "0.002"],
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        for _ in range(2)
    ]
    chance = random.Random(20250701)
    shown = {"first": 0, "second": 0}
    try:
        with Forked("swap") as swapper:
            for _ in range(KILLS):
                swapper.killed(paths, chance.uniform(0, 0.3))
                assert published_state(paths) == "live"
                (run_id,) = marks(paths.published_file)
                shown[run_id] += 1
    finally:
        stop.touch()
        reports = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    whole = {version.run_id: [read_contents(version.file)[1]] for version in versions}
    for report in reports:
        assert report["wrong"] == []
        assert report["reads"] >= KILLS / 4
        assert report["runs"].items() <= whole.items()
    reads = sum(report["reads"] for report in reports)
    sys.stdout.write(f"{KILLS} kills of publications and rollbacks ({shown}), {reads} reads, none wrong\n")
    # Whatever the last kill left, the next command works and cleans up.
    live = live_version(paths)
    assert live is not None
    other = keep(paths, "third")
    publish_version(paths, other)
    assert roll_back(paths).run_id == live.run_id
    sweep(paths)
    assert list(paths.root.rglob(f"*{PARTIAL}")) == []


@pytest.mark.parametrize("damaged", ["nothing", "half a file"])
def test_leftovers_of_a_killed_publication_are_swept(tmp_path: Path, damaged: str) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    publish_version(paths, keep(paths, "first"))
    leftover = paths.published / f".warehouse.duckdb.0123{PARTIAL}"
    leftover.write_bytes(b"" if damaged == "nothing" else paths.published_file.read_bytes()[:1000])
    assert sweep(paths) == 1
    assert not leftover.exists()
    assert marks(paths.published_file) == {"first"}
