"""Opening a checked file as a header and blocks of rows, whatever its kind."""

import datetime
import json
import re
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from io import BufferedReader
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.landing import zone
from warehouse.landing.columnar import ColumnReader, as_text
from warehouse.landing.decoding import to_utf8
from warehouse.landing.delimited import DELIMITERS, LARGEST_RECORD, DelimitedReader, Dialect, first_records
from warehouse.landing.files import Contents, open_regular, read_chunks
from warehouse.landing.header import Header, Plan, combined_header
from warehouse.landing.mapping import FileRule
from warehouse.landing.messages import FileRejectedError, shown_file
from warehouse.landing.rows import BAD_JSON, RowCollector, Rows, Shape, escaped
from warehouse.landing.texts import ungrouped, ungrouped_array

Planner = Callable[[Header], Plan]
Blocks = Iterator[Rows | Future[Rows]]

_THREADS = 2
_HEAD_BYTES = 2**20
_ROWS_PER_BLOCK = 20_000
_LARGEST_JSON_ARRAY = 256 * 2**20
_LARGEST_UNPACKED_WORKBOOK = 4 * 2**30
_SHEETS_NAMED = 10
_DAMAGED_PARQUET = "is a damaged Parquet file"
_PARQUET_DAMAGE = (pa.ArrowException, OSError, ValueError, MemoryError)
_WORKSHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_SHEET_BYTES_AT_ONCE = 2**20
# A formula's cell without a value. A text that is empty ("str") is a result.
_UNCOMPUTED = re.compile(
    rb"""<c(?![^>]*\bt=["']str["'])[^>]*>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>"""
)
_PARQUET_BUFFER = 2**20
_PARQUET_BYTES_AT_ONCE = 32 * 2**20
_BATCHES_AHEAD = 2
_SURROGATE = re.compile("[\ud800-\udfff]")
_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


