"""One call of `warehouse land`.

Every file is judged by itself, and what is accepted becomes visible at once.
"""

import datetime
import fnmatch
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contract import Entity, entities
from warehouse.erasing.landing import drop_remembered
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.corrections import (
    CORRECTION_MARK,
    Part,
    check_structure,
    landed_rows,
    ledger_rows,
    sort_corrections,
)
from warehouse.landing.files import Contents, Delivered, check_file, list_files
from warehouse.landing.formulas import restored_array
from warehouse.landing.header import (
    Header,
    Output,
    Plan,
    best_entity,
    holds_corrections,
    match_count,
    plan_canonical,
    plan_correction,
    plan_mapped,
)
from warehouse.landing.mapping import FileRule, Lookup, Mapping
from warehouse.landing.messages import FileRejectedError, shown_file
from warehouse.landing.names import normal_name
from warehouse.landing.occurrences import OccurrenceCounter
from warehouse.landing.personal_data import Tokens, token_key
from warehouse.landing.reading import OpenFile, open_file
from warehouse.landing.rows import BAD_BYTES, BadRow, Rows, Shape
from warehouse.landing.texts import joined_cells, trimmed, trimmed_array
from warehouse.landing.transform import EntityRows, Lookups, transform, without_addresses
from warehouse.paths import WarehousePaths

# A full delivery with fewer than this share of the keys that were there is held until the user accepts the
# drop.
SMALLEST_FULL_SHARE = 0.5
_THREADS = 2
_BAD_ROWS_AT_ONCE = 20_000
# Rows that are so wide are written in smaller row groups, for the sake of memory.
_LARGEST_GROUP = 128 * 2**20
_CORRECTED_AND_MAPPED = "holds corrected rows, which are canonical: land it without --source"
_DATE_IN_NAME = re.compile(r"(?<!\d)(20\d{2})(-?)(\d{2})\2(\d{2})(?!\d)")


@dataclass(frozen=True)
class Options:
    """What the user said about the files of a call. `exported_at` is UTC without offset."""

    mapping: Mapping | None = None
    entity: str | None = None
    is_full: bool = False
    exported_at: datetime.datetime | None = None
    accepts_drop: bool = False


