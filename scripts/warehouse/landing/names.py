"""Comparing column names: case, blanks, hyphens and invisible characters do not count."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[\s\-_]+")


def normal_name(name: str) -> str:
    """Return the form in which names are compared.

    Compatibility form, no invisible characters, lower snake case.
    """
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return _SEPARATORS.sub("_", unicodedata.normalize("NFKC", visible).strip().casefold()).strip("_")


def quick_name(name: str) -> str:
    """Return nearly what `normal_name` does, fast enough for every cell: plain names come out equal."""
    if not name.isascii():
        return normal_name(name)
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most like `name`, None when none is much like it."""
    by_normal = {normal_name(candidate): candidate for candidate in candidates}
    target = normal_name(name)
    found = difflib.get_close_matches(target, by_normal, n=1, cutoff=0.6)
    if found:
        return by_normal[found[0]]
    words = set(target.split("_"))
    shared = [each for each in by_normal if words & set(each.split("_"))]
    return by_normal[min(shared)] if len(shared) == 1 else None
