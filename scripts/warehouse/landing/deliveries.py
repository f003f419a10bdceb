"""The deliveries of one call: every file is read by itself into a private folder, or rejected with its reason."""

import datetime
import hashlib
import json
import re
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contract import Entity, entities
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
from warehouse.landing.files import Contents, Delivered, check_file
from warehouse.landing.formulas import restored_array
from warehouse.landing.lookups import load_lookups
from warehouse.landing.mapping import Mapping
from warehouse.landing.messages import FileRejectedError, UnknownFileError
from warehouse.landing.personal_data import Tokens
from warehouse.landing.reading import OpenFile
from warehouse.landing.recognition import entity_of_name, open_delivered
from warehouse.landing.report import FileResult, Options
from warehouse.landing.rows import BAD_BYTES, RAGGED_ROW
from warehouse.landing.texts import trimmed, trimmed_array
from warehouse.landing.transform import Changes, transform, without_addresses
from warehouse.landing.writers import DeletionWriter, EntityWriter, QuarantineWriter
from warehouse.paths import WarehousePaths, warehouse_paths
from warehouse.unforeseen import note_unforeseen

# What a mapping brings along is marked so in the registry.
_PROVIDED = "mapping provided"
_PROVIDED_FOR = {"deal_stages": ("deals", "deal_stage_history")}
_DATE_IN_NAME = re.compile(r"(?<!\d)(20\d{2})(-?)(\d{2})\2(\d{2})(?!\d)")


@dataclass
class Accepted:
    """One accepted delivery before it is committed: its line, its registry row and its private files."""

    result: FileResult
    registry: dict[str, Any]
    path: Path
    quarantine: QuarantineWriter | None = None
    deletions: DeletionWriter | None = None


@dataclass(eq=False)
class Unchanged:
    """A file that was not read, because it only repeats deliveries of earlier loads: their registry rows."""

    delivered: Delivered
    rows: list[dict[str, Any]]
    results: list[FileResult]


def is_provided(row: dict[str, Any]) -> bool:
    """Tell whether a row of the load registry is about rows that a mapping brought along."""
    return _PROVIDED in json.loads(row["repairs"])


def no_part_of(mapping: Mapping, delivered: Delivered) -> str:
    """Return why a file of a folder is skipped of which the mapping makes nothing."""
    if any(lookup.fits_name(delivered.path.name) for lookup in mapping.lookups):
        return "the mapping looks values up in it"
    return f"no part of the mapping {mapping.name}"


def _day_of(row: dict[str, Any]) -> datetime.date:
    """Return the day of a delivery in the load registry: of its export where that is known, else of its landing."""
    moment: datetime.datetime = row["exported_at"] or row["landed_at"]
    return moment.date()


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
            # What was exported today is younger than what was landed earlier today.
            return max(dates) if max(dates).date() < landed_at.date() else landed_at, []
    return None, []


def check_day_orders(changes: Changes) -> None:
    """Raise FileRejectedError where dates of a column contradict the declared order of day and month.

    More than prove it: then those that can be read in both orders would be wrong without a word.
    """
    for column, (declared, reversed_) in changes.day_orders.items():
        if reversed_ > declared:
            raise FileRejectedError(
                f"the dates for {column} have day and month in the other order than the mapping "
                "declares: exchange %m and %d of its date_format in a copy of the mapping"
            )


