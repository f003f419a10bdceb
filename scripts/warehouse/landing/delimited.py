"""Delimited and whitespace-aligned text: records out of bytes, with their physical lines, none lost.

A block of a file is read vectorised when its bytes prove that nothing can go wrong: no NUL, no lone carriage
return, valid UTF-8, every quote where RFC 4180 allows it, no blank line, no overlong record; and as many rows
come out as line breaks outside quotes go in. Any other block is read record by record in Python, with the
same result.
"""

import codecs
import io
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from warehouse.landing.messages import FileRejectedError
from warehouse.landing.names import normal_name
from warehouse.landing.personal_data import has_sign
from warehouse.landing.rows import BAD_QUOTES, LARGEST_CELL, SWALLOWED_LINES, RowCollector, Rows, Shape, escaped
from warehouse.landing.texts import trimmed_array

DELIMITERS = (",", ";", "\t", "|")
LARGEST_RECORD = 32 * 2**20
_LINE_END = re.compile(r"\r\n|\n|\r")
_BAD_TEXT = re.compile("[\udc80-\udcff]")
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Positions = np.ndarray[tuple[int], np.dtype[np.intp]]
_QUOTE, _NEWLINE, _RETURN, _SPACE = 34, 10, 13, 32
# Lower case, blanks and hyphens as underscores: a repeated header is searched in this form.
_NORMAL_BYTES = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ -", b"abcdefghijklmnopqrstuvwxyz__")


@dataclass(frozen=True)
class Dialect:
    """How records and cells are told apart. `delimiter` None: cells stand apart by blanks (aligned text)."""

    delimiter: str | None


def _scan_quoted(text: str, start: int, delimiter: str, is_last: bool) -> tuple[str, list[str], int, int]:
    """Read one record that holds quotes.

    Returns (`ok` | `malformed` | `more`, cells, end of its text, start of what follows). `more`: it does not
    end in `text`.
    """
    cells: list[str] = []
    position, length = start, len(text)
    stop = re.compile(f"[{re.escape(delimiter)}\r\n]")
    while True:
        opening = position
        while opening < length and text[opening] == " ":
            opening += 1
        if opening < length and text[opening] == '"':
            search = opening + 1
            while True:
                closing = text.find('"', search)
                if closing < 0 or (closing + 1 == length and not is_last):
                    return "more", cells, length, length
                if closing + 1 < length and text[closing + 1] == '"':
                    search = closing + 2
                    continue
                break
            cells.append(text[opening + 1 : closing].replace('""', '"'))
            position = closing + 1
            while position < length and text[position] == " " and delimiter != " ":
                position += 1
            if position < length and text[position] not in (delimiter, "\r", "\n"):
                end = _LINE_END.search(text, position)
                if end is None:
                    return ("malformed", cells, length, length) if is_last else ("more", cells, length, length)
                return "malformed", cells, end.start(), end.end()
        else:
            found = stop.search(text, position)
            end_of_cell = found.start() if found else length
            cells.append(text[position:end_of_cell])
            position = end_of_cell
        if position >= length:
            return ("ok", cells, length, length) if is_last else ("more", cells, length, length)
        if text[position] == delimiter:
            position += 1
            continue
        end = _LINE_END.match(text, position)
        assert end is not None  # noqa: S101 - the character here is a line end
        if end.group() == "\r" and end.end() == length and not is_last:
            return "more", cells, length, length
        return "ok", cells, end.start(), end.end()


