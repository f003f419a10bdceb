"""From source columns to canonical columns: what a mapping declares, and the tokens of e-mail addresses."""

import datetime
import hashlib
import re
import unicodedata
import zoneinfo
from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contract import Column
from warehouse.landing.header import Output, PlannedColumn, PlannedCondition
from warehouse.landing.mapping import ColumnRule, Lookup
from warehouse.landing.personal_data import Tokens
from warehouse.landing.rows import Rows
from warehouse.landing.texts import Cells, labelled_cells, table_of, trimmed, trimmed_array

Lookups = AnyMapping[Lookup, AnyMapping[str, str]]
# What databases, spreadsheets, data frames and vendors write where there is no identifier. As an identifier it would be
# one giant customer.
_WORDS_FOR_NOTHING = pa.array(
    [
        "NULL", "null", "Null", "(null)", "<null>", "\\N", "None", "none", "nan", "NaN", "NA", "N/A", "n/a",
        "#N/A", "<NA>", "NaT", "(No value)", "-", "--", "–",
    ],
    pa.string(),
)  # fmt: skip
# Of each block: enough to tell in which order day and month stand.
_DATES_LOOKED_AT = 500
_LONGEST_WORD_FOR_NOTHING = max(len(word.as_py().encode()) for word in _WORDS_FOR_NOTHING)
_STARTS_OF_NOTHING = table_of({word.as_py().encode()[0] for word in _WORDS_FOR_NOTHING})


@dataclass
class Changes:
    """What declared changes did: the number of cells that each kind altered, and what dates say about their order.

    `day_orders` has, for each canonical column, how many distinct texts can be read in the declared order of day and
    month alone, and how many in the other order alone.
    """

    altered: Counter[str] = field(default_factory=Counter)
    day_orders: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, other: "Changes") -> None:
        """Add those of another block."""
        self.altered.update(other.altered)
        for column, (declared, reversed_) in other.day_orders.items():
            before = self.day_orders.get(column, (0, 0))
            self.day_orders[column] = (before[0] + declared, before[1] + reversed_)


@dataclass
class EntityRows:
    """Canonical rows of one entity out of one block.

    `digests` are hashes of the contents where a key is generated. `deleted` are the rows that say that their key was
    deleted, as a block of their own.
    """

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    digests: list[bytes] = field(default_factory=list)
    left_out: int = 0
    changes: Changes = field(default_factory=Changes)
    deleted: "EntityRows | None" = None

    def filter(self, mask: npt.NDArray[np.bool_]) -> "EntityRows":
        """Return the rows that the mask keeps."""
        return replace(
            self,
            columns={name: column.filter(pa.array(mask)) for name, column in self.columns.items()},
            lines=self.lines[mask],
            records=self.records[mask],
            digests=[digest for digest, kept in zip(self.digests, mask, strict=True) if kept] if self.digests else [],
        )