@dataclass
class FileResult:
    """What became of one file (and entity): the line that the user sees."""

    file: str
    entity: str | None
    verdict: str
    reason: str | None = None
    rows_in: int = 0
    rows_landed: int = 0
    rows_quarantined: int = 0
    repairs: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The outcome of a call. `load_id` None: nothing was landed. `reasons` counts rows of bad structure."""

    load_id: str | None
    files: list[FileResult]
    skipped: list[tuple[str, str]]
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def has_rejected(self) -> bool:
        """Tell whether any file was rejected."""
        return any(result.verdict == "rejected" for result in self.files)

    def as_json(self) -> str:
        """Return the report as the one JSON object of `--json`."""
        document = {
            "load_id": self.load_id,
            "files": [vars(result) for result in self.files],
            "skipped": [{"file": name, "reason": reason} for name, reason in self.skipped],
        }
        return json.dumps(document, ensure_ascii=False)


@dataclass
class Accepted:
    """One accepted delivery before it is committed: its line, its registry row and its private files."""

    result: FileResult
    registry: dict[str, Any]
    path: Path
    quarantine: "_QuarantineWriter | None" = None


def _is_repetitive(array: pa.ChunkedArray) -> bool:
    """Tell whether a dictionary pays: fewer than a third of the first cells differ."""
    start = array.slice(0, 20_000)
    return bool(3 * pc.count_distinct(start).as_py() < max(len(start), 1))


class _EntityWriter:
    """Writes the canonical rows of one file and entity to Parquet, block by block."""

    def __init__(self, path: Path, entity: Entity, stamp: zone.LoadStamp, file: str, output: Output) -> None:
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
        self.changes: dict[str, int] = {}

    def write(self, block: EntityRows, first_line: int, first_record: int) -> None:
        """Write a block; `first_line` (0-based) and `first_record` say where it starts in the file."""
        self.left_out += block.left_out
        for kind, count in block.changes.items():
            self.changes[kind] = self.changes.get(kind, 0) + count
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


class _QuarantineWriter:
    """Writes the rows of bad structure of one file and entity, block by block, where there are any."""

    def __init__(self, path: Path, stamp: zone.LoadStamp, file: str, output: Output, tokens: Tokens) -> None:
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

    def _row(self, row: BadRow, first_line: int, first_record: int) -> dict[str, Any]:
        key_value = None
        planned = self._output.columns.get(self._output.entity.key[0])
        places = planned.all_positions if planned is not None else ()
        if places and places[0] < len(row.cells):
            cell = row.cells[places[0]]
            if cell:
                key_value = self._tokens.text(_storable(cell.strip()[:200])) or None
        return {
            "load_id": self._stamp.load_id,
            "file": self._file,
            "line_number": row.line + first_line + 1,
            "record_number": row.record + first_record + 1,
            "entity": self._output.entity.name,
            "reason": row.reason,
            "key_value": key_value,
            "raw_line": self._tokens.text(row.raw_line),
        }

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


# ---------------------------------------------------------------- which entity or rule a file is


def entity_of_name(name: str) -> Entity | None:
    """Return the entity that a file name says: `orders.csv`, `raw_orders.csv`, `orders_2024-07-01.csv.gz`."""
    stem = normal_name(name.split(".")[0]).removeprefix("raw_")
    for entity_name in sorted(entities(), key=len, reverse=True):
        if stem == entity_name or re.match(rf"{entity_name}(_|\W|\d)", stem):
            return entities()[entity_name]
    return None


def _canonical_planner(entity: Entity, options: Options) -> Callable[[Header], Plan]:
    def plan(header: Header) -> Plan:
        if holds_corrections(header):
            return _correction_planner(options)(header)
        return plan_canonical(header, entity, bool(options.entity))

    return plan


def _correction_planner(options: Options) -> Callable[[Header], Plan]:
    """Plan corrected rows. Their columns say the entity; a file's name counts for nothing."""

    def plan(header: Header) -> Plan:
        if options.is_full or options.exported_at is not None:
            raise FileRejectedError(
                "holds corrected rows, which belong to their first delivery: leave out --full and --exported-at"
            )
        return plan_correction(header, entities()[options.entity] if options.entity else None)

    return plan


def _rule_planner(rule: FileRule, entity: str | None) -> Callable[[Header], Plan]:
    def plan(header: Header) -> Plan:
        if holds_corrections(header):
            raise FileRejectedError(_CORRECTED_AND_MAPPED)
        names = {normal_name(name) for names in header.aliases for name in names}
        absent = [name for name in rule.header if normal_name(name) not in names]
        if absent:
            raise FileRejectedError("its header is not the one that the mapping describes")
        chosen = rule
        if entity is not None:
            rules = tuple(each for each in rule.entities if each.entity == entity)
            if not rules:
                raise FileRejectedError(f"the mapping makes no {entity} of it")
            chosen = FileRule(rule.names, rule.header, rules)
        return plan_mapped(header, chosen)

    return plan


def open_delivered(contents: Contents, options: Options) -> tuple[OpenFile, FileRule | None]:
    """Open a checked file as the mapping, `--entity` or its name says. Raises FileRejectedError."""
    if options.mapping is None:
        entity = entities()[options.entity] if options.entity else entity_of_name(contents.inner_name)
        entity = entity or entity_of_name(contents.path.name)
        if entity is None:
            headers: list[Header] = []

            def keep(header: Header) -> Plan:
                headers.append(header)
                raise FileRejectedError("")

            try:
                open_file(contents, None, keep)
            except FileRejectedError as error:
                if not headers:
                    raise error from None
            if any(holds_corrections(header) for header in headers):
                return open_file(contents, None, _correction_planner(options)), None
            likely = next((found for header in headers if (found := _likely_entity(header))), None)
            hint = (
                f"its header looks like {likely.name}: give --entity {likely.name}"
                if likely
                else "give --entity or --source"
            )
            raise FileRejectedError(f"its name is that of no entity; {hint}")
        return open_file(contents, None, _canonical_planner(entity, options)), None
    by_name = [rule for rule in options.mapping.files if rule.names and rule.fits_name(contents.inner_name)]
    rules = by_name or list(options.mapping.files)
    fits: list[tuple[OpenFile, FileRule]] = []
    refusals: list[FileRejectedError] = []
    for rule in rules:
        try:
            fits.append((open_file(contents, rule, _rule_planner(rule, options.entity)), rule))
        except FileRejectedError as error:
            refusals.append(error)
            continue
        if by_name:
            break
    if len(fits) == 1:
        return fits[0]
    telling = [refusal for refusal in refusals if str(refusal) == _CORRECTED_AND_MAPPED]
    if by_name or len(rules) == 1 or telling:
        raise (telling or refusals)[0]
    if not fits:
        raise FileRejectedError(f"no part of the mapping {options.mapping.name} fits its name or header")
    raise FileRejectedError(
        f"several parts of the mapping {options.mapping.name} fit it: name the file as the mapping says"
    )


