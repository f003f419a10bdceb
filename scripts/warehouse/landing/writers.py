"""Writes the rows of one file and entity to Parquet, block by block: the good ones and those of bad structure."""

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contract import Entity
from warehouse.landing import zone
from warehouse.landing.header import Output
from warehouse.landing.occurrences import OccurrenceCounter
from warehouse.landing.personal_data import Tokens
from warehouse.landing.rows import BAD_QUOTES, RAGGED_ROW, SWALLOWED_LINES, BadRow, escaped
from warehouse.landing.texts import joined_cells
from warehouse.landing.transform import Changes, EntityRows

_BAD_ROWS_AT_ONCE = 20_000
# Rows whose cells may stand in the place of others.
_TORN = (RAGGED_ROW, BAD_QUOTES, SWALLOWED_LINES)
# One word with a digit in it.
_IDENTIFIER = re.compile(r"(?=\D*\d)[\w.:/#-]{1,64}")
# Rows that are so wide are written in smaller row groups, for the sake of memory.
_LARGEST_GROUP = 128 * 2**20


def _is_repetitive(array: pa.ChunkedArray) -> bool:
    """Tell whether a dictionary pays: fewer than a third of the first cells differ."""
    start = array.slice(0, 20_000)
    return bool(3 * pc.count_distinct(start).as_py() < max(len(start), 1))


