"""One build, publication or erasure at a time. The lock belongs to the process and dies with it."""

import datetime
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from warehouse.errors import WarehouseError
from warehouse.failures import described_failure
from warehouse.files import read_json, write_json
from warehouse.paths import WarehousePaths

LOCK_FILE = ".build.lock"
OWNER_FILE = ".build.owner.json"
# What holds rows of customers, beside the landing zone; `published` is for BI tools of any user.
PRIVATE_FOLDERS = ("builds", "versions", "cache")


@contextmanager
def exclusive(paths: WarehousePaths, action: str) -> Iterator[None]:
    """Hold the lock of the warehouse while `action` ("a build", "a rollback") runs.

    Raises WarehouseError at once when another process holds it, when the folder cannot be written, and for whatever
    keeps the action from reading or writing its files: each of them is one line for the user.
    """
    import duckdb

    try:
        paths.make_private(*PRIVATE_FOLDERS)
        lock = FileLock(paths.root / LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout:
        raise WarehouseError(_held_message(paths)) from None
    except OSError as error:
        raise WarehouseError(unwritable_message(paths, error)) from None
    try:
        write_json(paths.root / OWNER_FILE, _owner(action))
        yield
    except ConnectionError:
        raise
    except OSError as error:
        raise WarehouseError(unwritable_message(paths, error)) from None
    except duckdb.Error as error:
        raise WarehouseError(engine_message(paths, action, error)) from None
    finally:
        with suppress(OSError):
            (paths.root / OWNER_FILE).unlink(missing_ok=True)
        lock.release()


def unwritable_message(paths: WarehousePaths, error: OSError) -> str:
    """Return what the user reads when a file below WAREHOUSE_DIR cannot be written."""
    reason = error.strerror or "disk error"
    advice = "free space, fix its permissions or check WAREHOUSE_DIR; nothing published was changed"
    return f"cannot write below {paths.root} ({reason}): {advice}"


def engine_message(paths: WarehousePaths, action: str, error: Exception) -> str:
    """Return what the user reads when the engine stopped outside of dbt: no room, no memory, or a damaged file."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
        if os.strerror(number) in str(error):
            return unwritable_message(paths, OSError(number, os.strerror(number)))
    reason = described_failure(error).rstrip(". ")
    advice = "give it more memory by WAREHOUSE_MEMORY_LIMIT; " if "Out of Memory" in reason else ""
    return f"{action} stopped on {paths.root} ({reason}): {advice}nothing published was changed"


def _owner(action: str) -> dict[str, str | int]:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {"action": action, "process": os.getpid(), "since": now}


def _held_message(paths: WarehousePaths) -> str:
    owner = read_json(paths.root / OWNER_FILE)
    if not isinstance(owner, dict):
        return f"another warehouse command works on {paths.root}: wait until it ends"
    return (
        f"{owner['action']} is running on {paths.root} (process {owner['process']}, "
        f"since {owner['since']} UTC): wait until it ends, or end that process"
    )