class Deliveries:
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
        """Begin with none; `loads` are those landed before, `paths` None: nothing will be landed."""
        self.options = options
        self.paths = paths
        self.private = private
        self.stamp = stamp
        self.tokens = tokens
        self.loads = loads
        self.accepted: list[Accepted] = []
        self.results: list[FileResult] = []
        self.skipped: list[tuple[str, str]] = []
        self.unchanged: list[Unchanged] = []
        self._number = 0

    def _next_path(self, entity: str) -> Path:
        self._number += 1
        return self.private / entity / f"{self.stamp.load_id}-{self._number}.parquet"

    def _already_landed(
        self, sha256: str, entity: str, source: str, mark: str, exported_at: datetime.datetime | None
    ) -> dict[str, Any] | None:
        """Return the registry row of a delivery that this one would only repeat, or None.

        That is the last delivery of the same contents, if it was read in the same way. Contents of another day are
        another delivery: they say that what came between is no longer true, whenever that arrives.
        """
        options = self.options
        rows: list[dict[str, Any]] = [*self.loads, *(each.registry for each in self.accepted)]
        for row in rows[::-1]:
            if (row["file_sha256"], row["entity"], row["source"]) != (sha256, entity, source):
                continue
            if options.exported_at is not None and row["exported_at"] != options.exported_at:
                continue
            if exported_at is not None and _day_of(row) != exported_at.date():
                continue
            is_read_alike = mark in json.loads(row["repairs"]) and (row["is_full"] or not options.is_full)
            returns = exported_at is not None and self._others_between(row, exported_at)
            return row if is_read_alike and not returns else None
        return None

    def _others_between(self, row: dict[str, Any], until: datetime.datetime | None) -> bool:
        """Tell whether other contents of the same entity and source were delivered after a row, and before a time."""
        since = zone.delivered_at(row, self.loads)
        return any(
            (other["entity"], other["source"]) == (row["entity"], row["source"])
            and other["file_sha256"] != row["file_sha256"]
            and since < zone.delivered_at(other, self.loads)
            and (until is None or zone.delivered_at(other, self.loads) < until)
            for other in self.loads
        )

    def _replayed(self, file: str, row: dict[str, Any]) -> FileResult:
        repairs = [note for note in json.loads(row["repairs"]) if not note.startswith("mapping ")]
        note = f"already landed in load {row['load_id']}: nothing changed"
        # What a mapping brings along has no time of its own.
        is_of_earlier_load = row["load_id"] != self.stamp.load_id and not is_provided(row)
        if is_of_earlier_load and self._others_between(row, None):
            note += f" (other {row['entity']} came later; --exported-at lands it again)"
        return FileResult(
            file, row["entity"], "accepted", None,
            row["rows_in"], row["rows_landed"], row["rows_quarantined"], [note, *repairs],
        )  # fmt: skip

    def read_again(self, unchanged: Unchanged, on_rows: Callable[[int], None]) -> None:
        """Read a file after all that only repeats what was landed."""
        self.unchanged.remove(unchanged)
        taken_back = {id(result) for result in unchanged.results}
        self.results = [result for result in self.results if id(result) not in taken_back]
        self.take(unchanged.delivered, on_rows, reads_again=True)

    def take(self, delivered: Delivered, on_rows: Callable[[int], None], reads_again: bool = False) -> None:
        """Read one file into the private folder, or note why it is rejected.

        What was landed before is not read again, unless `reads_again`.
        """
        entity: str | None = self.options.entity
        written: list[Path] = []
        name = delivered.name
        try:
            if entity is None and self.options.mapping is None:
                named = entity_of_name(delivered.path.name)
                entity = named.name if named else None
            contents = check_file(delivered)
            name = contents.name
            unchanged = self._take_checked(contents, written, on_rows, reads_again)
            if unchanged:
                self.unchanged.append(Unchanged(delivered, unchanged, self.results[-len(unchanged) :]))
            return
        except FileRejectedError as error:
            if isinstance(error, UnknownFileError) and delivered.is_from_folder and self.options.mapping is not None:
                self.skipped.append((name, no_part_of(self.options.mapping, delivered)))
                return
            reason = str(error)
        except WarehouseError:
            raise
        except OSError as error:
            raise WarehouseError(f"the warehouse folder cannot be written ({error.strerror or 'disk error'})") from None
        except Exception as error:
            # Whatever a damaged file makes a library raise must not stop the other files; its text may quote
            # cells.
            noted = note_unforeseen(self.paths or warehouse_paths(), error)
            where = f"; if it is not, report {noted}, which quotes nothing of it" if noted else ""
            reason = f"cannot be read ({type(error).__name__}): the file is damaged or of an unknown shape{where}"
        for path in written:
            path.unlink(missing_ok=True)
        self.results.append(FileResult(name, entity, "rejected", reason))

    def _take_checked(
        self, contents: Contents, written: list[Path], on_rows: Callable[[int], None], reads_again: bool
    ) -> list[dict[str, Any]]:
        """Read a checked file; return the rows of earlier loads that it would only repeat, when it is not read."""
        mapping = self.options.mapping
        source = mapping.name if mapping else ""
        opened, rule = open_delivered(contents, self.options)
        if opened.plan.corrects is not None:
            self._take_corrections(contents, opened, opened.plan.corrects, written, on_rows)
            return []
        lookups, lookup_notes, lookup_hash = load_lookups(contents, opened.plan, rule, self.tokens)
        mark = f"mapping {mapping.fingerprint if mapping else 'none'}{lookup_hash[:8]}"
        outputs = opened.plan.outputs
        exported_at, time_notes = exported_time(self.options, contents, self.stamp.landed_at)
        found = [
            self._already_landed(contents.sha256, output.entity.name, source, mark, exported_at) for output in outputs
        ]
        replays = [row for row in found if row is not None]
        if len(replays) == len(outputs) and not reads_again:
            self.results.extend(self._replayed(contents.name, row) for row in replays)
            return [row for row in replays if row["load_id"] != self.stamp.load_id]
        writers, quarantines, deletions = [], [], []
        for output in outputs:
            path = self._next_path(output.entity.name)
            bad_path, deleted_path = (self.private / folder / path.name for folder in (zone.QUARANTINE, zone.DELETIONS))
            written += [path, bad_path, deleted_path]
            writers.append(EntityWriter(path, output.entity, self.stamp, contents.name, output))
            quarantines.append(QuarantineWriter(bad_path, self.stamp, contents.name, output, lookups, self.tokens))
            deletions.append(DeletionWriter(deleted_path, output.entity, self.stamp, contents.name))
        wrong_bytes: int | None = None
        line, record, tokens_made = opened.first_line, 0, 0
        was_trimmed = has_multibyte = False
        for rows in opened.blocks():
            was_trimmed |= rows.was_trimmed
            has_multibyte |= rows.has_multibyte
            for each in rows.bad:
                if each.reason == BAD_BYTES and wrong_bytes is None:
                    wrong_bytes = each.line + line + 1
            for quarantine in quarantines:
                quarantine.write(rows.bad, line, record)
            safe, replaced = without_addresses(rows, self.tokens)
            tokens_made += replaced
            for output, writer, deletion in zip(outputs, writers, deletions, strict=True):
                canonical = transform(output, safe, source, lookups)
                writer.write(canonical, line, record)
                deletion.write(canonical.deleted, line, record)
            line += rows.line_count
            record += rows.record_count
            on_rows(rows.record_count)
        for writer in writers:
            writer.close()
        for quarantine in quarantines:
            quarantine.close()
        for deletion in deletions:
            deletion.close()
        if wrong_bytes and not has_multibyte and not (rule and rule.encoding):
            raise FileRejectedError(
                f"line {wrong_bytes} is no UTF-8 and no other line proves that the file is: "
                "save it as UTF-8, or declare its encoding (for example cp1252) in a mapping"
            )
        for writer in writers:
            check_day_orders(writer.changes)
        notes = [*opened.repairs, *opened.plan.notes, *lookup_notes, *time_notes]
        if was_trimmed:
            notes.append("blanks around cells trimmed")
        if tokens_made:
            notes.append(f"e-mail addresses replaced by tokens: {tokens_made}")
        for output, writer, quarantine, deletion in zip(outputs, writers, quarantines, deletions, strict=True):
            own = [f"{kind}: {count}" for kind, count in writer.changes.altered.items()]
            if not writer.rows + writer.left_out + deletion.rows and set(quarantine.reasons) == {RAGGED_ROW}:
                own.append("every row has more or fewer cells than the header: look at its delimiters")
            if writer.left_out:
                own.append(f"rows that are no {output.entity.name}: {writer.left_out}")
            if deletion.rows:
                own.append(f"rows that say that their key was deleted: {deletion.rows}")
            if writer.collapsed:
                own.append(f"equal rows taken once: {writer.collapsed} left out")
            result = FileResult(
                contents.name, output.entity.name, "accepted", None,
                writer.rows + quarantine.rows, writer.rows, quarantine.rows,
                [*notes, *own],
            )  # fmt: skip
            self._accept(
                result, writer.path, contents.sha256, source, mark,
                is_full=self.options.is_full, exported_at=exported_at, quarantine=quarantine, deletions=deletion,
            )  # fmt: skip
        return []

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
            self.results.extend(self._replayed(row["file"], row) for row in known)
            return
        blocks: list[pa.Table] = []
        line, record, blank, tokens_made = opened.first_line, 0, 0, 0
        for rows in opened.blocks():
            blank += check_structure(rows.bad, line)
            restored = {place: trimmed_array(restored_array(column))[0] for place, column in rows.columns.items()}
            safe, replaced = without_addresses(replace(rows, columns=restored), self.tokens)
            tokens_made += replaced
            columns = transform(output, safe, "", {}).columns
            columns |= {name: safe.columns[place] for name, place in corrects.items()}
            columns["line_number"] = pa.array(safe.lines + (line + 1))
            columns["record_number"] = pa.array(safe.records + (record + 1))
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
        path = self._next_path(entity.name)
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
        self._accept(
            result, path, contents.sha256, part.source, CORRECTION_MARK,
            exported_at=part.exported_at, load_sequence=part.load_sequence,
        )  # fmt: skip

    def _accept(
        self,
        result: FileResult,
        path: Path,
        sha256: str,
        source: str,
        mark: str,
        is_full: bool = False,
        exported_at: datetime.datetime | None = None,
        load_sequence: int | None = None,
        quarantine: QuarantineWriter | None = None,
        deletions: DeletionWriter | None = None,
    ) -> None:
        """Note a delivery that was read. `mark` tells a later call how it was read; `load_sequence` None: in turn."""
        registry = {
            "load_id": self.stamp.load_id,
            "entity": result.entity,
            "file": result.file,
            "source": source,
            "file_sha256": sha256,
            "rows_in": result.rows_in,
            "rows_landed": result.rows_landed,
            "rows_quarantined": result.rows_quarantined,
            "is_full": is_full,
            "exported_at": exported_at,
            "landed_at": self.stamp.landed_at,
            "load_sequence": self.stamp.sequence if load_sequence is None else load_sequence,
            "repairs": json.dumps([*result.repairs, mark], ensure_ascii=False),
        }
        self.accepted.append(Accepted(result, registry, path, quarantine, deletions))
        self.results.append(result)

    def reasons(self) -> dict[str, int]:
        """Return how many rows of bad structure the accepted deliveries have, by reason."""
        counts: dict[str, int] = {}
        for taken in self.accepted:
            for reason, count in taken.quarantine.reasons.items() if taken.quarantine else ():
                counts[reason] = counts.get(reason, 0) + count
        return counts

    def provide(self, mapping: Mapping) -> None:
        """Land the rows that a mapping brings along, like a file of their own.

        Of a reference the user's own file speaks, whenever it was landed, and stages are for deals.
        """
        for name, rows in mapping.provides.items():
            entity = entities()[name]
            if self.options.entity not in (None, name) or not self._is_wanted(entity):
                continue
            file = f"{mapping.name}.yml"
            sha256 = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
            # A complete reference of one's own (no source) takes the place of what mappings brought along.
            source = "" if entity.is_reference else mapping.name
            # The last that this mapping brought along: it may have been corrected, and the correction taken back.
            before = [row for row in self.loads if (row["entity"], row["file"]) == (name, file) and is_provided(row)]
            if before and before[-1]["file_sha256"] == sha256:
                self.results.append(self._replayed(file, before[-1]))
                continue
            path = self._next_path(name)
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
            self._accept(result, path, sha256, source, _PROVIDED)

    def _is_wanted(self, entity: Entity) -> bool:
        rows = [*self.loads, *(taken.registry for taken in self.accepted)]
        if entity.is_reference and any(row["entity"] == entity.name and not is_provided(row) for row in rows):
            return False
        needed_by = _PROVIDED_FOR.get(entity.name)
        read = {result.entity for result in self.results if result.verdict == "accepted"}
        return needed_by is None or not read.isdisjoint(needed_by)

    def reject(self, taken: Accepted, reason: str) -> None:
        """Take back a delivery that was read well but may not be landed."""
        for written in (taken, taken.quarantine, taken.deletions):
            if written is not None:
                written.path.unlink(missing_ok=True)
        self.accepted.remove(taken)
        taken.result.verdict = "rejected"
        taken.result.reason = reason
        taken.result.rows_in = taken.result.rows_landed = taken.result.rows_quarantined = 0