class EntityWriter:
    """Writes the canonical rows of one file and entity to Parquet, block by block."""

    def __init__(self, path: Path, entity: Entity, stamp: zone.LoadStamp, file: str, output: Output) -> None:
        """Keep where the rows of `file` go; the Parquet file begins with the first of them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._schema = zone.entity_schema(entity)
        self._stamp = stamp
        self._file = file
        self._output = output
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._seen: set[bytes] = set()
        self._occurrences = OccurrenceCounter()
        self.rows = 0
        self.left_out = 0
        self.collapsed = 0
        self.changes = Changes()

    def write(self, block: EntityRows, first_line: int, first_record: int) -> None:
        """Write a block; `first_line` (0-based) and `first_record` say where it starts in the file."""
        self.left_out += block.left_out
        self.changes.add(block.changes)
        columns, lines, records = block.columns, block.lines, block.records
        for name in self._output.generated:
            columns[name] = pa.array(self._numbered(block.digests), pa.string())
        if self._output.is_distinct and len(lines):
            keep = self._distinct(columns)
            self.collapsed += len(lines) - int(keep.sum())
            columns = {name: column.filter(pa.array(keep)) for name, column in columns.items()}
            lines, records = lines[keep], records[keep]
        count = len(lines)
        if not count:
            return
        address = {
            "load_id": pa.repeat(pa.scalar(self._stamp.load_id), count),
            "file": pa.repeat(pa.scalar(self._file), count),
            "line_number": pa.array(lines + (first_line + 1)),
            "record_number": pa.array(records + (first_record + 1)),
            "landed_at": pa.repeat(pa.scalar(self._stamp.landed_at, pa.timestamp("us")), count),
        }
        arrays = [
            address[name] if name in address else columns[name] if name in columns else pa.nulls(count, pa.string())
            for name in self._schema.names
        ]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        self._waiting.append(table)
        self._waiting_rows += count
        self._waiting_bytes += table.nbytes
        while self._waiting_rows >= zone.ROWS_PER_GROUP or self._waiting_bytes >= _LARGEST_GROUP:
            self._write_group()
        self.rows += count

    def _write_group(self) -> None:
        """Write the rows that wait as one row group, all of them or as many as a group holds."""
        table = pa.concat_tables([self._schema.empty_table(), *self._waiting])
        group, rest = table.slice(0, zone.ROWS_PER_GROUP), table.slice(zone.ROWS_PER_GROUP)
        self._waiting = [rest] if rest.num_rows else []
        self._waiting_rows, self._waiting_bytes = rest.num_rows, rest.nbytes if rest.num_rows else 0
        if self._writer is None:
            repeated = [
                field.name for field in self._schema
                if pa.types.is_string(field.type) and _is_repetitive(group.column(field.name))
            ]  # fmt: skip
            self._writer = pq.ParquetWriter(
                self.path,
                self._schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=repeated,
                write_statistics=["line_number", "record_number"],
            )
        self._writer.write_table(group, row_group_size=zone.ROWS_PER_GROUP)

    def _numbered(self, digests: list[bytes]) -> list[str]:
        numbers = self._occurrences.numbers(digests)
        return [f"g{digest.hex()}-{number}" for digest, number in zip(digests, numbers, strict=True)]

    def _distinct(self, columns: dict[str, pa.Array]) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        kept = []
        for contents in joined_cells(list(columns.values()), "\0"):
            digest = hashlib.blake2b(contents, digest_size=16).digest()
            kept.append(digest not in self._seen)
            self._seen.add(digest)
        return np.array(kept, dtype=bool)

    def close(self) -> None:
        """Finish the file."""
        if self._waiting or self._writer is None:
            self._write_group()
        if self._writer is not None:
            self._writer.close()


class DeletionWriter:
    """Writes the keys of one file and entity that were deleted at the source, block by block, where there are any."""

    def __init__(self, path: Path, entity: Entity, stamp: zone.LoadStamp, file: str) -> None:
        """Keep where the keys of `file` go; without any there is no Parquet file."""
        self.path = path
        self._entity = entity
        self._stamp = stamp
        self._file = file
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def write(self, deleted: EntityRows | None, first_line: int, first_record: int) -> None:
        """Write the keys of a block that starts at these 0-based numbers of line and record."""
        if deleted is None:
            return
        count = len(deleted.lines)
        columns = {
            "load_id": pa.repeat(pa.scalar(self._stamp.load_id), count),
            "entity": pa.repeat(pa.scalar(self._entity.name), count),
            "file": pa.repeat(pa.scalar(self._file), count),
            "line_number": pa.array(deleted.lines + (first_line + 1)),
            "record_number": pa.array(deleted.records + (first_record + 1)),
            "key_value": deleted.columns[self._entity.key[0]],
        }
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, zone.DELETIONS_SCHEMA, compression="zstd")
        self._writer.write_table(pa.table(columns, schema=zone.DELETIONS_SCHEMA))
        self.rows += count

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


class QuarantineWriter:
    """Writes the rows of bad structure of one file and entity, block by block, where there are any."""

    def __init__(self, path: Path, stamp: zone.LoadStamp, file: str, output: Output, tokens: Tokens) -> None:
        """Keep where the rows of `file` go; without any there is no Parquet file."""
        self.path = path
        self._stamp = stamp
        self._file = file
        self._output = output
        self._tokens = tokens
        self._writer: pq.ParquetWriter | None = None
        self.reasons: dict[str, int] = {}

    @property
    def rows(self) -> int:
        """Number of rows written."""
        return sum(self.reasons.values())

    def write(self, bad: list[BadRow], first_line: int, first_record: int) -> None:
        """Write the bad rows of a block that starts at these 0-based numbers of line and record."""
        if not bad:
            return
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, zone.QUARANTINE_SCHEMA, compression="zstd")
        for start in range(0, len(bad), _BAD_ROWS_AT_ONCE):
            part = bad[start : start + _BAD_ROWS_AT_ONCE]
            rows = [self._row(each, first_line, first_record) for each in part]
            self._writer.write_table(pa.Table.from_pylist(rows, zone.QUARANTINE_SCHEMA))
        for each in bad:
            self.reasons[each.reason] = self.reasons.get(each.reason, 0) + 1

    def _key_value(self, row: BadRow) -> str | None:
        """Return the key of a row where that is surely what stands in its place: it is published.

        Where a row was torn, what a person wrote may have moved there: nothing but the first cell of a line has its
        own place, and the first one of the rest of a torn line is no identifier.
        """
        planned = self._output.columns.get(self._output.entity.key[0])
        places = planned.all_positions if planned is not None else ()
        if not places or places[0] >= len(row.cells):
            return None
        cell = (row.cells[places[0]] or "").strip()
        if row.reason in _TORN and (places[0] > 0 or not _IDENTIFIER.fullmatch(cell)):
            return None
        return self._tokens.text(escaped(cell[:200])) or None

    def _row(self, row: BadRow, first_line: int, first_record: int) -> dict[str, Any]:
        return {
            "load_id": self._stamp.load_id,
            "file": self._file,
            "line_number": row.line + first_line + 1,
            "record_number": row.record + first_record + 1,
            "entity": self._output.entity.name,
            "reason": row.reason,
            "key_value": self._key_value(row),
            "raw_line": self._tokens.text(row.raw_line),
        }

    def count_again(self) -> None:
        """Count the rows of the finished file, after some of them were taken out of it."""
        reasons = pq.read_table(self.path, columns=["reason"], partitioning=None).column("reason").to_pylist()
        self.reasons = dict(Counter(reasons))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
