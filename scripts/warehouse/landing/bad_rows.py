"""What can be told of rows of bad structure: their key, and the identifiers that a mapping makes of their cells."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow as pa

from warehouse.contract import Column
from warehouse.landing.header import Output, PlannedColumn
from warehouse.landing.mapping import ColumnRule
from warehouse.landing.personal_data import Tokens
from warehouse.landing.rows import BAD_QUOTES, RAGGED_ROW, SWALLOWED_LINES, BadRow, Rows, escaped
from warehouse.landing.texts import trimmed
from warehouse.landing.transform import Changes, Lookups, canonical_column

LONGEST_KEY = 200
# Rows whose cells may stand in the place of others.
_TORN = (RAGGED_ROW, BAD_QUOTES, SWALLOWED_LINES)
# One word with a digit in it.
_IDENTIFIER = re.compile(r"(?=\D*\d)[\w.:/#-]{1,64}")
# What may separate the cells of a line whose structure could not be read: an identifier may hold any of it.
_BETWEEN_CELLS = tuple(
    re.compile(signs) for signs in (r"[\s,;|\"'\x1f]+", r"[,;|\t\r\n\"\x1f]+", r"[\s,:{}\[\]\"]+", r"[,:{}\[\]\"]+")
)
# A cell in quotes may hold separators; CSV doubles the quotes in it, JSON puts a backslash before them.
_QUOTED_CELL = re.compile(r"(?<![^,;|\t\r\n\x1f])[ ]*\"((?:[^\"]|\"\")*)\"")
_QUOTED_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
# A stray separator moves the cells behind it to the right, a missing one to the left.
_SHIFTS = (0, 1, -1)


def words_of(line: str) -> set[str]:
    """Return the words and cells of a raw line, as every kind of separator, and the quotes, would tell them."""
    words = {cell.strip() for between in _BETWEEN_CELLS for cell in between.split(line)}
    if '"' in line:
        words.update(cell.replace('""', '"').strip() for cell in _QUOTED_CELL.findall(line))
        words.update(_unescaped(text).strip() for text in _QUOTED_TEXT.findall(line))
    return words - {""}


def _unescaped(quoted: str) -> str:
    """Return what a quoted text of JSON says; of what is none, what stands between the quotes."""
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        return quoted[1:-1]


class BadRowReader:
    """Reads rows of bad structure as one entity, as far as that can be done."""

    def __init__(self, output: Output, lookups: Lookups, tokens: Tokens) -> None:
        """Read them by this part of a plan."""
        self._output = output
        self._lookups = lookups
        self._tokens = tokens

    def keys(self, bad: Sequence[BadRow]) -> list[str | None]:
        """Return the canonical key of each row where that is surely what stands in its place: it is published.

        Where a row was torn, what a person wrote may have moved there: nothing but the first cell of a line has its
        own place, and the first one of the rest of a torn line is no identifier.
        """
        name = self._output.entity.key[0]
        planned = self._output.columns.get(name)
        places = planned.all_positions if planned is not None else ()
        if planned is None or not places:
            return [None] * len(bad)
        column = next(column for column in self._output.entity.columns if column.name == name)
        keys = self._canonical(planned, column, [row.cells for row in bad])
        return [
            key[:LONGEST_KEY] if key is not None and _is_certain(row, places) else None
            for row, key in zip(bad, keys, strict=True)
        ]

    def made_identifiers(self, bad: Sequence[BadRow], lines: Sequence[str]) -> list[list[str]]:
        """Return the identifiers that the mapping may make of each row and that are no words of its line, sorted.

        An erasure searches the raw `lines` for the identifiers of a customer: it has to know those that a prefix, a
        join or a lookup makes as well. Which cell of a torn row is which nobody knows, so that every word counts for
        every identifier.
        """
        words = [words_of(line) for line in lines]
        distinct = sorted(set().union(*words))
        made: list[set[str]] = [set() for _ in bad]
        for column, planned in self._planned_identifiers():
            width = max(planned.all_positions, default=-1) + 1
            if planned.rule.join or any(part.rule.join for part in planned.parts):
                for cells in _beside([row.cells for row in bad], planned.all_positions):
                    for found, identifier in zip(made, self._canonical(planned, column, cells), strict=True):
                        found.update([identifier] if identifier is not None else [])
                continue
            identifiers = self._canonical(planned, column, [[word] * width for word in distinct])
            of_word = dict(zip(distinct, identifiers, strict=True))
            for found, of_line in zip(made, words, strict=True):
                found.update(identifier for word in of_line if (identifier := of_word[word]) is not None)
        return [sorted(found - of_line) for found, of_line in zip(made, words, strict=True)]

    def _planned_identifiers(self) -> Iterator[tuple[Column, PlannedColumn]]:
        """Yield the columns of identifiers that are not cells as they stand; of alternatives each one alone."""
        for column in self._output.entity.columns:
            planned = self._output.columns.get(column.name)
            if column.type != "id" or planned is None or planned.rule.is_generated:
                continue
            if planned.parts:
                yield from ((column, replace(planned, parts=(part,))) for part in planned.parts)
            elif _changes_cells(planned.rule):
                yield column, planned

    def _canonical(
        self, planned: PlannedColumn, column: Column, cells: Sequence[Sequence[str | None]]
    ) -> list[str | None]:
        """Return what the rule of a column makes of each row of source cells."""
        columns = {
            place: pa.array([self._safe(_cell(row, place)) for row in cells], pa.string())
            for place in planned.all_positions
        }
        numbers = np.arange(len(cells), dtype=np.int64)
        rows = Rows(columns, numbers, numbers, len(cells), len(cells))
        texts: list[str | None] = canonical_column(planned, column, rows, self._lookups, Changes()).to_pylist()
        return texts

    def _safe(self, cell: str | None) -> str | None:
        """Return a cell without addresses as text that any file can hold."""
        if not cell:
            return None
        return trimmed(self._tokens.text(escaped(cell)))


def _is_certain(row: BadRow, places: Sequence[int]) -> bool:
    """Tell whether the cells at these places are surely those of the columns."""
    if max(places) >= len(row.cells):
        return False
    is_identifier = _IDENTIFIER.fullmatch((row.cells[0] or "").strip()) is not None
    return row.reason not in _TORN or (max(places) == 0 and is_identifier)


def _changes_cells(rule: ColumnRule) -> bool:
    """Tell whether the rule makes other identifiers than stand in the cells."""
    return bool(rule.values or rule.first_part or rule.prefix or rule.lookup or rule.join or rule.constant)


def _beside(rows: Sequence[Sequence[str | None]], places: Sequence[int]) -> Iterator[list[list[str | None]]]:
    """Yield the cells of these places, and in turn those on their right and left, in rows that reach the last place."""
    shifts = product(_SHIFTS, repeat=len(places)) if len(places) <= len(_SHIFTS) else [(0,) * len(places)]
    for chosen in shifts:
        source = dict(zip(places, (place + shift for place, shift in zip(places, chosen, strict=True)), strict=True))
        yield [[_cell(row, source.get(place, place)) for place in range(max(places) + 1)] for row in rows]


def _cell(cells: Sequence[str | None], place: int) -> str | None:
    return cells[place] if 0 <= place < len(cells) else None
