"""One build, publication or erasure at a time. The lock belongs to the process and dies with it."""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from warehouse.errors import WarehouseError
from warehouse.paths import WarehousePaths
from warehouse.publishing.files import read_json, write_json

LOCK_FILE = ".build.lock"
OWNER_FILE = ".build.owner.json"


@contextmanager
def exclusive(paths: WarehousePaths, action: str) -> Iterator[None]:
    """Hold the lock of the warehouse while `action` ("a build", "a rollback") runs.

    Raises WarehouseError at once when another process holds it, or when the folder cannot be written.
    """
    try:
        paths.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(paths.root / LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout:
        raise WarehouseError(_held_message(paths)) from None
    except OSError as error:
        raise WarehouseError(unwritable_message(paths, error)) from None
    try:
        _write_owner(paths, action)
        yield
    finally:
        (paths.root / OWNER_FILE).unlink(missing_ok=True)
        lock.release()


def unwritable_message(paths: WarehousePaths, error: OSError) -> str:
    """Return what the user reads when a file below WAREHOUSE_DIR cannot be written."""
    reason = error.strerror or "disk error"
    advice = "free space or fix its permissions; nothing published was changed"
    return f"cannot write below {paths.root} ({reason}): {advice}"


def _write_owner(paths: WarehousePaths, action: str) -> None:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
    try:
        write_json(paths.root / OWNER_FILE, {"action": action, "process": os.getpid(), "since": now})
    except OSError as error:
        raise WarehouseError(unwritable_message(paths, error)) from None


def _held_message(paths: WarehousePaths) -> str:
    owner = read_json(paths.root / OWNER_FILE)
    if not isinstance(owner, dict):
        return f"another warehouse command works on {paths.root}: wait until it ends"
    return (
        f"{owner['action']} is running on {paths.root} (process {owner['process']}, "
        f"since {owner['since']} UTC): wait until it ends, or end that process"
    )