def _digit_pattern(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", text.strip()))


def _has_swallowed_lines(cells: list[str], delimiter: str, columns: int) -> bool:
    """Tell whether a quoted cell holds what looks like another record: an unclosed quote met a later one.

    A line inside a cell counts when it has the delimiters of a record and starts like this record does
    (`R0012` and `R0013`); prose with commas does not.
    """
    if columns < 3:
        return False
    start = _digit_pattern(cells[0])
    for cell in cells:
        for line in _LINE_END.split(cell)[1:] if "\n" in cell or "\r" in cell else ():
            parts = line.split(delimiter)
            # The last line of the cell breaks off where the next quote stood: it may be a torn record.
            if len(parts) >= min(columns, 4) - 1 and "9" in start and _digit_pattern(parts[0].strip('"')) == start:
                return True
    return False


def parse_carefully(
    data: bytes, dialect: Dialect, shape: Shape, is_last: bool, first_line: int = 0
) -> tuple[Rows, int]:
    """Read the whole records of `data` one by one; return them and the number of bytes consumed.

    `first_line` is the 0-based line of the file where `data` starts, for messages only. Raises
    FileRejectedError for a quote that never closes.
    """
    try:
        text = data.decode("utf-8")
        has_bad_bytes = False
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        has_bad_bytes = True
    collector = RowCollector(shape)
    delimiter = dialect.delimiter
    position, length, line, multibyte = 0, len(text), 0, not data.isascii()
    while position < length:
        found = _LINE_END.search(text, position)
        if not is_last and (found is None or (found.group() == "\r" and found.end() == length)):
            break
        end, following = (found.start(), found.end()) if found else (length, length)
        start = position
        if delimiter is None:
            cells = text[start:end].split()
            used_lines = 1
        elif '"' not in text[start:end]:
            cells = text[start:end].split(delimiter)
            used_lines = 1
        else:
            state, cells, end, following = _scan_quoted(text, start, delimiter, is_last)
            if state == "more":
                if is_last or length - start > LARGEST_RECORD:
                    raise FileRejectedError(f"a quote that opens in line {first_line + line + 1} is never closed")
                break
            used_lines = len(_LINE_END.findall(text, start, end)) + 1
            if state == "malformed" or (used_lines > 1 and _has_swallowed_lines(cells, delimiter, shape.total)):
                reason = BAD_QUOTES if state == "malformed" else SWALLOWED_LINES
                # Where records end is unknown here, so every physical line is kept on its own.
                for number, physical in enumerate(_LINE_END.split(text[start:end])):
                    if physical.strip():
                        collector.add_bad(line + number, reason, escaped(physical), physical.split(delimiter))
                line += used_lines
                position = following
                continue
        raw = text[start:end]
        if raw.strip():
            is_bad = has_bad_bytes and _BAD_TEXT.search(raw) is not None
            collector.add(line, cells, partial(escaped, raw), is_bad)
        line += used_lines
        position = following
    consumed = len(text[:position].encode("utf-8", "surrogateescape")) if position < length else len(data)
    if has_bad_bytes:
        cleaned = _BAD_TEXT.sub("", text)
        multibyte = not cleaned.isascii()
    return collector.rows(line, multibyte), consumed


class DelimitedReader:
    """Reads the rows of a delimited or aligned text file as blocks, in order, parsing them in parallel."""

    def __init__(self, dialect: Dialect, shape: Shape, first_line: int) -> None:
        """Read rows of this shape; `first_line` is the 0-based line of the file after the header."""
        self._dialect = dialect
        self._shape = shape
        self._first_line = first_line
        names = [normal_name(shape.names[position]) for position in range(shape.named)]
        ascii_names = [name for name in names if name and name.isascii() and name in shape.required]
        self._header_marks = [name.encode() for name in (ascii_names or [n for n in names if n and n.isascii()][:3])]

    def blocks(self, chunks: Iterator[bytes], pool: Executor, ahead: int = 3) -> Iterator["Future[Rows] | Rows"]:
        """Yield the blocks in order, as results or as futures of `pool`, at most `ahead` at once."""
        waiting: deque[Future[Rows] | Rows] = deque()
        for block in self._cut(chunks):
            if isinstance(block, Rows):
                waiting.append(block)
            else:
                data, is_simple = block
                waiting.append(pool.submit(self._parse, data, is_simple))
            while len(waiting) > ahead:
                yield waiting.popleft()
        yield from waiting

    def _cut(self, chunks: Iterator[bytes]) -> Iterator["tuple[bytes, bool] | Rows"]:
        """Cut the bytes of a file at ends of records.

        Yield bytes (and whether the fast path may try) or parsed rows.
        """
        rest = b""
        line = self._first_line
        upcoming = next(chunks, None)
        while upcoming is not None or rest:
            chunk, upcoming = upcoming or b"", next(chunks, None)
            data = rest + chunk if rest else chunk
            is_last = upcoming is None
            cut, is_simple = self._end_of_records(data, is_last)
            if cut is None:
                rows, consumed = parse_carefully(data, self._dialect, self._shape, is_last, line)
                line += rows.line_count
                rest = data[consumed:]
                yield rows
            else:
                rest = data[cut:]
                if cut:
                    block = data[:cut]
                    line += block.count(b"\n") + (is_last and not block.endswith(b"\n"))
                    yield block, is_simple
            if len(rest) > LARGEST_RECORD:
                raise FileRejectedError(f"a line after line {line} is longer than 32 MiB, or a quote is never closed")
            if is_last and rest and cut is not None:
                continue
            if is_last:
                return

    def _end_of_records(self, data: bytes, is_last: bool) -> tuple[int | None, bool]:
        """Return where the last whole record of `data` ends and whether the fast path may try.

        (None, _): only with care.
        """
        if data.count(b"\r") != data.count(b"\r\n"):
            return None, False
        if b'"' not in data or self._dialect.delimiter is None:
            return (len(data) if is_last else data.rfind(b"\n") + 1), self._dialect.delimiter is not None
        array = np.frombuffer(data, dtype=np.uint8)
        quotes = np.flatnonzero(array == _QUOTE)
        newlines = np.flatnonzero(array == _NEWLINE)
        is_end = np.searchsorted(quotes, newlines) % 2 == 0
        ends = newlines[is_end]
        cut = int(ends[-1]) + 1 if len(ends) else 0
        if is_last:
            if len(quotes) % 2:
                return None, False
            cut = len(data)
        inside = quotes[: int(np.searchsorted(quotes, cut))]
        opening, closing = inside[::2], inside[1::2]
        delimiter = ord(self._dialect.delimiter)
        before = array[opening[opening > 0] - 1]
        after = array[closing[closing + 1 < len(data)] + 1]
        is_well_formed = bool(
            np.all((before == delimiter) | (before == _NEWLINE) | (before == _QUOTE))
            and np.all((after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == _QUOTE))
        )
        if not is_well_formed:
            return None, False
        return cut, True

    def _parse(self, data: bytes, is_simple: bool) -> Rows:
        if is_simple:
            rows = self._parse_fast(data)
            if rows is not None:
                return rows
        return parse_carefully(data, self._dialect, self._shape, True)[0]

    def _parse_fast(self, data: bytes) -> Rows | None:
        """Read a block vectorised; None when its bytes do not prove that this is safe."""
        shape = self._shape
        if b"\0" in data:
            return None
        is_ascii = data.isascii()
        array = np.frombuffer(data, dtype=np.uint8)
        newlines = np.flatnonzero(array == _NEWLINE)
        line_count = len(newlines) + (not data.endswith(b"\n"))
        ends, quotes = newlines, np.flatnonzero(array == _QUOTE)
        if len(quotes):
            # A line break inside quotes ends no record.
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        lengths = np.diff(ends, prepend=-1)
        if len(ends) and (int(lengths.max()) > LARGEST_CELL or int(lengths.min()) <= 2):
            return None
        if len(data) - (int(ends[-1]) + 1 if len(ends) else 0) > LARGEST_CELL:
            return None
        record_count = len(ends) + (not data.endswith(b"\n"))
        has_inner_newline = len(ends) != len(newlines)
        if has_inner_newline and self._may_have_swallowed(data, array, newlines, ends):
            return None
        normal = data.translate(_NORMAL_BYTES)
        if not self._header_marks or all(mark in normal for mark in self._header_marks):
            return None
        if not is_ascii:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                return None
        delimiter = self._dialect.delimiter
        assert delimiter is not None  # noqa: S101 - aligned text never takes this path
        wanted = [*shape.wanted, *(each for each in range(shape.named, shape.total))]
        names = [str(position) for position in range(shape.total)]
        try:
            table = pacsv.read_csv(
                io.BytesIO(data),
                read_options=pacsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
                parse_options=pacsv.ParseOptions(
                    delimiter=delimiter,
                    quote_char='"' if b'"' in data else False,
                    double_quote=True,
                    escape_char=False,
                    newlines_in_values=has_inner_newline,
                    ignore_empty_lines=False,
                ),
                convert_options=pacsv.ConvertOptions(
                    check_utf8=False,
                    column_types={name: pa.string() for name in names},
                    include_columns=[str(position) for position in wanted],
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != record_count:
            return None
        table = table.combine_chunks()
        columns: dict[int, pa.Array] = {}
        was_trimmed = False
        empty = None
        for position in wanted:
            column = table.column(str(position))
            column = column.chunk(0) if column.num_chunks else pa.array([], pa.string())
            column, changed = trimmed_array(column)
            was_trimmed = was_trimmed or len(changed) > 0
            if position >= shape.named:
                # A byte order mark is no cell here, but makes a row ragged: judged with care.
                if column.null_count != len(column) or codecs.BOM_UTF8 in data:
                    return None
                continue
            columns[position] = column
            if empty is None:
                empty = column.is_null() if column.null_count else False
            elif empty is not False:
                empty = pc.and_(empty, column.is_null()) if column.null_count else False
        if empty is not False and (empty is None or pc.any(empty, min_count=1).as_py()):
            return None
        numbers = np.arange(record_count, dtype=np.int64)
        lines = numbers
        if has_inner_newline:
            # A record starts on the line after the end of the one before.
            lines = np.concatenate(([0], np.searchsorted(newlines, ends) + 1))[:record_count].astype(np.int64)
        return Rows(
            columns=columns,
            lines=lines,
            records=numbers,
            line_count=line_count,
            record_count=record_count,
            has_multibyte=not is_ascii,
            was_trimmed=was_trimmed,
            has_signs=has_sign(data),
        )

    def _may_have_swallowed(self, data: bytes, array: Bytes, newlines: Positions, ends: Positions) -> bool:
        """Tell whether some line inside a quoted cell may look like a record (see `_has_swallowed_lines`)."""
        columns = self._shape.total
        if columns < 3:
            return False
        delimiter = str(self._dialect.delimiter).encode()
        delimiters = np.flatnonzero(array == delimiter[0])
        inner = newlines[~np.isin(newlines, ends)]
        following = np.searchsorted(newlines, inner) + 1
        stops = np.append(newlines, len(data))[following]
        counts = np.searchsorted(delimiters, stops) - np.searchsorted(delimiters, inner)
        for place in np.flatnonzero(counts + 1 >= min(columns, 4) - 1):
            line = data[int(inner[place]) + 1 : int(stops[place])].split(delimiter)[0]
            previous = int(np.searchsorted(ends, inner[place]))
            start = int(ends[previous - 1]) + 1 if previous else 0
            first = data[start : start + 500].split(delimiter)[0]
            patterns = [_digit_pattern(text.decode("utf-8", "replace").strip().strip('"')) for text in (line, first)]
            if "9" in patterns[1] and patterns[0] == patterns[1]:
                return True
        return False


def first_records(data: bytes, delimiter: str | None, count: int) -> tuple[list[list[str]], int, int]:
    """Return the cells of the first `count` records that are not blank, and the bytes and lines they take.

    Used for headers. Raises FileRejectedError when the header cannot be decoded or its quotes do not close.
    """
    text = data.decode("utf-8", "surrogateescape")
    records: list[list[str]] = []
    position = lines = 0
    while position < len(text) and len(records) < count:
        found = _LINE_END.search(text, position)
        end, following = (found.start(), found.end()) if found else (len(text), len(text))
        used_lines = 1
        raw = text[position:end]
        if delimiter is None:
            cells = raw.split()
        elif '"' not in raw:
            cells = raw.split(delimiter)
        else:
            state, cells, end, following = _scan_quoted(text, position, delimiter, True)
            if state != "ok":
                raise FileRejectedError("the quotes of the header are torn: repair its first line")
            used_lines = len(_LINE_END.findall(text, position, end)) + 1
            raw = text[position:end]
        if _BAD_TEXT.search(raw):
            raise FileRejectedError(
                "the header holds bytes that are no UTF-8: save the file as UTF-8, or declare its encoding"
            )
        if "\0" in raw:
            raise FileRejectedError("the header holds NUL bytes: the file is damaged")
        if raw.strip():
            records.append(cells)
        lines += used_lines
        position = following
    return records, len(text[:position].encode("utf-8", "surrogateescape")), lines