class OpenFile:
    """A file whose header is understood; `repairs` says what was repaired."""

    def __init__(self, plan: Plan, repairs: list[str], blocks: Callable[[Executor], Blocks], first_line: int) -> None:
        """Keep the plan; `first_line` is the 0-based line of the file after the header."""
        self.plan = plan
        self.repairs = repairs
        self.first_line = first_line
        self._blocks = blocks

    def blocks(self) -> Iterator[Rows]:
        """Read the rows once, in order; some kinds of files are read ahead in threads."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for block in self._blocks(pool):
                yield block.result() if isinstance(block, Future) else block


def open_file(contents: Contents, rule: FileRule | None, planner: Planner) -> OpenFile:
    """Open a file, find its header and let `planner` match it. Raises FileRejectedError with the reason."""
    if contents.kind == "text":
        return _open_text(contents, rule, planner)
    if contents.kind == "json":
        return _open_json(contents, planner)
    if contents.kind == "xlsx":
        return _open_workbook(contents, rule, planner)
    return _open_parquet(contents, planner)


def read_header(contents: Contents) -> Header:
    """Return the header of a file of unknown origin, for `--explain`: the delimiter with the most columns."""
    found: list[Header] = []

    def keep(header: Header) -> Plan:
        found.append(header)
        raise FileRejectedError("")

    try:
        open_file(contents, None, keep)
    except FileRejectedError as error:
        if not found:
            raise error from None
    return max(found, key=lambda header: header.named)


# ---------------------------------------------------------------- text


def _open_text(contents: Contents, rule: FileRule | None, planner: Planner) -> OpenFile:
    chunks, repairs = to_utf8(read_chunks(contents), rule.encoding if rule else None)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    if not head.strip():
        raise FileRejectedError("is empty: not even a header")
    start = head
    skipped_lines = 0
    for _ in range(rule.skip_rows if rule else 0):
        end = re.search(rb"\r\n|\n|\r", start)
        start = start[end.end() :] if end else b""
        skipped_lines += 1
    candidates: tuple[str | None, ...] = DELIMITERS
    excel_hint = re.match(rb"sep=([,;\t|])(\r\n|\n|\r)", start[:16], re.IGNORECASE)
    if rule and rule.format == "aligned":
        candidates = (None,)
    elif rule and rule.delimiter:
        candidates = (rule.delimiter,)
    elif excel_hint:
        candidates = (excel_hint.group(1).decode(),)
    if excel_hint:
        start = start[excel_hint.end() :]
        skipped_lines += 1
    delimiter, plan, size, lines = _choose_delimiter(start, candidates, rule, planner, contents.inner_name)
    body = start[size:]
    if delimiter != "," and len(candidates) > 1:
        repairs.append(f"read with the delimiter {_DELIMITER_NAMES[str(delimiter)]}")
    first_line = skipped_lines + lines
    reader = DelimitedReader(Dialect(delimiter), plan.shape, first_line)
    rest = chunks

    def blocks(pool: Executor) -> Blocks:
        return reader.blocks(chain((body,) if body else (), rest), pool)

    return OpenFile(plan, repairs, blocks, first_line)


def _choose_delimiter(
    start: bytes, candidates: tuple[str | None, ...], rule: FileRule | None, planner: Planner, name: str
) -> tuple[str | None, Plan, int, int]:
    """Return the delimiter under which the header fits, the plan, the header's length in bytes and lines."""
    fits: list[tuple[int, str | None, Plan, int, int]] = []
    refusals: list[tuple[int, FileRejectedError]] = []
    header_rows = rule.header_rows if rule else 1
    for delimiter in candidates:
        try:
            if header_rows == 0 and rule:
                header = Header(rule.column_names, tuple((each,) for each in rule.column_names), has_header=False)
                size = lines = 0
            else:
                records, size, lines = first_records(start, delimiter, header_rows)
                if len(records) < header_rows or size >= _HEAD_BYTES:
                    raise FileRejectedError("has no header within its first MiB")
                header = combined_header(records)
        except FileRejectedError as error:
            refusals.append((0, error))
            continue
        try:
            fits.append((header.named, delimiter, planner(header), size, lines))
        except FileRejectedError as error:
            refusals.append((header.named, error))
    if not fits:
        refused = max(refusals, key=lambda refusal: refusal[0])[1]
        hint = _preamble_hint(start, candidates, planner) if header_rows == 1 else ""
        raise FileRejectedError(f"{refused}{hint}") from None
    most = max(fit[0] for fit in fits)
    best = [fit for fit in fits if fit[0] == most]
    if len(best) > 1:
        if most > 1:
            raise FileRejectedError("can be read with several delimiters: declare 'delimiter' in a mapping")
        preferred = "\t" if name.lower().endswith(".tsv") else ","
        best = [fit for fit in best if fit[1] == preferred] or best
    return best[0][1:]


def _preamble_hint(start: bytes, candidates: tuple[str | None, ...], planner: Planner) -> str:
    """Say so when one of the next lines would have been a header."""
    position, number = 0, 1
    while number < 30 and position < len(start):
        end = re.compile(rb"\r\n|\n|\r").search(start, position)
        if not end:
            return ""
        position, number = end.end(), number + 1
        if start[position : position + 1] in (b"\r", b"\n"):
            continue
        for delimiter in candidates:
            try:
                records, _, _ = first_records(start[position : position + 65536], delimiter, 1)
                if records:
                    planner(combined_header(records))
                    return f" (line {number} is a header: remove what is above it, or map with skip_rows)"
            except FileRejectedError:
                continue
    return ""


# ---------------------------------------------------------------- rows that are already cells


def _collected(shape: Shape, rows: Iterator[tuple[int, list[str | None], str]], first: int) -> Blocks:
    """Yield blocks of rows given as (0-based line after the header, cells, raw text)."""
    collector, start = RowCollector(shape), first
    multibyte = False
    line = first
    for line, cells, raw in rows:
        if any(cell and not cell.isspace() for cell in cells):
            is_bad = any(cell is not None and _SURROGATE.search(cell) for cell in cells)
            collector.add(line - start, cells, partial(escaped, raw), is_bad)
            multibyte = multibyte or not raw.isascii()
        if collector.record_count >= _ROWS_PER_BLOCK:
            yield collector.rows(line + 1 - start, multibyte)
            collector, start = RowCollector(shape), line + 1
    yield collector.rows(max(line + 1 - start, 0), multibyte)


