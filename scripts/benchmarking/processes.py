"""Runs a command in a process of its own and says what it cost."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import WarehouseError

_KILOBYTES = 1024


@dataclass(frozen=True)
class Cost:
    """Of one process and the children it waited for: seconds of wall clock and CPU, peak resident memory in MB."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


def run_measured(name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end, its output going to `log`.

    Raises WarehouseError when it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        # wait4 gives the resources of this one child; a process object would only give its exit status.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise WarehouseError(f"bench: {name} failed with exit status {process.returncode}; see {log}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _KILOBYTES)
