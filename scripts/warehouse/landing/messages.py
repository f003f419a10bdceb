"""What may be shown to a user: names of files and columns, made harmless; never the contents of a cell."""

import re
import unicodedata
from collections.abc import Iterable

from warehouse.errors import WarehouseError

SHOWN_LENGTH = 40
_FILE_NAME_LENGTH = 120


class FileRejectedError(WarehouseError):
    """One file cannot be taken; the other files of the call go on.

    The message is the reason, for the user.
    """


class UnknownFileError(FileRejectedError):
    """A file that no part of the mapping describes; what a folder brought along is passed over."""


def printable(text: str, length: int) -> str:
    """Return `text` with control, format and unassigned characters replaced by `?`, cut to `length`."""
    shown = "".join("?" if unicodedata.category(character)[0] == "C" else character for character in text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def looks_like_data(name: str) -> bool:
    """Tell whether a column name looks like a cell (an address, a date, a number) and is not to be shown."""
    digits = sum(character.isdigit() for character in name)
    letters = sum(character.isalpha() for character in name)
    return bool(re.search("[@＠﹫]|%40", name)) or digits >= 4 or digits >= letters


def looks_like_a_row(names: Iterable[str]) -> bool:
    """Tell whether the cells of a first line are those of a record, so that none of them is to be shown.

    A third of them looks like data: a file without its header has dates, numbers and ids beside what people wrote.
    """
    named = [name for name in names if name.strip()]
    return 3 * sum(map(looks_like_data, named)) > len(named)


def shown_column(name: str, position: int) -> str:
    """Return how a source column is named in a message.

    Its name, or its 1-based position when it looks like data.
    """
    if not name.strip() or looks_like_data(name):
        return f"column {position}"
    return f"'{printable(name.strip(), SHOWN_LENGTH)}'"


def shown_file(name: str) -> str:
    """Return how a file is named in messages and in the landing zone.

    No control characters, no e-mail address.
    """
    from warehouse.landing.personal_data import ADDRESS

    return printable(ADDRESS.sub("(address)", name), _FILE_NAME_LENGTH)