def _likely_entity(header: Header) -> Entity | None:
    """Return the entity that a header fits, unless the fit is so small that naming it would mislead."""
    entity = best_entity(header)
    if entity is not None and 2 * match_count(header, entity)[0] >= header.named:
        return entity
    return None


def load_lookups(
    contents: Contents, plan: Plan, rule: FileRule | None, tokens: Tokens
) -> tuple[Lookups, list[str], str]:
    """Return the tables of the plan's lookups, notes about missing ones, and a hash over their files.

    A lookup's file is searched beside the file that needs it. Raises FileRejectedError when it cannot be
    read.
    """
    found: dict[Lookup, dict[str, str]] = {}
    notes: list[str] = []
    digest = hashlib.sha256()
    for lookup in plan.lookups:
        matching = sorted(
            path
            for path in contents.path.parent.iterdir()
            if fnmatch.fnmatchcase(path.name.lower(), lookup.file.lower()) and path != contents.path
        )
        if len(matching) > 1:
            raise FileRejectedError(f"{len(matching)} files beside it fit the mapping's lookup: leave one there")
        table: dict[str, str] = {}
        if matching:
            other = check_file(Delivered(matching[0], shown_file(matching[0].name), False))
            digest.update(other.sha256.encode())
            table = _lookup_table(other, lookup, rule, tokens)
        else:
            notes.append(f"no file {lookup.file} beside it: the column that it gives stays empty")
        found[lookup] = table
    return found, notes, digest.hexdigest() if found else ""


def _lookup_table(contents: Contents, lookup: Lookup, rule: FileRule | None, tokens: Tokens) -> dict[str, str]:
    places: list[int] = []

    def plan(header: Header) -> Plan:
        names = [normal_name(name) for name in header.names]
        wanted = [normal_name(lookup.match), normal_name(lookup.take)]
        if any(names.count(name) != 1 for name in wanted):
            raise FileRejectedError(f"the lookup file {contents.name} lacks the columns that the mapping names")
        places[:] = [names.index(name) for name in wanted]
        return Plan(Shape(header.names, header.named, tuple(sorted(set(places))), frozenset(wanted)), (), ())

    plain = FileRule((), (), (), encoding=rule.encoding if rule else None)
    opened = open_file(contents, plain, plan)
    table: dict[str, str] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        for block in opened.blocks(pool):
            rows, _ = without_addresses(block.result() if isinstance(block, Future) else block, tokens)
            keys, values = (rows.columns[place].to_pylist() for place in places)
            for key, value in zip(keys, values, strict=True):
                if key is not None and value is not None:
                    table.setdefault(key, value)
    return table


def exported_time(
    options: Options, contents: Contents, landed_at: datetime.datetime
) -> tuple[datetime.datetime | None, list[str]]:
    """Return when a delivery was exported (the option, else the last date in its name) and notes."""
    if options.exported_at is not None:
        return options.exported_at, []
    for name in (contents.path.name, contents.inner_name):
        dates = []
        for year, _, month, day in _DATE_IN_NAME.findall(name):
            try:
                dates.append(datetime.datetime(int(year), int(month), int(day)))
            except ValueError:
                continue
        if dates:
            if max(dates) > landed_at + datetime.timedelta(days=1):
                return None, ["the date in the file name lies in the future: not used"]
            return max(dates), []
    return None, []


