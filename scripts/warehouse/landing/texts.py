"""Cells as text: trimming, and looks at whole columns of cells at once.

A trimmed text starts and ends with none of `BLANKS`, and is NULL rather than empty. That is more than the macro
`trimmed` of macros/engine/text.sql takes off, so that every landed text is trimmed in the sense of the macro.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

BYTE_ORDER_MARK = "\ufeff"
# Nobody sees them at the end of a text: an identifier copied from a page in Hebrew or Arabic must not be another one.
_INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069"
    f"{BYTE_ORDER_MARK}"
)
# What Python's str.isspace and Arrow call white space, and what is invisible.
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    f"\u2028\u2029\u202f\u205f\u3000{_INVISIBLE}"
)
_LARGEST_ASCII_BLANK = ord(" ")
_LARGEST_ASCII = 0x7F


def trimmed(text: str) -> str | None:
    """Return the text without blanks around it, None where nothing is left."""
    stripped = text.strip()
    if not stripped.isascii():
        stripped = stripped.strip(BLANKS)
    return stripped or None


def table_of(values: set[int]) -> Mask:
    """Return a mask of all bytes that is true for these."""
    table = np.zeros(256, dtype=bool)
    table[list(values)] = True
    return table


# A cell beyond ASCII that starts or ends with one of these bytes may have blanks around it; no other has.
_MAY_LEAD = table_of({blank.encode()[0] for blank in BLANKS})
_MAY_TRAIL = table_of({blank.encode()[-1] for blank in BLANKS})


class Cells:
    """The cells of a string array as bytes, without copying them: `start` and `stop` of each in `data`.

    `lengths` are in bytes. A NULL has any length, mostly 0.
    """

    def __init__(self, array: pa.Array) -> None:
        """Look at a string array."""
        self.array = array
        count, offset = len(array), array.offset
        _, ends, values = array.buffers()
        if count == 0 or ends is None:
            self.offsets = np.zeros(count + 1, dtype=np.int32)
        else:
            self.offsets = np.frombuffer(ends, dtype=np.int32)[offset : offset + count + 1]
        self.begin, self.end = int(self.offsets[0]), int(self.offsets[-1])
        self.data: Bytes = np.frombuffer(values if values is not None else b"", dtype=np.uint8)[: self.end]
        self.starts, self.stops = self.offsets[:-1], self.offsets[1:]
        self.lengths = self.stops - self.starts

    @cached_property
    def bytes(self) -> bytes:
        """All cells, one after the other."""
        return self.data[self.begin : self.end].tobytes()

    @cached_property
    def is_ascii(self) -> bool:
        """Whether all cells are ASCII."""
        return self.bytes.isascii()

    @cached_property
    def first_bytes(self) -> Bytes:
        """The first byte of each cell; any byte for an empty one."""
        return self.data[np.minimum(self.starts, self.end - 1)] if self.end else np.zeros(len(self.starts), np.uint8)

    @cached_property
    def last_bytes(self) -> Bytes:
        """The last byte of each cell; any byte for an empty one."""
        return self.data[np.maximum(self.stops - 1, 0)] if self.end else np.zeros(len(self.stops), np.uint8)

    def places_of(self, byte: int) -> Positions:
        """Return the places of the cells that hold this byte, once for each."""
        found = np.flatnonzero(self.data[self.begin :] == byte) + self.begin
        return np.searchsorted(self.stops, found, side="right")

    def holds_multibyte(self) -> Mask:
        """Tell which cells hold anything beyond ASCII."""
        counts = np.cumsum(self.data[self.begin :] > _LARGEST_ASCII, dtype=np.int32)
        before = np.concatenate((np.zeros(1, dtype=np.int32), counts))
        return before[self.stops - self.begin] > before[self.starts - self.begin]

    def may_have_blanks(self) -> Positions:
        """Return the places of the cells that may have blanks around them; all others have none."""
        if self.begin == self.end:
            return np.empty(0, dtype=np.intp)
        if self.is_ascii:
            if int(self.data[self.begin :].min()) > _LARGEST_ASCII_BLANK:
                return np.empty(0, dtype=np.intp)
            may = (self.first_bytes <= _LARGEST_ASCII_BLANK) | (self.last_bytes <= _LARGEST_ASCII_BLANK)
        else:
            may = _MAY_LEAD[self.first_bytes] | _MAY_TRAIL[self.last_bytes]
        return np.flatnonzero(may & (self.lengths > 0))


def trimmed_array(array: pa.Array, cells: Cells | None = None) -> tuple[pa.Array, Positions]:
    """Return a string array with every text trimmed, and the places of the cells from which blanks were taken.

    Empty texts become NULL and count as unchanged. `cells` are those of the array, if they are known already.
    """
    cells = cells or Cells(array)
    places = cells.may_have_blanks()
    changed = places[:0]
    if len(places):
        before = array.take(pa.array(places))
        after = pc.utf8_trim(before, characters=BLANKS)
        is_changed = pc.fill_null(pc.not_equal(pc.binary_length(before), pc.binary_length(after)), False)
        changed = places[is_changed.to_numpy(zero_copy_only=False)]
        if len(changed):
            mask = np.zeros(len(array), dtype=bool)
            mask[changed] = True
            array = pc.replace_with_mask(array, pa.array(mask), after.filter(is_changed))
    if len(changed) or not cells.lengths.all():
        is_empty = pc.equal(pc.binary_length(array), 0)
        if pc.any(is_empty, min_count=1).as_py():
            array = pc.if_else(is_empty, None, array)
    return array, changed


def joined_cells(columns: Sequence[pa.Array], null: str) -> list[bytes]:
    """Return the cells of each row as one text in UTF-8 with unit separators between; `null` stands for a NULL."""
    joined = pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement=null)
    texts: list[bytes] = pc.cast(joined, pa.binary()).to_pylist()
    return texts


def labelled_cells(columns: Sequence[tuple[str, pa.Array]]) -> list[bytes]:
    """Return the filled cells of each row, each after its label, as one text in UTF-8 with separators between."""
    # Never without a part: Arrow drops rows of a join whose parts are all NULL.
    parts: list[pa.Array | str] = [""]
    for label, column in columns:
        filled = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        parts.append(pc.binary_join_element_wise(label, filled, "\x1e", null_handling="emit_null"))
    joined = pc.binary_join_element_wise(*parts, "\x1f", null_handling="skip")
    texts: list[bytes] = pc.cast(joined, pa.binary()).to_pylist()
    return texts


def ungrouped(text: str) -> str:
    """Return the text of a number with a fourth decimal where it has three: 1.085 could be grouped thousands."""
    return f"{text}0" if text[-4:-3] == "." else text


def ungrouped_array(texts: pa.Array) -> pa.Array:
    """Return the texts of numbers as `ungrouped` returns one."""
    has_three = pc.equal(pc.utf8_slice_codeunits(texts, -4, -3), ".")
    if not pc.any(has_three, min_count=1).as_py():
        return texts
    return pc.if_else(has_three, pc.binary_join_element_wise(texts, "0", ""), texts)
