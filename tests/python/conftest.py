"""Makes the packages beside this file importable as they are named, and spreads the work over workers and cores."""

import os
import sys
from pathlib import Path

import pytest

# Matrices of four rows gain nothing from threads, which wait for each other where several workers share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# What takes long starts early: the last test of a worker should be a short one.
LONG_FIRST = (
    "building/test_whole_build.py",
    "recomputation/test_whole_command.py",
    "known_answers",
    "building",
    "erasing",
    "publishing",
    "recomputation/test_against_the_warehouse.py",
    "recomputation",
    "value_models",
)


def place(item: pytest.Item) -> int:
    """Return the place of a test's file in LONG_FIRST, behind all of them when it is not there."""
    name = item.path.relative_to(HERE).as_posix()
    return next((place for place, prefix in enumerate(LONG_FIRST) if name.startswith(prefix)), len(LONG_FIRST))


def work_group(item: pytest.Item, number: int) -> str:
    """Return the tests that one worker runs together: those of a file, as they share its builds.

    A module may say otherwise: WORK_GROUPS names the fixtures whose tests, in whatever file, belong together;
    WORK_SHARES is the number of shares that its tests, which share nothing dear, are dealt out to.
    """
    module = getattr(item, "module", None)
    for fixture in getattr(module, "WORK_GROUPS", ()):
        if fixture in getattr(item, "fixturenames", ()):
            return str(fixture)
    return f"{item.path}-{number % getattr(module, 'WORK_SHARES', 1)}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests and group them for `--dist loadgroup`."""
    items.sort(key=place)
    for number, item in enumerate(items):
        item.add_marker(pytest.mark.xdist_group(work_group(item, number)))
