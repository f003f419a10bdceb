"""Starts forking.py and kills what it starts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from warehouse.paths import PROJECT_DIR, WarehousePaths

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{PROJECT_DIR / 'scripts'}{os.pathsep}{HERE.parent}"}
# `make torture` sets it to 500.
KILLS = int(os.environ.get("WAREHOUSE_TORTURE_KILLS", "12"))


class Forked:
    """A process of forking.py: `killed` starts its work on a warehouse and kills it after some seconds."""

    def __init__(self, work: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE / "forking.py", work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            text=True,
        )

    def killed(self, paths: WarehousePaths, seconds: float) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{paths.root}\n")
        self.process.stdin.flush()
        fork = int(self.process.stdout.readline())
        time.sleep(seconds)
        os.kill(fork, signal.SIGKILL)
        self.process.stdin.write("killed\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ended\n"

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
