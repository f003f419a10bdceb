"""Whose a row of bad structure is. Which of its cells is which nobody knows, so that little of it counts.

A line is the customer's when it holds
  an account id of the customer, as a word, as a cell, or as what the mapping makes of one,
  the token of an address of the customer as a whole cell,
  at its beginning, or as its key where that could be told, an id of the customer of the line's own entity.
Other ids in it do not count: the order 1 of a customer is not the quantity 1 in somebody else's line.
"""

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from warehouse.erasing.columns import KEYS
from warehouse.erasing.memory import Contains
from warehouse.landing.bad_rows import words_of
from warehouse.landing.personal_data import TOKEN

# The name of the first value, in a line of JSON.
_FIRST_NAME = re.compile(r"\s*(?:[\[{]\s*)*(?:\"(?:[^\"\\]|\\.)*\"\s*:\s*)?")
_FIRST_CELL = re.compile(r"\"((?:[^\"]|\"\")*)\"|([^,;|\t\r\n\x1f}]*)")
_BETWEEN_CELLS = re.compile(r"[,;|\t\r\n\"\x1f]+")


def lines_of_erased(table: pa.Table, contains: Contains) -> list[bool]:
    """Tell for each row of the landing zone's quarantine whether it belongs to an erased customer."""
    rows = table.to_pylist()
    accounts = [
        {*words_of(row["raw_line"] or ""), *(row.get("made_identifiers") or ()), *_keys(row, "account")} for row in rows
    ]
    found = _any_erased("account", accounts, contains)
    tokens = [set(filter(TOKEN.fullmatch, map(str.strip, _BETWEEN_CELLS.split(row["raw_line"] or "")))) for row in rows]
    found = [left or right for left, right in zip(found, _any_erased("respondent", tokens, contains), strict=True)]
    for kind in {key.kind for key in KEYS.values() if len(key.columns) == 1}:
        keys = [_keys(row, kind) for row in rows]
        found = [left or right for left, right in zip(found, _any_erased(kind, keys, contains), strict=True)]
    return found


def _any_erased(kind: str, words: Iterable[set[str]], contains: Contains) -> list[bool]:
    """Tell for each set of words whether one of them is an erased identifier of this kind."""
    words = list(words)
    distinct = sorted(set().union(*words))
    erased = contains(kind, pa.array(distinct, pa.string())).to_pylist()
    hits = {word for word, is_erased in zip(distinct, erased, strict=True) if is_erased}
    return [not hits.isdisjoint(each) for each in words]


def _keys(row: dict[str, Any], kind: str) -> set[str]:
    """Return what may be the key of a row whose entity has keys of this kind, else nothing."""
    key = KEYS.get(row["entity"])
    if (key.kind if key else "account" if row["entity"] == "accounts" else None) != kind:
        return set()
    line = row["raw_line"] or ""
    opening = _FIRST_NAME.match(line)
    cell = _FIRST_CELL.match(line, opening.end() if opening else 0)
    first = "" if cell is None else (cell[1] or "").replace('""', '"') or (cell[2] or "")
    return {text for text in (row["key_value"], first.strip()) if text}