# ---------------------------------------------------------------- one file


class _Landing:
    """The state of one call while its files are read into a private folder."""

    def __init__(
        self,
        options: Options,
        private: Path,
        stamp: zone.LoadStamp,
        tokens: Tokens,
        loads: list[dict[str, Any]],
        paths: WarehousePaths | None,
    ) -> None:
        self.options = options
        self.paths = paths
        self.private = private
        self.stamp = stamp
        self.tokens = tokens
        self.loads = loads
        self.accepted: list[Accepted] = []
        self.results: list[FileResult] = []
        self._number = 0

    def next_path(self, entity: str) -> Path:
        self._number += 1
        return self.private / entity / f"{self.stamp.load_id}-{self._number}.parquet"

    def already_landed(self, sha256: str, entity: str, source: str, fingerprint: str) -> dict[str, Any] | None:
        options = self.options
        for row in [*self.loads, *(each.registry for each in self.accepted)]:
            if (
                (row["file_sha256"], row["entity"], row["source"]) == (sha256, entity, source)
                and f"mapping {fingerprint}" in json.loads(row["repairs"])
                and (row["is_full"] or not options.is_full)
                and (options.exported_at is None or row["exported_at"] == options.exported_at)
            ):
                return row
        return None

    def replay(self, file: str, row: dict[str, Any]) -> FileResult:
        repairs = [note for note in json.loads(row["repairs"]) if not note.startswith("mapping ")]
        return FileResult(
            file, row["entity"], "accepted", None,
            row["rows_in"], row["rows_landed"], row["rows_quarantined"],
            [f"already landed in load {row['load_id']}: nothing changed", *repairs],
        )  # fmt: skip

    def take(self, delivered: Delivered, on_rows: Callable[[int], None]) -> None:
        """Read one file into the private folder, or note why it is rejected."""
        entity: str | None = self.options.entity
        written: list[Path] = []
        name = delivered.name
        try:
            if entity is None and self.options.mapping is None:
                named = entity_of_name(delivered.path.name)
                entity = named.name if named else None
            contents = check_file(delivered)
            name = contents.name
            self._take_checked(contents, written, on_rows)
            return
        except FileRejectedError as error:
            reason = str(error)
        except WarehouseError:
            raise
        except OSError as error:
            raise WarehouseError(f"the warehouse folder cannot be written ({error.strerror or 'disk error'})") from None
        except Exception as error:
            # Whatever a damaged file makes a library raise must not stop the other files; its text may quote
            # cells.
            reason = f"cannot be read ({type(error).__name__}): the file is damaged or of an unknown shape"
        for path in written:
            path.unlink(missing_ok=True)
        self.results.append(FileResult(name, entity, "rejected", reason))

    def _take_checked(self, contents: Contents, written: list[Path], on_rows: Callable[[int], None]) -> None:
        mapping = self.options.mapping
        source = mapping.name if mapping else ""
        opened, rule = open_delivered(contents, self.options)
        if opened.plan.corrects is not None:
            self._take_corrections(contents, opened, opened.plan.corrects, written, on_rows)
            return
        lookups, lookup_notes, lookup_hash = load_lookups(contents, opened.plan, rule, self.tokens)
        fingerprint = f"{mapping.fingerprint if mapping else 'none'}{lookup_hash[:8]}"
        outputs = opened.plan.outputs
        replays = [self.already_landed(contents.sha256, output.entity.name, source, fingerprint) for output in outputs]
        if all(row is not None for row in replays):
            self.results.extend(self.replay(contents.name, row) for row in replays if row is not None)
            return
        writers, quarantines = [], []
        for output in outputs:
            path = self.next_path(output.entity.name)
            bad_path = self.private / zone.QUARANTINE / path.name
            written += [path, bad_path]
            writers.append(_EntityWriter(path, output.entity, self.stamp, contents.name, output))
            quarantines.append(_QuarantineWriter(bad_path, self.stamp, contents.name, output, self.tokens))
        wrong_bytes: int | None = None
        line, record, tokens_made = opened.first_line, 0, 0
        was_trimmed = has_multibyte = False
        with ThreadPoolExecutor(_THREADS) as pool:
            for block in opened.blocks(pool):
                rows: Rows = block.result() if isinstance(block, Future) else block
                was_trimmed |= rows.was_trimmed
                has_multibyte |= rows.has_multibyte
                for each in rows.bad:
                    if each.reason == BAD_BYTES and wrong_bytes is None:
                        wrong_bytes = each.line + line + 1
                for quarantine in quarantines:
                    quarantine.write(rows.bad, line, record)
                rows, replaced = without_addresses(rows, self.tokens)
                tokens_made += replaced
                for output, writer in zip(outputs, writers, strict=True):
                    writer.write(transform(output, rows, source, lookups), line, record)
                line += rows.line_count
                record += rows.record_count
                on_rows(rows.record_count)
        for writer in writers:
            writer.close()
        for quarantine in quarantines:
            quarantine.close()
        if wrong_bytes and not has_multibyte and not (rule and rule.encoding):
            raise FileRejectedError(
                f"line {wrong_bytes} is no UTF-8 and no other line proves that the file is: "
                "save it as UTF-8, or declare its encoding (for example cp1252) in a mapping"
            )
        exported_at, time_notes = exported_time(self.options, contents, self.stamp.landed_at)
        notes = [*opened.repairs, *opened.plan.notes, *lookup_notes, *time_notes]
        if was_trimmed:
            notes.append("blanks around cells trimmed")
        if tokens_made:
            notes.append(f"e-mail addresses replaced by tokens: {tokens_made}")
        for output, writer, quarantine in zip(outputs, writers, quarantines, strict=True):
            own = [f"{kind}: {count}" for kind, count in writer.changes.items()]
            if writer.left_out:
                own.append(f"rows that are no {output.entity.name}: {writer.left_out}")
            if writer.collapsed:
                own.append(f"equal rows taken once: {writer.collapsed} left out")
            result = FileResult(
                contents.name, output.entity.name, "accepted", None,
                writer.rows + quarantine.rows, writer.rows, quarantine.rows,
                [*notes, *own],
            )  # fmt: skip
            registry = {
                "load_id": self.stamp.load_id,
                "entity": output.entity.name,
                "file": contents.name,
                "source": source,
                "file_sha256": contents.sha256,
                "rows_in": result.rows_in,
                "rows_landed": result.rows_landed,
                "rows_quarantined": result.rows_quarantined,
                "is_full": self.options.is_full,
                "exported_at": exported_at,
                "landed_at": self.stamp.landed_at,
                "load_sequence": self.stamp.sequence,
                "repairs": json.dumps([*result.repairs, f"mapping {fingerprint}"], ensure_ascii=False),
            }
            self.accepted.append(Accepted(result, registry, writer.path, quarantine))
            self.results.append(result)

    def _take_corrections(
        self,
        contents: Contents,
        opened: OpenFile,
        corrects: AnyMapping[str, int],
        written: list[Path],
        on_rows: Callable[[int], None],
    ) -> None:
        """Read a file of corrected rows; each original delivery that it corrects becomes a delivery of its own."""
        if self.paths is None:
            raise FileRejectedError("holds corrected rows: land it, or correct the seeds themselves")
        (output,) = opened.plan.outputs
        entity = output.entity
        known = [
            row
            for row in self.loads
            if (row["file_sha256"], row["entity"]) == (contents.sha256, entity.name)
            and CORRECTION_MARK in json.loads(row["repairs"])
        ]
        if known:
            self.results.extend(self.replay(row["file"], row) for row in known)
            return
        blocks: list[pa.Table] = []
        line, record, blank, tokens_made = opened.first_line, 0, 0, 0
        with ThreadPoolExecutor(_THREADS) as pool:
            for block in opened.blocks(pool):
                rows: Rows = block.result() if isinstance(block, Future) else block
                blank += check_structure(rows.bad, line)
                restored = {place: trimmed_array(restored_array(column))[0] for place, column in rows.columns.items()}
                rows, replaced = without_addresses(replace(rows, columns=restored), self.tokens)
                tokens_made += replaced
                columns = transform(output, rows, "", {}).columns
                columns |= {name: rows.columns[place] for name, place in corrects.items()}
                columns["line_number"] = pa.array(rows.lines + (line + 1))
                columns["record_number"] = pa.array(rows.records + (record + 1))
                blocks.append(pa.table(columns))
                line += rows.line_count
                record += rows.record_count
                on_rows(rows.record_count)
        corrections = sort_corrections(self.paths, self.loads, entity, pa.concat_tables(blocks))
        notes = [*opened.repairs, *opened.plan.notes, *corrections.notes]
        if blank:
            notes.append(f"blank rows: {blank} left out")
        if tokens_made:
            notes.append(f"e-mail addresses replaced by tokens: {tokens_made}")
        if not corrections.parts:
            notes.insert(0, "no row was corrected: nothing changed")
            self.results.append(FileResult(contents.name, entity.name, "accepted", None, repairs=notes))
        for number, part in enumerate(corrections.parts, 1):
            name = contents.name if len(corrections.parts) == 1 else f"{contents.name}/{number}"
            self._write_part(contents, name, entity, part, notes, written)

    def _write_part(
        self, contents: Contents, file: str, entity: Entity, part: Part, notes: list[str], written: list[Path]
    ) -> None:
        path = self.next_path(entity.name)
        ledger = self.private / zone.CORRECTIONS / path.name
        for target, table in (
            (path, landed_rows(part, self.stamp, entity, file)),
            (ledger, ledger_rows(part, self.stamp.load_id, entity.name, file)),
        ):
            written.append(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, target, compression="zstd")
        count = part.rows.num_rows
        own = f"corrects {count} row{'s'[: count != 1]} of load {', '.join(part.load_ids)}"
        result = FileResult(file, entity.name, "accepted", None, count, count, 0, [own, *notes])
        registry = {
            "load_id": self.stamp.load_id,
            "entity": entity.name,
            "file": file,
            "source": part.source,
            "file_sha256": contents.sha256,
            "rows_in": count,
            "rows_landed": count,
            "rows_quarantined": 0,
            "is_full": False,
            "exported_at": part.exported_at,
            "landed_at": self.stamp.landed_at,
            "load_sequence": part.load_sequence,
            "repairs": json.dumps([*result.repairs, CORRECTION_MARK], ensure_ascii=False),
        }
        self.accepted.append(Accepted(result, registry, path))
        self.results.append(result)

    def reasons(self) -> dict[str, int]:
        """Return how many rows of bad structure the accepted deliveries have, by reason."""
        counts: dict[str, int] = {}
        for taken in self.accepted:
            for reason, count in taken.quarantine.reasons.items() if taken.quarantine else ():
                counts[reason] = counts.get(reason, 0) + count
        return counts

    def provide(self, mapping: Mapping) -> None:
        """Land the reference rows that a mapping brings along, like a file of their own."""
        for name, rows in mapping.provides.items():
            entity = entities()[name]
            if self.options.entity not in (None, name):
                continue
            file = f"{mapping.name}.yml"
            sha256 = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
            known = self.already_landed(sha256, name, mapping.name, "provided")
            if known is not None:
                self.results.append(self.replay(file, known))
                continue
            path = self.next_path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            numbers = list(range(1, len(rows) + 1))
            columns: dict[str, Any] = {
                "load_id": [self.stamp.load_id] * len(rows),
                "file": [file] * len(rows),
                "line_number": numbers,
                "record_number": numbers,
                "landed_at": [self.stamp.landed_at] * len(rows),
            }
            for column in entity.column_names:
                columns[column] = [trimmed(row.get(column) or "") for row in rows]
            pq.write_table(pa.table(columns, schema=zone.entity_schema(entity)), path, compression="zstd")
            result = FileResult(
                file, name, "accepted", None, len(rows), len(rows), 0, ["reference rows of the mapping"]
            )
            registry = {
                "load_id": self.stamp.load_id,
                "entity": name,
                "file": file,
                "source": mapping.name,
                "file_sha256": sha256,
                "rows_in": len(rows),
                "rows_landed": len(rows),
                "rows_quarantined": 0,
                "is_full": False,
                "exported_at": None,
                "landed_at": self.stamp.landed_at,
                "load_sequence": self.stamp.sequence,
                "repairs": json.dumps([*result.repairs, "mapping provided"]),
            }
            self.accepted.append(Accepted(result, registry, path))
            self.results.append(result)

    def reject(self, taken: Accepted, reason: str) -> None:
        """Take back a delivery that was read well but may not be landed."""
        taken.path.unlink(missing_ok=True)
        if taken.quarantine is not None:
            taken.quarantine.path.unlink(missing_ok=True)
        self.accepted.remove(taken)
        taken.result.verdict = "rejected"
        taken.result.reason = reason
        taken.result.rows_in = taken.result.rows_landed = taken.result.rows_quarantined = 0

    def hold_full_deliveries(self, paths: WarehousePaths) -> None:
        """Reject full deliveries that are surely incomplete, or that lose most keys of the one before."""
        if not self.options.is_full:
            return
        has_unknown = any(result.verdict == "rejected" and result.entity is None for result in self.results)
        broken = {result.entity for result in self.results if result.verdict == "rejected"}
        for name in {taken.registry["entity"] for taken in self.accepted}:
            group = [taken for taken in self.accepted if taken.registry["entity"] == name]
            if name in broken or has_unknown:
                for taken in group:
                    self.reject(
                        taken,
                        f"another file of this full delivery was rejected: {name} would not be complete",
                    )
                continue
            if self.options.accepts_drop:
                continue
            before, now = _key_counts(paths, self.loads, entities()[name], group)
            if now < SMALLEST_FULL_SHARE * before:
                for taken in group:
                    self.reject(
                        taken,
                        f"this full delivery has {now} keys of {name} where {before} were current: held; "
                        "if that is right, land it with --accept-drop",
                    )


