"""Cells that a spreadsheet would take for formulas, neutralised so that reading undoes it exactly.

A text that starts with one of the signs of a formula gets an apostrophe before it, and so does a text that starts
with apostrophes and then such a sign: taking one apostrophe off is then the inverse for every text. Plain negative
numbers are no formulas and stay.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = "=+\\-@\t\r\n＝＋－＠﹢﹣﹦﹫−"
_FORMULA = re.compile(f"'*[{_SIGNS}]")
_ESCAPED = re.compile(f"'+[{_SIGNS}]")
_PLAIN_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def neutralised(text: str) -> str:
    """Return the text as a spreadsheet shows it and never computes it."""
    return f"'{text}" if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text) else text


def restored(text: str) -> str:
    """Return what `neutralised` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def restored_array(array: pa.Array) -> pa.Array:
    """Return a string array with every cell restored."""
    if not pc.any(pc.starts_with(array, "'"), min_count=1).as_py():
        return array
    return pa.array([None if text is None else restored(text) for text in array.to_pylist()], pa.string())