# ---------------------------------------------------------------- JSON


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


class _Number(str):
    """A number with a point in the spelling of its file."""

    __slots__ = ()


# Tools that know no missing integers write an id as 17.0 beside a null.
_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")


def _number(spelling: str) -> str:
    whole = _WHOLE_NUMBER.fullmatch(spelling)
    return whole[1] if whole else _Number(spelling)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_names, parse_float=_number, parse_int=str, parse_constant=str, strict=False
)


def _json_cell(value: Any, has_separators: bool) -> str | None:
    if has_separators and isinstance(value, _Number):
        return ungrouped(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _json_lines(contents: Contents) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their 0-based number; a line over 32 MiB rejects the file."""
    chunks, _ = to_utf8(read_chunks(contents), None)
    rest, number = b"", 0
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > LARGEST_RECORD:
            raise FileRejectedError("holds a line longer than 32 MiB, or is one JSON document: deliver JSON lines")
        for line in whole:
            yield number, line.decode("utf-8", "surrogateescape")
            number += 1
    if rest:
        yield number, rest.decode("utf-8", "surrogateescape")


def _array_elements(contents: Contents) -> Iterator[tuple[int, str, Any]]:
    """Yield (0-based line, text, value) of each element of a JSON array."""
    chunks, _ = to_utf8(read_chunks(contents), None)
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _LARGEST_JSON_ARRAY:
            raise FileRejectedError("is a JSON array of more than 256 MiB: deliver JSON lines (.jsonl)")
        parts.append(chunk)
    text = b"".join(parts).decode("utf-8", "surrogateescape")
    blank = re.compile(r"[ \t\r\n]*")

    def after_blank(position: int) -> int:
        found = blank.match(text, position)
        return found.end() if found else position

    position = after_blank(after_blank(0) + 1)
    line = text.count("\n", 0, position)
    if text[position : position + 1] == "]":
        return
    while True:
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise FileRejectedError(f"is damaged JSON in line {line + 1}") from None
        yield line, text[position:end], value
        following = after_blank(end)
        sign = text[following : following + 1]
        line += text.count("\n", position, following)
        if sign == "]":
            if text[following + 1 :].strip():
                raise FileRejectedError(f"holds more after the end of its JSON array in line {line + 1}")
            return
        if sign != ",":
            raise FileRejectedError(f"is damaged JSON in line {line + 1}")
        position = after_blank(following + 1)
        line += text.count("\n", following, position)


def _json_records(contents: Contents, is_array: bool) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
    """Yield (0-based line, text, object) of each record; the object is None where the text is none."""
    if is_array:
        for line, text, value in _array_elements(contents):
            yield line, text, value if isinstance(value, dict) else None
        return
    for line, text in _json_lines(contents):
        if not text.strip():
            continue
        try:
            value = _DECODER.decode(text.strip())
        except (ValueError, RecursionError):
            value = None
        yield line, text, value if isinstance(value, dict) else None


def _open_json(contents: Contents, planner: Planner) -> OpenFile:
    chunks, repairs = to_utf8(read_chunks(contents), None)
    start = b""
    for chunk in chunks:
        start += chunk
        if start.strip():
            break
    is_array = start.lstrip().startswith(b"[")
    names: dict[str, None] = {}
    objects = 0
    for _, _, record in _json_records(contents, is_array):
        if record is not None:
            objects += 1
            names.update(dict.fromkeys(record))
    if not objects:
        raise FileRejectedError("holds no JSON objects, one a line or in an array")
    if any(_SURROGATE.search(name) for name in names):
        raise FileRejectedError("the names of its JSON objects hold bytes that are no UTF-8")
    header = combined_header([list(names)])
    plan = planner(header)

    def blocks(_: Executor) -> Blocks:
        collector, start, line = RowCollector(plan.shape), 0, -1
        multibyte = False
        for line, text, record in _json_records(contents, is_array):
            if record is None:
                collector.add_bad(line - start, BAD_JSON, escaped(text))
            else:
                cells = [_json_cell(record.get(name), plan.has_separators) for name in names]
                is_broken = any(cell is not None and _SURROGATE.search(cell) for cell in cells)
                if is_broken and not _SURROGATE.search(text):
                    # Half a character, written as an escape: the bytes are right, and the text is none.
                    collector.add_bad(line - start, BAD_JSON, escaped(text))
                else:
                    collector.add(line - start, cells, partial(escaped, text), is_broken)
                multibyte = multibyte or not text.isascii()
            if collector.record_count >= _ROWS_PER_BLOCK:
                yield collector.rows(line + 1 - start, multibyte)
                collector, start = RowCollector(plan.shape), line + 1
        yield collector.rows(line + 1 - start, multibyte)

    return OpenFile(plan, repairs, blocks, 0)


# ---------------------------------------------------------------- workbooks


def _workbook_cell(value: Any, has_separators: bool = False) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, float):
        return ungrouped(str(value)) if has_separators else str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _has_uncomputed(archive: zipfile.ZipFile, name: str) -> bool:
    """Tell whether a worksheet has a formula whose result nobody stored: it would be read as an empty cell."""
    with archive.open(name) as sheet:
        rest = b""
        while chunk := sheet.read(_SHEET_BYTES_AT_ONCE):
            text = rest + chunk
            if b"<f" in text and _UNCOMPUTED.search(text):
                return True
            # A cell that began in this chunk.
            rest = text[max(text.rfind(b"<c "), len(text) - _SHEET_BYTES_AT_ONCE, 0) :]
    return False


def _open_workbook(contents: Contents, rule: FileRule | None, planner: Planner) -> OpenFile:
    with ExitStack() as opened:
        file = opened.enter_context(open_regular(contents.path))
        rows, header, number = _workbook_rows(file, contents, rule)
        plan = planner(header)
        # The rows are read later: who ends reading closes the file.
        closing = opened.pop_all()
    first = number + 1

    def cells() -> Iterator[tuple[int, list[str | None], str]]:
        line = number
        try:
            for line, row in rows:
                values = [_workbook_cell(value, plan.has_separators) for value in row]
                while len(values) > plan.shape.total and values[-1] is None:
                    values.pop()
                values += [None] * (plan.shape.total - len(values))
                yield line, values, "\t".join(value or "" for value in values)
        except Exception:
            raise _damaged_workbook(line) from None
        finally:
            closing.close()

    return OpenFile(plan, [], lambda _: _collected(plan.shape, cells(), first), first)


def _damaged_workbook(last_line: int) -> FileRejectedError:
    """Return what a workbook is rejected for that was read up to a 0-based line (-1: not even the first)."""
    after = f" after row {last_line + 1}" if last_line >= 0 else ""
    return FileRejectedError(f"is a damaged workbook: it cannot be read{after}")


def _workbook_rows(
    file: BufferedReader, contents: Contents, rule: FileRule | None
) -> tuple[Iterator[tuple[int, tuple[Any, ...]]], Header, int]:
    """Return the rows after the header with their 0-based lines, the header, and the line it ends on."""
    import openpyxl

    number = -1
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > _LARGEST_UNPACKED_WORKBOOK or (
                unpacked > 64 * 2**20 and unpacked > 300 * max(contents.size, 1)
            ):
                raise FileRejectedError("is a workbook that swells too far: save it as .csv")
            if any(_has_uncomputed(archive, name) for name in archive.namelist() if _WORKSHEET.fullmatch(name)):
                raise FileRejectedError(
                    "holds formulas without their results: open it in a spreadsheet program and save it again"
                )
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
        if rule and rule.sheet:
            sheets = [sheet for sheet in workbook.worksheets if sheet.title == rule.sheet]
            if not sheets:
                names = ", ".join(shown_file(sheet.title) for sheet in workbook.worksheets[:_SHEETS_NAMED])
                raise FileRejectedError(f"has no sheet of the name that the mapping gives: its sheets are {names}")
        else:
            for sheet in sheets:
                sheet.reset_dimensions()
            sheets = [
                s
                for s in sheets
                if any(any(v is not None for v in r) for r in s.iter_rows(max_row=50, values_only=True))
            ]
        if len(sheets) != 1:
            raise FileRejectedError(f"has {len(sheets)} sheets with rows: name one with 'sheet' in a mapping")
        sheet = sheets[0]
        sheet.reset_dimensions()
        rows = enumerate(sheet.iter_rows(values_only=True))
        header_rows: list[list[str]] = []
        wanted = rule.header_rows if rule else 1
        skip = rule.skip_rows if rule else 0
        while len(header_rows) < wanted:
            number, row = next(rows, (-1, ()))
            if number < 0 or number > 1000:
                raise FileRejectedError("is empty: not even a header")
            if number >= skip and any(value is not None for value in row):
                header_rows.append([_workbook_cell(value) or "" for value in row])
    except FileRejectedError:
        raise
    except Exception:
        # Workbooks are XML in a ZIP archive: the library raises whatever its parsers raise.
        raise _damaged_workbook(number) from None
    if wanted == 0 and rule:
        header = Header(rule.column_names, tuple((each,) for each in rule.column_names), has_header=False)
    else:
        header = combined_header(header_rows)
    return rows, header, number


# ---------------------------------------------------------------- Parquet


def _open_parquet(contents: Contents, planner: Planner) -> OpenFile:
    import pyarrow.parquet as pq

    try:
        with open_regular(contents.path) as file:
            parquet = pq.ParquetFile(file)
            names, row_count = parquet.schema_arrow.names, parquet.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError):
        raise FileRejectedError(_DAMAGED_PARQUET) from None
    plan = planner(combined_header([names]))

    reader = ColumnReader(plan.shape)

    def blocks(pool: Executor) -> Blocks:
        waiting: deque[Future[Rows]] = deque()
        damage = None
        if not row_count:
            yield reader.rows([pa.array([], pa.string())] * plan.shape.total)
            return
        try:
            with open_regular(contents.path) as file:
                parquet = pq.ParquetFile(file, buffer_size=_PARQUET_BUFFER)
                for batch in parquet.iter_batches(batch_size=_rows_at_once(parquet.metadata)):
                    waiting.append(pool.submit(_rows_of_batch, reader, batch, plan.has_separators))
                    while len(waiting) > _BATCHES_AHEAD:
                        yield waiting.popleft()
        except _PARQUET_DAMAGE:
            damage = FileRejectedError(_DAMAGED_PARQUET)
        # What was read before the damage may be a reason of its own.
        yield from waiting
        if damage is not None:
            raise damage

    return OpenFile(plan, [], blocks, 0)


def _rows_of_batch(reader: ColumnReader, batch: pa.RecordBatch, has_separators: bool) -> Rows:
    texts = []
    for position, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        try:
            text = as_text(column)
            is_number = pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
            texts.append(ungrouped_array(text) if has_separators and is_number else text)
        except _PARQUET_DAMAGE:
            if reader.wants(position):
                raise FileRejectedError(
                    f"its column {escaped(name)} is of the type {column.type}, which is no text: export it as text"
                ) from None
            # Nobody reads it: what counts is only whether the row is blank.
            texts.append(pc.if_else(column.is_valid(), pa.scalar("?"), pa.scalar(None, pa.string())))
    try:
        return reader.rows(texts)
    except _PARQUET_DAMAGE:
        raise FileRejectedError(_DAMAGED_PARQUET) from None


def _rows_at_once(metadata: Any) -> int:
    """Return how many rows are read at once, so that wide rows take no more memory than many."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    widest = max((group.total_byte_size / group.num_rows for group in groups if group.num_rows), default=1)
    return int(min(max(_PARQUET_BYTES_AT_ONCE / max(widest, 1), 1), zone.ROWS_PER_GROUP // 2))
