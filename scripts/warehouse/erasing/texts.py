"""Finds the texts of an erased customer where others wrote them. People write names in any case."""

import re
from collections.abc import Iterable

REPLACEMENT = "(erased)"
# The engines refuse patterns that grow too large.
_CHARACTERS_PER_PATTERN = 10_000


def patterns_of(texts: Iterable[str]) -> list[str]:
    """Return regular expressions for Arrow and DuckDB (RE2) that find these texts in any case; none for no text.

    Longer texts come first, so that a text is replaced before a part of it is: replace by one after the other.
    """
    patterns: list[str] = []
    waiting: list[str] = []
    length = 0
    for text in sorted(set(texts), key=lambda text: (-len(text), text)):
        waiting.append(re.escape(text))
        length += len(text)
        if length >= _CHARACTERS_PER_PATTERN:
            patterns.append("(?i)" + "|".join(waiting))
            waiting, length = [], 0
    if waiting:
        patterns.append("(?i)" + "|".join(waiting))
    return patterns


def names_any(lines: Iterable[str], texts: Iterable[str]) -> list[bool]:
    """Tell for each line whether one of the texts stands in it, in any case."""
    folded = {text.casefold() for text in texts}
    return [any(text in line for text in folded) for line in map(str.casefold, lines)]
