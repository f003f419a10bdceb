"""The published file: what is in it, whether it is whole, and swapping another one in."""

import datetime
import os
import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from warehouse.engine import literal, open_engine
from warehouse.errors import WarehouseError
from warehouse.files import PARTIAL, digest, flush_file, flush_folder
from warehouse.paths import WarehousePaths
from warehouse.publishing.versions import Version, kept_versions, read_stack, write_stack

READ_ONLY = 0o444
# Rolling back takes less than a second: only files up to this size are read whole before (0.3 s, two at a time).
_QUICKLY_READ_BYTES = 400_000_000


def read_mart_run(file: Path) -> dict[str, Any] | None:
    """Return the row of `mart_run` of a published file or version, or None when it cannot be read."""
    if not file.exists():
        return None
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(file))} as live (read_only)")
        cursor = connection.execute("select * from live.marts.mart_run")
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        return dict(zip(names, rows[0], strict=True)) if len(rows) == 1 else None
    except Exception:  # a damaged file raises whatever the engine stumbles over
        return None
    finally:
        connection.close()


def has_purchases(file: Path) -> bool:
    """Tell whether a published file has numbers that depend on the inactivity window."""
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(file))} as live (read_only)")
        query = "select 1 from live.marts.retention_rate where basis = 'purchase' limit 1"
        return bool(connection.execute(query).fetchall())
    except Exception:  # a file of another age or a damaged one
        return False
    finally:
        connection.close()


def live_version(paths: WarehousePaths) -> Version | None:
    """Return the kept version that the published file is, or None when it is no kept one."""
    row = read_mart_run(paths.published_file)
    if row is None:
        return None
    for version in kept_versions(paths).values():
        if version.run_id == row["run_id"]:
            return version
    return None


def is_whole(file: Path, record: dict[str, Any]) -> bool:
    """Tell whether a file has exactly the bytes that were published."""
    try:
        return bool(file.stat().st_size == record["bytes"] and digest(file) == record["sha256"])
    except OSError:
        return False


def is_readable(version: Version) -> bool:
    """Tell whether the file of a version opens and holds its run: no look at every byte."""
    row = read_mart_run(version.file)
    return row is not None and row["run_id"] == version.run_id


def published_state(paths: WarehousePaths) -> str:
    """Return `nothing`, `live` or `damaged`. Every byte is looked at."""
    if not paths.published_file.exists():
        return "nothing"
    version = live_version(paths)
    if version is None:
        # A file of which no version is kept any more is as good as its own run says.
        return "live" if read_mart_run(paths.published_file) else "damaged"
    return "live" if is_whole(paths.published_file, version.record) else "damaged"


def _seems_whole(file: Path, record: dict[str, Any]) -> bool:
    """Tell within a fraction of a second whether a file that can be opened is whole."""
    if record["bytes"] <= _QUICKLY_READ_BYTES:
        return is_whole(file, record)
    return file.exists() and file.stat().st_size == int(record["bytes"])


def _seem_whole(files: Sequence[tuple[Path, dict[str, Any]]]) -> list[bool]:
    """Tell for each file with its record whether it seems whole; they are read side by side."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda each: _seems_whole(*each), files))


def swap_in(paths: WarehousePaths, version: Version, is_instant: bool = False) -> None:
    """Make a version the published file by one rename. Readers that have the old file open keep it.

    A copy leaves the kept version whole whatever happens to the published file; `is_instant` links instead.
    """
    paths.published.mkdir(parents=True, exist_ok=True)
    partial = paths.published / f".{paths.published_file.name}.{secrets.token_hex(4)}{PARTIAL}"
    try:
        _place(version.file, partial, is_instant)
        if not is_instant and not is_whole(partial, version.record):
            raise WarehouseError(f"version {version.run_id} is damaged on the disk: nothing published")
        put_in_place(paths, partial)
    finally:
        partial.unlink(missing_ok=True)


def put_in_place(paths: WarehousePaths, partial: Path) -> None:
    """Make a finished file the published one by a rename."""
    partial.chmod(READ_ONLY)
    flush_file(partial)
    # A log that a writing client left belongs to the file that goes; beside another file it is an error.
    paths.published_file.with_name(paths.published_file.name + ".wal").unlink(missing_ok=True)
    partial.replace(paths.published_file)
    flush_folder(paths.published)


def _place(source: Path, target: Path, is_instant: bool) -> None:
    if is_instant:
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return
    shutil.copyfile(source, target)


def publish_version(paths: WarehousePaths, version: Version, accepted: bool = False) -> None:
    """Publish a kept version on top of what is live. Call it while holding the lock of the warehouse."""
    live = live_version(paths)
    stack = read_stack(paths, live.run_id if live else None) if paths.published_file.exists() else []
    if not stack or stack[-1]["run_id"] != version.run_id:
        stack.append({"run_id": version.run_id, "published_at": now_text(), "accepted_change": accepted})
    write_stack(paths, stack)
    swap_in(paths, version)


def roll_back(paths: WarehousePaths, is_damaged: bool | None = None) -> Version:
    """Publish what was live before, passing over damaged versions, and return it.

    A damaged published file is replaced by its own kept version where that is whole: no run is lost. Whether it is
    damaged is looked up, in every byte of a file that is small enough for that, unless the caller knows.
    Raises WarehouseError when there is nothing to go back to.
    """
    versions = kept_versions(paths)
    live = live_version(paths)
    stack = read_stack(paths, live.run_id if live else None)
    before = versions.get(stack[-2]["run_id"]) if len(stack) > 1 else None
    looked_at: dict[str, bool] = {}
    if is_damaged is None:
        is_damaged = live is None
        if live is not None:
            files = [(paths.published_file, live.record)]
            files += [(before.file, before.record)] if before else []
            is_damaged = not (found := _seem_whole(files))[0]
            looked_at = {before.run_id: found[1]} if before else {}
    candidates = stack if is_damaged else stack[:-1]
    for number in range(len(candidates) - 1, -1, -1):
        version = versions.get(candidates[number]["run_id"])
        if version is None:
            continue
        if version.run_id not in looked_at:
            looked_at[version.run_id] = _seems_whole(version.file, version.record)
        if looked_at[version.run_id] and is_readable(version):
            swap_in(paths, version, is_instant=True)
            entry = {**candidates[number], "rolled_back_at": now_text()}
            write_stack(paths, [*candidates[:number], entry])
            return version
    if not paths.published_file.exists():
        raise WarehouseError("nothing is published yet: run `warehouse build`")
    if live is not None and not is_damaged and not is_whole(paths.published_file, live.record):
        # Too large to be read whole at first, and there is nothing earlier: now there is time.
        return roll_back(paths, is_damaged=True)
    raise WarehouseError("no earlier version is kept: nothing to go back to (the published warehouse is unchanged)")


def now_text() -> str:
    """Return this moment (UTC, seconds) as text."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def choose_version(paths: WarehousePaths, run_id: str | None) -> Version:
    """Return the kept version `run_id`, by default the newest that is not live.

    Raises WarehouseError when there is none, or none newer than what is live: going back is a rollback.
    """
    versions = kept_versions(paths)
    live = live_version(paths)
    if run_id is not None:
        if run_id not in versions:
            raise WarehouseError(f"no kept run {run_id}: `warehouse status` lists the kept ones")
        return versions[run_id]
    after = live.record["sequence"] if live else 0
    newer = [version for version in versions.values() if version.record["sequence"] > after]
    if not newer:
        raise WarehouseError(
            "no audited build is waiting: name a kept run (`warehouse status`), or run `warehouse build`"
        )
    return newer[-1]
