"""What every reader yields: blocks of rows as text columns, and the rows whose structure is bad."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.landing.messages import FileRejectedError
from warehouse.landing.names import normal_name, quick_name
from warehouse.landing.texts import trimmed

LARGEST_CELL = 2**20
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")

RAGGED_ROW = "ragged_row"
NUL_BYTE = "nul_byte"
BAD_BYTES = "bad_bytes"
BAD_QUOTES = "bad_quotes"
SWALLOWED_LINES = "swallowed_lines"
REPEATED_HEADER = "repeated_header"
BLANK_ROW = "blank_row"
CELL_TOO_LARGE = "cell_too_large"
BAD_JSON = "bad_json"


@dataclass(frozen=True)
class BadRow:
    """A row of bad structure.

    `line` and `record` are 0-based within its block; `cells` as far as they can be told.
    """

    line: int
    record: int
    reason: str
    raw_line: str
    cells: Sequence[str | None]


@dataclass
class Rows:
    """One block of a file. `columns` maps a 0-based source column to its text (empty cells NULL).

    `lines` and `records` of good rows are 0-based within the block, int64 of shape (rows,); `line_count` and
    `record_count` say how far the block reaches, bad rows included. Without `has_signs` no cell holds an
    address.
    """

    columns: dict[int, pa.Array]
    lines: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    line_count: int
    record_count: int
    bad: list[BadRow] = field(default_factory=list)
    has_multibyte: bool = False
    was_trimmed: bool = False
    has_signs: bool = True

    @property
    def count(self) -> int:
        """Number of good rows."""
        return len(self.lines)


@dataclass(frozen=True)
class Shape:
    """What a row of a file must look like: its header, and which columns are wanted.

    `named` columns have a name; `total` counts nameless trailing ones too, which must be empty. `required`
    are the normalised names that make a row a repeated header.
    """

    names: tuple[str, ...]
    named: int
    wanted: tuple[int, ...]
    required: frozenset[str]

    @property
    def total(self) -> int:
        """Number of columns of the header, trailing nameless ones included."""
        return len(self.names)


def escaped(raw: str) -> str:
    """Return a raw line as text that any file can hold: wrong bytes, NULs and halves of characters as escapes."""
    return _NO_CHARACTER.sub(_escape, raw)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    # Bytes that are no text were decoded to these; a JSON text may name the other halves.
    byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
    return f"\\x{byte:02x}" if byte < 256 else f"\\u{code:04x}"


class RowCollector:
    """Sorts records of text cells into good and bad rows; the one place that judges a record's structure."""

    def __init__(self, shape: Shape) -> None:
        """Collect records of this shape."""
        self._shape = shape
        self._normal_names = [normal_name(name) for name in shape.names[: shape.named]]
        self._columns: list[list[str | None]] = [[] for _ in shape.wanted]
        self._lines: list[int] = []
        self._records: list[int] = []
        self._was_trimmed = False
        self.bad: list[BadRow] = []
        self.record_count = 0

    def add_bad(self, line: int, reason: str, raw_line: str, cells: Sequence[str | None] = ()) -> None:
        """Add a record that is already known to be bad."""
        self.bad.append(BadRow(line, self.record_count, reason, raw_line, cells))
        self.record_count += 1

    def add(self, line: int, cells: Sequence[str | None], raw_line: Callable[[], str], has_bad_bytes: bool) -> None:
        """Judge one record and add it to the good or the bad rows."""
        shape = self._shape
        count = len(cells)
        if any(cell and "\0" in cell for cell in cells):
            reason = NUL_BYTE
            if count == 1 and len(cells[0] or "") >= 16 and not (cells[0] or "").strip("\0 "):
                raise FileRejectedError("ends in NUL bytes: it was cut short while being written, deliver it again")
        elif has_bad_bytes:
            reason = BAD_BYTES
        elif any(cell and len(cell) > LARGEST_CELL // 4 and len(cell.encode()) > LARGEST_CELL for cell in cells):
            reason = CELL_TOO_LARGE
        elif not shape.named <= count <= shape.total:
            reason = RAGGED_ROW
        elif not any(cell and not cell.isspace() for cell in cells):
            reason = BLANK_ROW
        elif any(cell and not cell.isspace() for cell in cells[shape.named :]):
            reason = RAGGED_ROW
        elif self._is_header(cells):
            reason = REPEATED_HEADER
        else:
            for target, position in zip(self._columns, shape.wanted, strict=True):
                cell = cells[position]
                if cell is not None:
                    kept = trimmed(cell)
                    self._was_trimmed |= len(kept or "") != len(cell)
                    cell = kept
                target.append(cell)
            self._lines.append(line)
            self._records.append(self.record_count)
            self.record_count += 1
            return
        self._check_shuffled(cells)
        self.add_bad(line, reason, raw_line(), cells)

    def _is_header(self, cells: Sequence[str | None]) -> bool:
        """Tell whether a row repeats the header. A header in another order would shift every row below it."""
        if not self._normal_names or len(self._normal_names) < 2:
            return False
        names = self._normal_names
        first = cells[0]
        if first and (first == self._shape.names[0] or quick_name(first) == names[0]):
            is_header = [normal_name(cell or "") for cell in cells[: len(names)]] == names
            return is_header or self._check_shuffled(cells)
        return self._check_shuffled(cells)

    def _check_shuffled(self, cells: Sequence[str | None]) -> bool:
        """Raise FileRejectedError when a row holds all required names, but is not the header."""
        required = self._shape.required
        if len(required) < 2 or required.isdisjoint(quick_name(cell) for cell in cells if cell and len(cell) < 200):
            return False
        normal = [normal_name(cell) if cell and len(cell) < 200 else "" for cell in cells]
        if required <= set(normal) and normal[: len(self._normal_names)] != self._normal_names:
            raise FileRejectedError(
                "holds a second header with other columns: two exports were joined, deliver each alone"
            )
        return False

    def rows(self, line_count: int, has_multibyte: bool) -> Rows:
        """Return what was collected."""
        return Rows(
            columns={
                position: pa.array(values, pa.string())
                for position, values in zip(self._shape.wanted, self._columns, strict=True)
            },
            lines=np.array(self._lines, dtype=np.int64),
            records=np.array(self._records, dtype=np.int64),
            line_count=line_count,
            record_count=self.record_count,
            bad=self.bad,
            has_multibyte=has_multibyte,
            was_trimmed=self._was_trimmed,
        )
