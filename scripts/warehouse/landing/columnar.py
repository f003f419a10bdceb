"""Rows out of columns of text, vectorised: Parquet.

Looks at whole columns find the few rows whose structure may be bad. These are judged one by one by the code that
judges the rows of every other kind of file, so that the verdicts are the same.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.landing.names import normal_name
from warehouse.landing.personal_data import has_sign
from warehouse.landing.rows import LARGEST_CELL, RowCollector, Rows, Shape, escaped
from warehouse.landing.texts import Bytes, Cells, Mask, Positions, trimmed_array

_JUDGED_AT_ONCE = 5_000
# Letters and signs that a name keeps when it is normalised: a text that holds one becomes no ASCII name.
_NEVER_ASCII = re.compile(
    "[\u00c0-\u00de\u00e0-\u00ff\u0391-\u03a9\u03b1-\u03c9\u0400-\u045f\u05d0-\u05ea\u0620-\u064a\u0904-\u0939"
    "\u0e01-\u0e30\u2018-\u201e\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\U0001f300-\U0001f64f]"
)
_LARGEST_ASCII_BLANK = ord(" ")
# Beyond it not every whole number is a double.
_LARGEST_WHOLE = 2.0**53


def as_text(column: pa.Array) -> pa.Array:
    """Return a column of any type as text; nested values as JSON. Raises pa.ArrowException for what is no text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = pc.cast(column, pa.timestamp(kind.unit, "UTC"))
    if pa.types.is_nested(kind):
        values = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return pa.array(values, pa.string())
    if pa.types.is_floating(kind):
        return _numbers_as_text(column)
    return pc.cast(column, pa.string())


def _numbers_as_text(column: pa.Array) -> pa.Array:
    """Return whole numbers without a point or an exponent: tools that know no missing integers keep ids as doubles."""
    values = pc.cast(column, pa.float64())
    is_whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), _LARGEST_WHOLE))
    whole = pc.cast(pc.if_else(is_whole, values, pa.scalar(None, pa.float64())), pa.int64())
    return pc.coalesce(pc.cast(whole, pa.string()), pc.cast(column, pa.string()))


