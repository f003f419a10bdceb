"""Cells that a spreadsheet would take for formulas, neutralised so that reading undoes it exactly.

A text that starts with one of the signs of a formula gets an apostrophe before it, and so does a text that starts
with apostrophes and then such a sign: taking one apostrophe off is then the inverse for every text. Plain negative
numbers are no formulas and stay. So does what follows a semicolon, a pipe, a tab or a line break, and a quote behind
these: a spreadsheet that splits at them, as many do where the comma is the decimal sign, makes cells of it.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = "=+\\-@\t\r\n＝＋－＠﹢﹣﹦﹫−"
_SEPARATORS = r"[;|\t\r\n]"
_BEGINNING = rf"(?:\A|(?<={_SEPARATORS})|(?<={_SEPARATORS}\"))"
_PLAIN_NUMBER = rf"-[0-9]+(?:\.[0-9]+)?(?:\"?{_SEPARATORS}|\Z)"
_FORMULA = re.compile(f"{_BEGINNING}(?!{_PLAIN_NUMBER})(?='*[{_SIGNS}])")
_ESCAPED = re.compile(f"{_BEGINNING}'(?='*[{_SIGNS}])")


def neutralised(text: str) -> str:
    """Return the text as a spreadsheet shows it and never computes it."""
    return _FORMULA.sub("'", text)


def restored(text: str) -> str:
    """Return what `neutralised` was given."""
    return _ESCAPED.sub("", text)


def restored_array(array: pa.Array) -> pa.Array:
    """Return a string array with every cell restored."""
    if not pc.any(pc.match_substring(array, "'"), min_count=1).as_py():
        return array
    return pa.array([None if text is None else restored(text) for text in array.to_pylist()], pa.string())