def _storable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _key_counts(
    paths: WarehousePaths, loads: list[dict[str, Any]], entity: Entity, group: list[Accepted]
) -> tuple[int, int]:
    """Return the number of distinct keys of the same source that are current, and of the new deliveries."""
    import duckdb

    source = group[0].registry["source"]
    rows = [row for row in loads if (row["entity"], row["source"]) == (entity.name, source)]
    rows.sort(key=lambda row: (row["exported_at"] or row["landed_at"], row["load_sequence"]))
    last_full = max((number for number, row in enumerate(rows) if row["is_full"]), default=0)
    if rows:
        stamp = (
            rows[last_full]["exported_at"] or rows[last_full]["landed_at"],
            rows[last_full]["load_sequence"],
        )
        rows = [row for row in rows if ((row["exported_at"] or row["landed_at"]), row["load_sequence"]) >= stamp]
    wanted = {(row["load_id"], row["file"]) for row in rows}
    keys = ", ".join(f"coalesce({column}, '')" for column in entity.key)
    connection = duckdb.connect()
    try:
        before = 0
        if wanted:
            pairs = pa.table({"load_id": [pair[0] for pair in wanted], "file": [pair[1] for pair in wanted]})
            connection.register("wanted", pairs)
            folder = str(paths.landing / entity.name).replace("'", "''")
            query = (
                f"select count(*) from (select distinct {keys} from read_parquet('{folder}/*.parquet') "  # noqa: S608
                "inner join wanted using (load_id, file))"
            )
            before = connection.execute(query).fetchall()[0][0]
        key = list(entity.key)
        connection.register("new", pa.concat_tables([pq.read_table(taken.path, columns=key) for taken in group]))
        now = connection.execute(f"select count(*) from (select distinct {keys} from new)").fetchall()[0][0]  # noqa: S608
    finally:
        connection.close()
    return before, now