def _by_distinct(array: pa.Array, change: Callable[[str], str | None]) -> pa.Array:
    """Return the array with `change` applied to each distinct text; NULLs stay."""
    encoded = pc.dictionary_encode(array)
    changed = pa.array([change(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return changed.take(encoded.indices)


_ZONE = " %Z"
_ZONE_LETTERS = re.compile(r"[A-Z]{2,5}([+-]\d{1,2}(:?\d{2})?)?")
_TIME = r"(\d{4})-(\d\d?)-(\d\d?)[T ]([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d{1,9})?)?"
_LOCAL_TIME = re.compile(_TIME, re.ASCII)
_INSTANT = re.compile(_TIME + r" ?(Z|z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?)", re.ASCII)


def _plain(text: str) -> str:
    """Return a text with ASCII digits and without invisible characters, as staging reads numbers and dates."""
    if text.isascii():
        return text
    seen = (character for character in text if unicodedata.category(character) != "Cf")
    return "".join(str(unicodedata.decimal(character, character)) for character in seen)


def _parsed_date(text: str, formats: tuple[str, ...]) -> str:
    """Return the ISO form of a date that fits one of the formats, else the text as it is, for staging."""
    plain = _plain(text)
    for each in formats:
        local = plain
        if each.endswith(_ZONE):
            # Letters of a zone: the time beside them is that of the sheet.
            local, _, zone = plain.rpartition(" ")
            if not _ZONE_LETTERS.fullmatch(zone):
                continue
        try:
            moment = datetime.datetime.strptime(local, each.removesuffix(_ZONE))
        except ValueError:
            continue
        if not any(sign in each for sign in ("%H", "%I", "%c", "%X", "%s")):
            return moment.date().isoformat()
        return moment.isoformat(sep=" ")
    return text


def _offset(moment: datetime.datetime) -> str:
    """Return the offset of a time with its zone, as +02:00."""
    return moment.isoformat()[len("2000-01-01T00:00:00") :]


@lru_cache(maxsize=10_000)
def _offset_of_day(timezone: zoneinfo.ZoneInfo, year: int, month: int, day: int) -> str | None:
    """Return the offset of a zone on a whole day; None where it changes, or where there is no such day."""
    try:
        midnight = datetime.datetime(year, month, day, tzinfo=timezone)
        first, last = _offset(midnight), _offset(midnight + datetime.timedelta(days=1))
    except (ValueError, OverflowError):
        return None
    return first if first == last else None


def _with_offset(text: str, timezone: zoneinfo.ZoneInfo) -> str:
    """Return a day with a time and no offset with the offset of the zone; anything else as it is, for staging."""
    plain = _plain(text)
    found = _LOCAL_TIME.fullmatch(plain)
    if found is None:
        return text
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    # Nearly every day has one offset, and a file has fewer days than times.
    offset = _offset_of_day(timezone, year, month, day)
    if offset is None:
        try:
            # Of two times that read alike it is the earlier one.
            offset = _offset(datetime.datetime(year, month, day, hour, minute, second, tzinfo=timezone))
        except ValueError:
            return text
    # Before there were time zones, places were seconds apart: dates of then are out of range.
    return plain + offset if len(offset) == len("+00:00") else text


def _day_of(text: str) -> str:
    """Return the day of a local time; an instant with the word that says so, for its day depends on where one is."""
    plain = _plain(text)
    if _LOCAL_TIME.fullmatch(plain):
        return re.split("[T ]", plain)[0]
    return f"{plain} day" if _INSTANT.fullmatch(plain) else text


def _days_later(text: str, days: int) -> str:
    """Return a bare day moved by a number of days; anything else as it is."""
    found = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", _plain(text), re.ASCII)
    try:
        day = datetime.date(*map(int, found.groups())) if found else None
        return (day + datetime.timedelta(days)).isoformat() if day else text
    except (ValueError, OverflowError):
        return text


def _day_orders(array: pa.Array, formats: tuple[str, ...]) -> tuple[int, int]:
    """Return how many texts are dates in the declared order of day and month alone, and in the other one alone."""
    exchanged = str.maketrans({"d": "m", "m": "d"})
    declared = tuple(each for each in formats if "%d" in each and "%m" in each and not each.startswith("%Y"))
    others = tuple(re.sub("%[dm]", lambda found: found[0].translate(exchanged), each) for each in declared)
    if not declared:
        return 0, 0
    texts = [text for text in pc.unique(array)[:_DATES_LOOKED_AT].to_pylist() if text is not None]
    fits = [(_parsed_date(text, declared) != text, _parsed_date(text, others) != text) for text in texts]
    return fits.count((True, False)), fits.count((False, True))


@cache
def _number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    around = r"([^\d.,'’٫٬]*)"
    mark, group = re.escape(decimal), re.escape(thousands)
    return re.compile(rf"{around}(\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{mark}(\d*))?{around}")


def _plain_number(text: str, decimal: str, thousands: str | None) -> str:
    """Return a number written with declared separators with none but a decimal point; anything else as it is.

    Where only the decimal separator is declared, point or comma, the other one separates thousands.
    """
    grouping = thousands or ("." if decimal == "," else ",")
    found = _number_pattern(decimal, grouping).fullmatch(text)
    if found is None:
        return text
    before, integer, fraction, after = found.groups()
    plain = integer.replace(grouping, "") + (f".{fraction}" if fraction else "")
    return f"{before}{plain}{after}"


def _divided(text: str, divisor: int) -> str:
    """Return a plain number divided exactly.

    Anything else becomes a quotient that nobody took, and that staging cannot read: what staging would read as a number
    (1,200.00) must not pass undivided.
    """
    if not re.fullmatch(r"[-+]?\d{1,30}(\.\d{1,10})?", text):
        return text if divisor == 1 else f"{text} ÷ {divisor}"
    return format((Decimal(text) / divisor).normalize(), "f")


def _changed(
    array: pa.Array, rule: ColumnRule, column: Column, changes: Changes, divisors: pa.Array | None = None
) -> pa.Array:
    """Return the texts of a canonical column after what the rule declares, trimmed like those it declares nothing for.

    `divisors` are the cells that tell what each text is divided by, where the rule has a column of them.
    """
    changed = _after_changes(array, rule, column, changes, divisors)
    return array if changed is array else trimmed_array(changed)[0]


def _after_changes(
    array: pa.Array, rule: ColumnRule, column: Column, changes: Changes, divisors: pa.Array | None
) -> pa.Array:
    def apply(kind: str, change: Callable[[str], str | None]) -> None:
        nonlocal array
        before = array
        array = _by_distinct(array, change)
        altered = pc.sum(pc.fill_null(pc.not_equal(before, array), True)).as_py() or 0
        altered -= pc.sum(pc.and_(before.is_null(), array.is_null())).as_py() or 0
        if altered > 0:
            changes.altered[kind] += altered

    if rule.first_part is not None:
        separator = rule.first_part
        apply("lists cut to their first part", lambda text: text.split(separator)[0].strip() or None)
    if rule.values:
        apply("values mapped", lambda text: rule.values.get(text, text) or None)
    if column.type == "id":
        array, words = _without_words_for_nothing(array)
        if words:
            changes.altered["words for nothing in identifiers taken as empty"] += words
    if rule.date_formats:
        changes.add(Changes(day_orders={column.name: _day_orders(array, rule.date_formats)}))
        apply("dates read by the declared format", lambda text: _parsed_date(text, rule.date_formats))
    if rule.timezone is not None:
        timezone = zoneinfo.ZoneInfo(rule.timezone)
        apply("times read in the declared zone", lambda text: _with_offset(text, timezone))
    if rule.is_day:
        apply("times of which the day counts", _day_of)
    if rule.add_days:
        apply("days moved as declared", lambda text: _days_later(text, rule.add_days))
    if rule.decimal or rule.thousands:
        apply(
            "numbers read by the declared separators",
            lambda text: _plain_number(text, rule.decimal or ".", rule.thousands),
        )
    if rule.divide_by > 1:
        apply("numbers divided as declared", lambda text: _divided(text, rule.divide_by))
    if divisors is not None:
        pairs = zip(array.to_pylist(), divisors.to_pylist(), strict=True)
        array = pa.array(
            [
                None if text is None or by not in rule.divisors else _divided(text, rule.divisors[by])
                for text, by in pairs
            ],
            pa.string(),
        )
    if rule.default is not None:
        array = pc.fill_null(array, rule.default)
    if rule.prefix:
        array = pc.binary_join_element_wise(rule.prefix, array, "", null_handling="emit_null")
    return array


def canonical_column(
    planned: PlannedColumn, column: Column, rows: Rows, lookups: Lookups, changes: Changes
) -> pa.Array:
    """Return the texts of a canonical column, made of the cells of the rows; count in `changes` what was done."""
    rule = planned.rule
    if rule.constant is not None:
        return pa.repeat(pa.scalar(trimmed(rule.constant), pa.string()), rows.count)
    if rule.is_generated:
        return pa.nulls(rows.count, pa.string())
    if rule.first_filled:
        parts = [canonical_column(part, column, rows, lookups, changes) for part in planned.parts]
        return _changed(pc.coalesce(*parts), rule, column, changes)
    sources = [rows.columns[position] for position in planned.positions]
    if rule.join:
        # Arrow's own element-wise join drops rows whose parts are all NULL.
        texts = zip(*(source.to_pylist() for source in sources), strict=True)
        joined = [rule.separator.join(text for text in parts if text is not None) or None for parts in texts]
        array = pa.array(joined, pa.string())
    elif rule.lookup:
        found = lookups[rule.lookup]
        array = _by_distinct(sources[0], found.get)
    else:
        array = sources[0]
    return _changed(array, rule, column, changes, None if rule.divisor_column is None else sources[1])


def _digests(output: Output, rows: Rows, source: str) -> list[bytes]:
    """Return the hash of source, entity and all filled cells of each row under the names of their columns.

    Neither a new column, empty in the rows that were there before, nor another order of columns changes it.
    """
    start = hashlib.blake2b(f"{source}\x1e{output.entity.name}\x1e".encode(), digest_size=16)
    digests = []
    for contents in labelled_cells([(name, rows.columns[position]) for name, position in output.contents]):
        each = start.copy()
        each.update(contents)
        digests.append(each.digest())
    return digests


def without_addresses(rows: Rows, tokens: Tokens) -> tuple[Rows, int]:
    """Return the block with every address replaced by its token, and the number of cells that changed."""
    altered = 0
    if rows.has_signs:
        columns = dict(rows.columns)
        for position, column in rows.columns.items():
            replaced = tokens.array(column)
            if replaced is not column:
                altered += pc.sum(pc.fill_null(pc.not_equal(replaced, column), False)).as_py() or 0
                columns[position] = replaced
        rows = replace(rows, columns=columns)
    return rows, altered


def transform(output: Output, rows: Rows, source: str, lookups: Lookups) -> EntityRows:
    """Return the canonical rows of one entity out of a block whose addresses are tokens already.

    Generated keys are hashed from the source cells here and numbered later, in the order of the file.
    """
    changes = Changes()
    columns = {
        column.name: canonical_column(output.columns[column.name], column, rows, lookups, changes)
        for column in output.entity.columns
        if column.name in output.columns
    }
    digests = _digests(output, rows, source) if output.generated else []
    found = EntityRows(columns, rows.lines, rows.records, digests, changes=changes)
    if not output.conditions and not output.deletions:
        return found
    belongs = _all_hold(output.conditions, rows)
    is_deleted = belongs & _are_deleted(output, rows, columns)
    kept = found.filter(belongs & ~is_deleted)
    kept.left_out = rows.count - int(belongs.sum())
    if is_deleted.any():
        kept.deleted = found.filter(is_deleted)
    return kept


def _are_deleted(output: Output, rows: Rows, columns: AnyMapping[str, pa.Array]) -> npt.NDArray[np.bool_]:
    """Tell for each row whether it says that its key was deleted. Without a key it says nothing: staging refuses it."""
    if not output.deletions:
        return np.zeros(rows.count, dtype=bool)
    has_key: npt.NDArray[np.bool_] = columns[output.entity.key[0]].is_valid().to_numpy(zero_copy_only=False)
    return has_key & _all_hold(output.deletions, rows)


def _without_words_for_nothing(array: pa.Array) -> tuple[pa.Array, int]:
    """Return texts without the words by which databases, spreadsheets and data frames say that there is none.

    And the number of them.
    """
    cells = Cells(array)
    may = _STARTS_OF_NOTHING[cells.first_bytes] & (cells.lengths <= _LONGEST_WORD_FOR_NOTHING)
    if not may.any():
        return array, 0
    is_nothing = pc.and_(pa.array(may), pc.is_in(array, _WORDS_FOR_NOTHING))
    count = pc.sum(is_nothing).as_py() or 0
    return (pc.if_else(is_nothing, pa.scalar(None, pa.string()), array), count) if count else (array, 0)


def _all_hold(conditions: tuple[PlannedCondition, ...], rows: Rows) -> npt.NDArray[np.bool_]:
    """Tell for each row whether all conditions hold."""
    hold = np.ones(rows.count, dtype=bool)
    for condition in conditions:
        cells = rows.columns[condition.position]
        if condition.values is None or "" in condition.values:
            cells, _ = _without_words_for_nothing(cells)
        if condition.values is None:
            fits = cells.is_valid()
        else:
            fits = pc.is_in(cells, pa.array([value or None for value in condition.values], pa.string()))
        hold &= fits.to_numpy(zero_copy_only=False) != condition.is_negated
    return hold
