"""Run as a process by the tests: starts what is to be killed in a fork of itself, once for every line it reads.

A fork begins at once with everything imported, so that a kill at a random moment falls into the work.
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from warehouse.locks import exclusive
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import live_version, publish_version, roll_back
from warehouse.publishing.versions import kept_versions
from warehouse.runs.erasing import erase_customer

# Imported where they are used; a fork should not have to.
for name in ("duckdb", "pyarrow.compute", "pyarrow.parquet"):
    importlib.import_module(name)


def started() -> None:
    """Tell the test that the work begins and whom to kill."""
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()


def swap_without_end(paths: WarehousePaths) -> None:
    """Publish the version that is not live, roll back, and so on."""
    with exclusive(paths, "a torture"):
        started()
        while True:
            live = live_version(paths)
            for version in kept_versions(paths).values():
                if live is None or version.run_id != live.run_id:
                    publish_version(paths, version)
                    live = version
            roll_back(paths)


def erase(paths: WarehousePaths) -> None:
    """Erase the customer of the erasing tests."""
    started()
    erase_customer(paths, "ACC-SECRET")


WORK: dict[str, Callable[[WarehousePaths], None]] = {"swap": swap_without_end, "erase": erase}


def main(work: Callable[[WarehousePaths], None]) -> None:
    """Start the work on the warehouse that a line names; at the next line, wait for its end and say `ended`."""
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            work(WarehousePaths(Path(line.strip())))
            os._exit(0)
        # Until then a work that has ended keeps its number, and the kill hits nobody else.
        sys.stdin.readline()
        os.waitpid(process, 0)
        sys.stdout.write("ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(WORK[sys.argv[1]])
