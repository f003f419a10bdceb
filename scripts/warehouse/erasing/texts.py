r"""Finds a customer in what others wrote: the tokens of addresses, and names as whole words.

People write names in any case. Where a script has no blanks between words (Chinese, Japanese, Thai and their like), a
word ends nowhere: a name is found beside any of its signs. Patterns are for Arrow and DuckDB (RE2, which looks
neither back nor ahead): what stands before and after a name is captured, and put back by `REPLACED`.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.engine import literal

REPLACEMENT = "(erased)"
REPLACED = rf"\1{REPLACEMENT}\2"
# Shorter names are words of other texts as well.
SHORTEST_NAME = 4
# A name beside a name shares the blank between them: the second one is found when the first is gone.
_TIMES = 2
# The engines refuse patterns that grow too large.
_CHARACTERS_PER_PATTERN = 10_000
_UNSPACED = "".join(
    rf"\p{{{script}}}" for script in ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
)
# The same scripts for Python, as far as names begin and end with them.
_UNSPACED_SIGN = re.compile(
    r"[\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_BETWEEN_WORDS = rf"[^\pL\pM\pN_]|[{_UNSPACED}]"
_EDGES = {False: (rf"(^|{_BETWEEN_WORDS})", rf"($|{_BETWEEN_WORDS})"), True: ("()", "()")}


def patterns_of_tokens(tokens: Iterable[str]) -> list[str]:
    """Return patterns that find these tokens."""
    return [f"()(?:{found})()" for found in _alternatives(sorted(set(tokens)))]


def patterns_of_names(names: Iterable[str]) -> list[str]:
    """Return patterns that find these names as whole words in any case; none for names that are too short.

    Longer names come first, so that a name is replaced before a part of it is: replace by one after the other.
    """
    wanted = {name.strip() for name in names}
    patterns: list[str] = []
    by_edges = sorted(
        (name for name in wanted if len(name) >= SHORTEST_NAME),
        key=lambda name: (tuple(not edge for edge in _unspaced_edges(name)), -len(name), name),
    )
    for (left, right), alike in groupby(by_edges, _unspaced_edges):
        before, after = _EDGES[left][0], _EDGES[right][1]
        patterns += [f"(?i){before}(?:{found}){after}" for found in _alternatives(alike)]
    return patterns


def _unspaced_edges(name: str) -> tuple[bool, bool]:
    return bool(_UNSPACED_SIGN.match(name[0])), bool(_UNSPACED_SIGN.match(name[-1]))


def _alternatives(texts: Iterable[str]) -> Iterator[str]:
    """Yield alternatives of texts, in their order, that are no longer than the engines take."""
    waiting: list[str] = []
    length = 0
    for text in texts:
        waiting.append(re.escape(text))
        length += len(text)
        if length >= _CHARACTERS_PER_PATTERN:
            yield "|".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield "|".join(waiting)


def redacted(values: pa.ChunkedArray, patterns: Iterable[str]) -> pa.ChunkedArray | None:
    """Return the texts without what the patterns find, or None where they find nothing."""
    is_changed = False
    for pattern in patterns:
        for _ in range(_TIMES):
            if not pc.any(pc.match_substring_regex(values, pattern), min_count=1).as_py():
                break
            values = pc.replace_substring_regex(values, pattern, REPLACED)
            is_changed = True
    return values if is_changed else None


def redacted_sql(expression: str, patterns: Iterable[str]) -> str:
    """Return the SQL of a text without what the patterns find."""
    for pattern in patterns:
        for _ in range(_TIMES):
            expression = f"regexp_replace({expression}, {literal(pattern)}, {literal(REPLACED)}, 'g')"
    return expression