class ColumnReader:
    """Turns batches of text columns into blocks of rows."""

    def __init__(self, shape: Shape) -> None:
        """Read rows of this shape."""
        self._shape = shape
        names = {normal_name(name) for name in shape.names[: shape.named]}
        self._may_repeat_header = shape.named > 1
        # Whatever is a header, repeated or in another order, has a cell of this name.
        telling = sorted((shape.required or names) - {""}, key=lambda name: (name.isascii(), len(name), name))
        self._mark = telling[-1] if telling else None

    def wants(self, position: int) -> bool:
        """Tell whether the cells of a column are landed."""
        return position in self._shape.wanted

    def rows(self, columns: Sequence[pa.Array]) -> Rows:
        """Return the rows of one batch, given as string arrays of one length for every column of the file.

        Raises pa.ArrowException for bytes that are no UTF-8, FileRejectedError for a second header.
        """
        shape, count = self._shape, len(columns[0]) if columns else 0
        wanted = frozenset(shape.wanted)
        suspects = np.zeros(count, dtype=bool)
        if self._may_repeat_header and self._mark is None:
            suspects[:] = True
        filled: Mask | None = np.zeros(count, dtype=bool)
        kept: dict[int, pa.Array] = {}
        trimmed_places: list[Positions] = []
        has_multibyte = has_signs = False
        for position, column in enumerate(columns):
            cells = Cells(column)
            if not cells.is_ascii:
                column.validate(full=True)
                has_multibyte = True
            if b"\0" in cells.bytes:
                suspects[cells.places_of(0)] = True
            if count and int(cells.lengths.max()) > LARGEST_CELL:
                suspects |= cells.lengths > LARGEST_CELL
            if position >= shape.named:
                suspects |= cells.lengths > 0
            suspects[self._places_of_mark(cells)] = True
            trimmed, places = trimmed_array(column, cells)
            if filled is not None:
                filled = filled | trimmed.is_valid().to_numpy(zero_copy_only=False) if trimmed.null_count else None
            if position in wanted:
                kept[position] = trimmed
                trimmed_places.append(places)
                has_signs = has_signs or has_sign(cells.bytes)
        if filled is not None:
            suspects |= ~filled
        rows = Rows(
            columns=kept,
            lines=np.arange(count, dtype=np.int64),
            records=np.arange(count, dtype=np.int64),
            line_count=count,
            record_count=count,
            has_multibyte=has_multibyte,
            has_signs=has_signs,
        )
        is_good = self._judge(columns, np.flatnonzero(suspects), rows)
        rows.was_trimmed = any(bool(is_good[places].any()) for places in trimmed_places)
        return rows

    def _judge(self, columns: Sequence[pa.Array], suspects: Positions, rows: Rows) -> Mask:
        """Take the rows that are bad or blank out of `rows`; return which of its rows stay."""
        is_good, is_record = np.ones(rows.count, dtype=bool), np.ones(rows.count, dtype=bool)
        collector = RowCollector(self._shape)
        for start in range(0, len(suspects), _JUDGED_AT_ONCE):
            places = suspects[start : start + _JUDGED_AT_ONCE]
            texts = [column.take(pa.array(places)).to_pylist() for column in columns]
            for place, cells in zip(places.tolist(), zip(*texts, strict=True), strict=True):
                if not any(cell and not cell.isspace() for cell in cells):
                    is_good[place] = is_record[place] = False
                    continue
                known = len(collector.bad)
                collector.add(place, cells, partial(_shown, cells), False)
                is_good[place] = len(collector.bad) == known
        if not is_good.all():
            keep = pa.array(is_good)
            records = np.cumsum(is_record) - 1
            rows.columns = {position: column.filter(keep) for position, column in rows.columns.items()}
            rows.lines, rows.records = rows.lines[is_good], records[is_good].astype(np.int64)
            rows.record_count = int(is_record.sum())
            rows.bad = [replace(each, record=int(records[each.line])) for each in collector.bad]
        return is_good

    def _places_of_mark(self, cells: Cells) -> Positions:
        """Return the places of the cells that are, normalised, the name that every header has."""
        mark = self._mark
        if not self._may_repeat_header or mark is None or cells.begin == cells.end:
            return np.empty(0, dtype=np.intp)
        is_candidate = np.zeros(len(cells.lengths), dtype=bool)
        if mark.isascii() and int(cells.lengths.max()) >= len(mark):
            is_candidate = cells.lengths >= len(mark)
            is_candidate &= _may_be(cells.first_bytes, mark[0]) & _may_be(cells.last_bytes, mark[-1])
        if not cells.is_ascii:
            is_candidate |= cells.holds_multibyte()
        places = np.flatnonzero(is_candidate)
        if not len(places):
            return places
        encoded = pc.dictionary_encode(cells.array.take(pa.array(places)))
        is_mark = np.array([self._is_mark(text) for text in encoded.dictionary.to_pylist()], dtype=bool)
        if not is_mark.any():
            return places[:0]
        found: Mask = pc.fill_null(pa.array(is_mark).take(encoded.indices), False).to_numpy(zero_copy_only=False)
        return places[found]

    def _is_mark(self, text: str) -> bool:
        is_ascii = text.isascii()
        if self._mark is None or (is_ascii and not self._mark.isascii()):
            return False
        if not is_ascii and self._mark.isascii() and _NEVER_ASCII.search(text):
            return False
        return normal_name(text) == self._mark


def _may_be(edges: Bytes, letter: str) -> Mask:
    """Tell which cells have this ASCII letter at their edge, in any case, or what normalising takes away."""
    may: Mask = (edges == ord(letter)) | (edges == ord(letter.upper()))
    may |= (edges <= _LARGEST_ASCII_BLANK) | (edges == ord("-")) | (edges == ord("_"))
    return may


def _shown(cells: Sequence[str | None]) -> str:
    return escaped("\t".join(cell or "" for cell in cells))
