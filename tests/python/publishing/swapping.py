"""Run as a process by the tests: publishes and rolls back without end, until it is killed."""

import sys
from pathlib import Path

from warehouse.building.locks import exclusive
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import live_version, publish_version, roll_back
from warehouse.publishing.versions import kept_versions


def swap_without_end(paths: WarehousePaths) -> None:
    """Publish the version that is not live, roll back, and so on."""
    with exclusive(paths, "a torture"):
        sys.stdout.write("swapping\n")
        sys.stdout.flush()
        while True:
            live = live_version(paths)
            for version in kept_versions(paths).values():
                if live is None or version.run_id != live.run_id:
                    publish_version(paths, version)
                    live = version
            roll_back(paths)


if __name__ == "__main__":
    swap_without_end(WarehousePaths(Path(sys.argv[1])))