# ---------------------------------------------------------------- one call


def _not_in_mapping(delivered: Delivered, mapping: Mapping) -> bool:
    """Tell whether a file that a folder brought along is no business of the mapping."""
    names = [rule for rule in mapping.files if rule.names]
    return (
        delivered.is_from_folder
        and len(names) == len(mapping.files)
        and not any(
            rule.fits_name(re.sub(r"\.(gz|zip)$", "", delivered.path.name, flags=re.IGNORECASE)) for rule in names
        )
    )


def _files_of(inputs: list[Path], options: Options) -> tuple[list[Delivered], list[tuple[str, str]]]:
    files, skipped = list_files(inputs)
    if options.mapping is not None:
        others = [each for each in files if _not_in_mapping(each, options.mapping)]
        skipped += [(each.name, f"no part of the mapping {options.mapping.name}") for each in others]
        files = [each for each in files if each not in others]
    if not files:
        raise WarehouseError("no export files there: give .csv, .tsv, .txt, .xlsx, .parquet, .jsonl, .gz or .zip files")
    return files, skipped


def land(
    paths: WarehousePaths,
    inputs: list[Path],
    options: Options,
    on_file: Callable[[str], Callable[[int], None]],
) -> Report:
    """Land files into the landing zone.

    Accepted files become visible together; a rejected one leaves nothing behind. `on_file` is called with the
    name of each file and returns what is called with each number of rows read. Raises WarehouseError when the
    landing zone itself cannot be used.
    """
    files, skipped = _files_of(inputs, options)
    with zone.locked(paths):
        zone.ensure_landing_zone(paths)
        zone.sweep(paths)
        loads = zone.read_loads(paths)
        stamp = zone.new_stamp(loads)
        private = paths.landing / zone.UNFINISHED / stamp.load_id
        private.mkdir(parents=True)
        try:
            tokens = Tokens(token_key(paths.root))
            landing = _take_all(files, options, private, stamp, tokens, loads, on_file, paths)
            landing.hold_full_deliveries(paths)
            load_id = stamp.load_id if landing.accepted else None
            if landing.accepted:
                # A redelivery does not bring an erased customer back.
                drop_remembered(paths, private, landing.accepted)
                zone.commit(paths, private, stamp, [taken.registry for taken in landing.accepted])
        except OSError as error:
            raise WarehouseError(f"the warehouse folder cannot be written ({error.strerror or 'disk error'})") from None
        finally:
            shutil.rmtree(private, ignore_errors=True)
    return Report(load_id or _replayed_load(landing.results), landing.results, skipped, landing.reasons())


