"""A small disk of a test's own, that can be filled while a build runs."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from building.conftest import Command


@dataclass(frozen=True)
class SmallDisk:
    """A file system in memory, mounted at `folder` where only the processes of the command see it."""

    folder: Path
    holder: int

    @property
    def inside(self) -> Path:
        """The folder as it is seen from outside."""
        return Path(f"/proc/{self.holder}/root") / self.folder.relative_to("/")

    @property
    def published_file(self) -> Path:
        """The published warehouse as it is seen from outside."""
        return self.inside / "warehouse" / "published" / "warehouse.duckdb"

    def command(self, **environment: str) -> "DiskCommand":
        """Return the command with its WAREHOUSE_DIR on this disk."""
        return DiskCommand(self.folder / "warehouse", environment=environment, holder=self.holder)

    def free_bytes(self) -> int:
        """Return what is free."""
        found = os.statvfs(self.inside)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Fill the disk but for some bytes."""
        size = self.free_bytes() - leave
        if size > 0:
            with (self.inside / "filler").open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)

    def fill_when_begun(self, build: "subprocess.Popen[str]", leave: int = 0) -> None:
        """Fill the disk as soon as a build has found that there is room enough."""
        current = self.inside / "warehouse" / "builds" / "current"
        before = current.readlink() if current.is_symlink() else None
        while build.poll() is None:
            if current.is_symlink() and current.readlink() != before:
                self.fill(leave)
                return
            time.sleep(0.001)

    def free(self) -> None:
        """Remove what filled the disk."""
        (self.inside / "filler").unlink(missing_ok=True)


@dataclass(frozen=True)
class DiskCommand(Command):
    """The command, run where the small disk is mounted."""

    holder: int = 0

    def start(self, *arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
        """Start the command without waiting."""
        wrapper = ("nsenter", "-t", str(self.holder), "--user", "--mount", f"--wd={self.project}")
        return super().start(*arguments, **{"wrapper": wrapper, **options})


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Yield a mounted disk; skips the test where that is not allowed."""
    folder.mkdir()
    script = f"mount -t tmpfs -o size={megabytes}m none {folder} && echo mounted && exec sleep 3600"
    try:
        holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError:
        pytest.skip("needs unshare to mount a small disk")
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != "mounted\n":
            pytest.skip("this machine does not let the test mount a small disk")
        disk = SmallDisk(folder, holder.pid)
        if subprocess.run(["nsenter", "-t", str(holder.pid), "--user", "--mount", "true"], check=False).returncode:
            pytest.skip("this machine does not let the test enter where the small disk is mounted")
        yield disk
    finally:
        holder.kill()
        holder.communicate()
