"""Where an error that nobody foresaw comes from, without anything it says: its text and its values may quote cells."""

import datetime
import os
import secrets
import traceback
from pathlib import Path

from warehouse.paths import WarehousePaths


def kind_and_places(error: BaseException) -> str:
    """Return the types of an error and of those it comes from, the first one first, and the frames of each.

    A frame is file:line:function. Neither messages nor lines of code nor local values are in it.
    """
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        places = [f"  {frame.filename}:{frame.lineno}:{frame.name}" for frame in _frames(current)]
        lines[:0] = [f"{type(current).__module__}.{type(current).__qualname__}", *places]
        current = current.__cause__ or current.__context__
    return "\n".join(lines) + "\n"


def _frames(error: BaseException) -> traceback.StackSummary:
    return traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)


def note_unforeseen(paths: WarehousePaths, error: BaseException) -> Path | None:
    """Write kind and places of an error to a new file below WAREHOUSE_DIR/logs.

    Return the file; None when it cannot be written, because the error is what the user has to hear of.
    """
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    path = paths.logs / f"error-{now}-{os.getpid()}-{secrets.token_hex(3)}.txt"
    try:
        paths.logs.mkdir(parents=True, exist_ok=True)
        path.write_text(kind_and_places(error), encoding="utf-8")
    except OSError:
        return None
    return path