def _replayed_load(results: list[FileResult]) -> str | None:
    loads = {
        found.group(1)
        for result in results
        for note in result.repairs[:1]
        if (found := re.match(r"already landed in load (\S+):", note))
    }
    return loads.pop() if len(loads) == 1 else None


def _take_all(
    files: list[Delivered],
    options: Options,
    private: Path,
    stamp: zone.LoadStamp,
    tokens: Tokens,
    loads: list[dict[str, Any]],
    on_file: Callable[[str], Callable[[int], None]],
    paths: WarehousePaths | None = None,
) -> _Landing:
    landing = _Landing(options, private, stamp, tokens, loads, paths)
    for delivered in files:
        landing.take(delivered, on_file(delivered.name))
    if options.mapping is not None and any(result.verdict == "accepted" for result in landing.results):
        landing.provide(options.mapping)
    return landing


def read_privately(
    root: Path,
    private: Path,
    inputs: list[Path],
    options: Options,
    on_file: Callable[[str], Callable[[int], None]],
) -> tuple[Report, dict[str, list[Path]]]:
    """Read files as `land` does, into the private folder only.

    Return the report and the Parquet files by entity.
    """
    files, skipped = _files_of(inputs, options)
    stamp = zone.new_stamp([])
    landing = _take_all(files, options, private, stamp, Tokens(token_key(root)), [], on_file)
    by_entity: dict[str, list[Path]] = {}
    for taken in landing.accepted:
        by_entity.setdefault(taken.registry["entity"], []).append(taken.path)
    return Report(None, landing.results, skipped, landing.reasons()), by_entity


def iterate_rows(paths: list[Path]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of private files in order."""
    for path in paths:
        yield from pq.ParquetFile(path).iter_batches()
