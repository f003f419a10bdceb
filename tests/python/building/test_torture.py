"""The long faults, run by `make torture`: builds killed at random moments, disks that fill, and little memory."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from building.conftest import Command
from building.small_disk import SmallDisk, small_disk
from publishing.polling import read_contents
from warehouse.files import digest
from warehouse.paths import PROJECT_DIR

pytestmark = pytest.mark.slow
BUILD_KILLS = int(os.environ.get("WAREHOUSE_TORTURE_BUILDS", "5"))
POLLING = PROJECT_DIR / "tests/python/publishing/polling.py"
# What a disk has left when a build begins, as a share of what the build needs.
SHARES_LEFT = (0, 0.05, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.5)


def land_one_order(command: Command, folder: Path, number: int) -> None:
    """Land one more order, so that no two builds have the same marts."""
    orders = folder / f"orders_{number}.csv"
    amount = 100 + number
    orders.write_text(
        f"order_id,account_id,ordered_at,amount\nTORTURE-{number},A00000007,2025-06-01,{amount}\n", "utf-8"
    )
    command.run("land", orders)


def test_builds_killed_at_random_moments_never_show(exports: Path, tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports)
    first = command.json("build")
    longest = first["seconds"] + 3
    whole = {first["run_id"]: read_contents(command.paths.published_file)[1]}
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, POLLING, command.paths.published_file, stop, "0.1"], stdout=subprocess.PIPE
    )
    chance = random.Random(20250701)
    phases: list[str] = []
    for number in range(BUILD_KILLS):
        land_one_order(command, tmp_path, number)
        build = command.start("build")
        time.sleep(chance.uniform(0.2, longest))
        build.kill()
        build.communicate()
        status = command.json("status")
        assert status["state"] == "live"
        phases.append("published" if status["run"]["run_id"] not in whole else "before")
        whole.setdefault(status["run"]["run_id"], read_contents(command.paths.published_file)[1])
    last = command.json("build")
    whole[last["run_id"]] = read_contents(command.paths.published_file)[1]
    stop.touch()
    report = json.loads(reader.communicate(timeout=60)[0])
    sys.stdout.write(
        f"{BUILD_KILLS} killed builds ({phases.count('published')} after they published), {report['reads']} reads, "
        f"{len(whole)} runs published, {len(report['runs'])} of them seen\n"
    )
    assert report["wrong"] == []
    # Every run that was ever read is one that was published, with all its marts as they were audited.
    assert report["runs"].items() <= {run: [contents] for run, contents in whole.items()}.items()


def test_whatever_is_left_on_a_disk_a_build_publishes_or_says_why_not(exports: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=480) as disk:
        command = disk.command()
        command.run("land", exports)
        needed = bytes_needed(disk, command)
        published = failed = 0
        for share in SHARES_LEFT:
            before = digest(disk.published_file)
            build = command.start("build")
            disk.fill_when_begun(build, leave=int(needed * share))
            _, errors = build.communicate(timeout=600)
            sys.stdout.write(f"{share:.0%} of the room a build needs: {errors.splitlines()[-1:] or 'published'}\n")
            assert "Traceback" not in errors
            if build.returncode:
                failed += 1
                assert errors.strip()
                assert digest(disk.published_file) == before
            else:
                published += 1
            status = command.run("status")
            assert "DAMAGED" not in status.stdout
            disk.free()
        assert failed >= 3
        assert published >= 1
        command.run("build")


def bytes_needed(disk: SmallDisk, command: Command) -> int:
    """Return the most bytes that a second build takes at any moment."""
    command.run("build")
    free = least = disk.free_bytes()
    build = command.start("build")
    while build.poll() is None:
        least = min(least, disk.free_bytes())
        time.sleep(0.02)
    build.communicate()
    return free - least


def test_little_memory_spills_and_publishes_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    free = Command(tmp_path / "free")
    free.run("generate", "--customers", "20000", "--format", "parquet", "--out", folder)
    free.run("land", folder)
    free.run("build")
    # Less and less, until the engine has to spill.
    for limit in ("200MB", "130MB", "90MB"):
        command = Command(tmp_path / limit, environment={"WAREHOUSE_MEMORY_LIMIT": limit})
        command.run("land", folder)
        build = command.start("build")
        spilled = most_bytes_spilled(command, build)
        _, errors = build.communicate()
        sys.stdout.write(f"memory limit {limit}: status {build.returncode}, spilled up to {spilled / 1e6:,.0f} MB\n")
        assert "Traceback" not in errors
        if build.returncode:
            assert "Out of Memory" in errors
            assert not command.paths.published_file.exists()
        else:
            assert contents_of_marts(command) == contents_of_marts(free)
            assert not list(command.paths.builds.glob("*/spill"))
            if spilled:
                return
    pytest.fail("no limit made the engine spill and still let it publish")


def most_bytes_spilled(command: Command, build: "subprocess.Popen[str]") -> int:
    """Watch a build to its end and return the most bytes that its files of spilled data had at any moment."""
    most = 0
    while build.poll() is None:
        found = [path.stat().st_size for path in command.paths.builds.glob("current/spill/*") if path.exists()]
        most = max(most, sum(found))
        time.sleep(0.01)
    return most


def contents_of_marts(command: Command) -> dict[str, str]:
    """Return what the record of the live version says about the rows of every mart but those that name the loads."""
    (record,) = (json.loads(path.read_text("utf-8")) for path in command.root.glob("versions/*/run.json"))
    named = ("mart_run", "load_reconciliation", "load_repairs", "quarantined_rows")
    return {name: mart["contents"] for name, mart in record["marts"].items() if name not in named}
