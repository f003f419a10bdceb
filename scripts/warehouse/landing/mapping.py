"""Mapping files: how the export of one source becomes canonical entities (see docs/mapping_files.md)."""

import fnmatch
import hashlib
import json
import re
import zoneinfo
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from warehouse.contract import Entity, entities
from warehouse.errors import WarehouseError
from warehouse.landing.decoding import ENCODINGS
from warehouse.landing.messages import printable
from warehouse.landing.names import closest

SHIPPED_DIR = Path(__file__).resolve().parents[1] / "mappings"
_LARGEST_MAPPING = 2**20
# Values and names, those counted again that an alias repeats: a few lines of aliases of aliases can stand for billions.
_MOST_VALUES = 200_000
_FORMATS = ("delimited", "aligned")
_BOOLEAN, _WHOLE, _STRING, _NULL, _MERGE = (
    f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "str", "null", "merge")
)
_LONGEST_NOTE = 300
_TIMES = ("timestamp", "date", "month")
_DELIMITERS = {
    ",": ",",
    ";": ";",
    "|": "|",
    "\t": "\t",
    "tab": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
}


@dataclass(frozen=True)
class ColumnRule:
    """Where the text of one canonical column comes from and what is done to it, in the order of the fields.

    `sources` are alternatives: the first that the header has is taken. `matches` is a pattern for the
    source's name, `join` several columns put together with `separator`, `generated` a key made of the row's
    contents. With `divisor_column` the number is divided by the divisor of that column's text, and empty
    where there is none. `first_filled` are rules of which the first that gives a text wins; `first_part` cuts
    a list at its separator. `timezone` is the zone of times that say none; with
    `is_day` only the local day of a time is meant. `add_days` moves bare days.
    """

    sources: tuple[str, ...] = ()
    matches: str | None = None
    join: tuple[str, ...] = ()
    separator: str = "-"
    constant: str | None = None
    is_generated: bool = False
    values: AnyMapping[str, str] = field(default_factory=dict)
    date_formats: tuple[str, ...] = ()
    timezone: str | None = None
    is_day: bool = False
    add_days: int = 0
    decimal: str | None = None
    thousands: str | None = None
    divide_by: int = 1
    divisor_column: str | None = None
    divisors: AnyMapping[str, int] = field(default_factory=dict)
    default: str | None = None
    prefix: str = ""
    lookup: "Lookup | None" = None
    first_part: str | None = None
    first_filled: "tuple[ColumnRule, ...]" = ()


@dataclass(frozen=True)
class Lookup:
    """Takes the text from another file of the same folder.

    The row whose `match` column equals this file's `on`.
    """

    file: str
    on: str
    match: str
    take: str

    def fits_name(self, name: str) -> bool:
        """Tell whether a file name fits the pattern; case does not count."""
        return fnmatch.fnmatchcase(name.lower(), self.file.lower())


@dataclass(frozen=True)
class Condition:
    """What a row has to be: `column` is filled (`values` None) or holds one of `values`, or it is not so (negated).

    The empty text among `values` is an empty cell.
    """

    column: str
    values: tuple[str, ...] | None
    is_negated: bool = False


@dataclass(frozen=True)
class EntityRule:
    """One entity made of one file. With `is_distinct` equal canonical rows of the file are taken once.

    Rows for which every condition of `where` holds are of the entity; one for which every condition of `deleted` holds
    as well says that its key was deleted at the source.
    """

    entity: str
    columns: AnyMapping[str, ColumnRule]
    where: tuple[Condition, ...] = ()
    deleted: tuple[Condition, ...] = ()
    is_distinct: bool = False


@dataclass(frozen=True)
class FileRule:
    """How one kind of file is read: recognised by name pattern or by the columns of its header.

    `note` is what who lands such a file should know of it.
    """

    names: tuple[str, ...]
    header: tuple[str, ...]
    entities: tuple[EntityRule, ...]
    format: str = "delimited"
    delimiter: str | None = None
    encoding: str | None = None
    header_rows: int = 1
    skip_rows: int = 0
    column_names: tuple[str, ...] = ()
    sheet: str | None = None
    note: str | None = None

    def fits_name(self, name: str) -> bool:
        """Tell whether a file name fits one of the patterns (case does not count.

        A rule without patterns fits all).
        """
        return not self.names or any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in self.names)


@dataclass(frozen=True)
class Mapping:
    """A mapping file. `fingerprint` changes with its contents: a corrected mapping lands a file anew."""

    name: str
    fingerprint: str
    files: tuple[FileRule, ...]
    provides: AnyMapping[str, tuple[AnyMapping[str, str | None], ...]]

    @property
    def lookups(self) -> "tuple[Lookup, ...]":
        """The places where columns take their texts from other files."""
        columns = (column for rule in self.files for entity in rule.entities for column in entity.columns.values())
        parts = (part for column in columns for part in (column, *column.first_filled))
        return tuple(part.lookup for part in parts if part.lookup is not None)


def shipped_mappings() -> list[str]:
    """Return the names of the mappings that come with the warehouse."""
    return sorted(path.stem for path in SHIPPED_DIR.glob("*.yml"))


def mapping_path(source: str) -> Path:
    """Return the file that `--source` names: a shipped mapping by its name, or the YAML file at that path.

    Raises WarehouseError when there is none.
    """
    path = SHIPPED_DIR / f"{source}.yml"
    if not re.fullmatch(r"[A-Za-z0-9_]+", source) or not path.is_file():
        path = Path(source)
        if path.suffix.lower() not in (".yml", ".yaml"):
            near = closest(source, shipped_mappings())
            hint = f"did you mean {near}?" if near else "give a shipped name or the path of a .yml file"
            raise WarehouseError(
                f"no mapping '{printable(source, 40)}': {hint} (shipped: {', '.join(shipped_mappings())})"
            )
    if not path.is_file():
        raise WarehouseError(f"there is no mapping file {printable(path.name, 60)}")
    return path


# Exports, databases and data frames write them in their own ways.
_SPELLINGS = {True: ("true", "True", "TRUE"), False: ("false", "False", "FALSE")}


class _TooManyValuesError(Exception):
    """A mapping whose aliases stand for more than any mapping holds."""


def _count_of_values(node: yaml.Node, counted: dict[int, int]) -> int:
    """Return how many values a node holds where every alias is written out; `counted` are those of nodes so far."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    known = counted.get(id(node))
    if known is None:
        # A node that holds itself has no end.
        counted[id(node)] = _MOST_VALUES
        children = node.value if isinstance(node, yaml.SequenceNode) else (each for pair in node.value for each in pair)
        known = counted[id(node)] = 1 + sum(_count_of_values(child, counted) for child in children)
    return known


class _MappingLoader(yaml.SafeLoader):
    """YAML whose scalars are texts as cells hold them: 007, 1.50, 12:30, 2024-01-01, yes and no. Norway is NO.

    Other than texts are true and false, nothing (empty, null) and whole numbers without leading zeros; the names on the
    left of a colon are texts whatever they look like.
    """

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _count_of_values(node, {}) > _MOST_VALUES:
            raise _TooManyValuesError
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                key.tag = _STRING
        return super().construct_mapping(node, deep)


_MappingLoader.yaml_implicit_resolvers = {
    letter: [each for each in resolvers if each[0] in (_NULL, _MERGE)]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_MappingLoader.add_implicit_resolver(_BOOLEAN, re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
_MappingLoader.add_implicit_resolver(_WHOLE, re.compile(r"(0|-?[1-9][0-9]{0,8})\Z"), list("-0123456789"))


def load_mapping(source: str) -> Mapping:
    """Return the mapping that `--source` names.

    Raises WarehouseError with one line that says where the file is wrong.
    """
    path = mapping_path(source)
    where = printable(path.name, 60)
    try:
        if path.stat().st_size > _LARGEST_MAPPING:
            raise WarehouseError(f"{where}: a mapping file is at most 1 MiB")
        raw = path.read_text(encoding="utf-8-sig")
        # The loader builds plain values only.
        document = yaml.load(raw, _MappingLoader)  # noqa: S506
    except (UnicodeDecodeError, OSError):
        raise WarehouseError(f"{where}: cannot be read as UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise WarehouseError(f"{where}: is no valid YAML{line}") from None
    except RecursionError:
        raise WarehouseError(f"{where}: is nested too deeply") from None
    except _TooManyValuesError:
        raise WarehouseError(f"{where}: its aliases (*) stand for too many values") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        # A scalar that its own tag (!!int) does not fit.
        raise WarehouseError(f"{where}: is no valid YAML") from None
    return _Parser(where).mapping(document, path.stem)


def _text(value: Any) -> str | None:
    """Return a YAML scalar as the text that a cell would hold."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _name(value: Any) -> str:
    return _text(value) or ""


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list) else value


class _Parser:
    """Turns the parsed YAML into rules, or raises WarehouseError naming the place."""

    def __init__(self, where: str) -> None:
        self._where = where

    def _fail(self, place: str, problem: str) -> WarehouseError:
        return WarehouseError(f"{self._where}: {place}: {problem}")

    def _table(self, value: Any, place: str, allowed: set[str], required: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise self._fail(place, "must be a table of named settings")
        for key in value:
            if key not in allowed:
                near = closest(key, allowed)
                hint = f", did you mean {near}?" if near else f" (known: {', '.join(sorted(allowed))})"
                raise self._fail(place, f"unknown setting '{printable(key, 40)}'{hint}")
        missing = sorted(required - value.keys())
        if missing:
            raise self._fail(place, f"'{missing[0]}' is missing")
        return value

    def _texts(self, value: Any, place: str, may_be_empty: bool = False) -> tuple[str, ...]:
        values = value if isinstance(value, list) else [value]
        texts = [_text(each) for each in values if not isinstance(each, dict | list)]
        if len(texts) != len(values) or not all(text or (may_be_empty and text == "") for text in texts):
            raise self._fail(place, "must be a text or a list of texts")
        return tuple(text for text in texts if text is not None)

    def _scalar(self, value: Any, place: str) -> str | None:
        if isinstance(value, dict | list):
            raise self._fail(place, "must be a text")
        return _text(value)

    def _count(self, value: Any, place: str, highest: int, lowest: int = 0) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self._fail(place, f"must be a whole number from {lowest} to {highest}")
        return value

    def _entity(self, name: Any, place: str) -> Entity:
        if not isinstance(name, str) or name not in entities():
            near = closest(str(name), entities())
            raise self._fail(
                place,
                f"unknown entity '{printable(str(name), 40)}'" + (f", did you mean {near}?" if near else ""),
            )
        return entities()[name]

    def mapping(self, document: Any, name: str) -> Mapping:
        top = self._table(
            document, "the file", {"source", "description", "documentation", "files", "provides"}, {"files"}
        )
        source = top.get("source", name)
        if not isinstance(source, str) or not re.fullmatch(r"[\w.-]{1,60}", source):
            raise self._fail("source", "must be a short name of letters, digits, dots, hyphens and underscores")
        if not isinstance(top["files"], list) or not top["files"]:
            raise self._fail("files", "must be a list with at least one file")
        files = tuple(self._file(each, f"file {number}") for number, each in enumerate(top["files"], 1))
        provides: dict[str, tuple[AnyMapping[str, str | None], ...]] = {}
        provided = top.get("provides") or {}
        if not isinstance(provided, dict):
            raise self._fail("provides", "must be a table of entity: rows")
        for entity_name, rows in provided.items():
            place = f"provides {printable(str(entity_name), 40)}"
            entity = self._entity(entity_name, place)
            if not isinstance(rows, list) or not rows:
                raise self._fail(place, "must be a list of rows")
            provides[entity.name] = tuple(self._row(row, entity, place) for row in rows)
        canonical = json.dumps(_with_text_keys(document), sort_keys=True, default=str)
        return Mapping(source, hashlib.sha256(canonical.encode()).hexdigest()[:16], files, provides)

    def _row(self, row: Any, entity: Entity, place: str) -> AnyMapping[str, str | None]:
        table = self._table(row, place, set(entity.column_names), set(entity.required))
        if any(isinstance(value, dict | list) for value in table.values()):
            raise self._fail(place, "every value must be a text, a number or a date")
        return {column: _text(value) for column, value in table.items()}

    def _file(self, value: Any, place: str) -> FileRule:
        allowed = {
            "name", "header", "format", "delimiter", "encoding", "header_rows", "skip_rows", "column_names",
            "sheet", "decimal", "thousands", "note", "entities",
        }  # fmt: skip
        table = self._table(value, place, allowed, {"entities"})
        names = self._texts(table["name"], f"{place}, name") if "name" in table else ()
        header = self._texts(table["header"], f"{place}, header") if "header" in table else ()
        if not names and not header:
            raise self._fail(place, "needs 'name' (file name patterns) or 'header' (columns that it has)")
        format_name = table.get("format", "delimited")
        if format_name not in _FORMATS:
            raise self._fail(f"{place}, format", f"must be one of {', '.join(_FORMATS)}")
        delimiter = None
        if "delimiter" in table:
            delimiter = _DELIMITERS.get(self._scalar(table["delimiter"], f"{place}, delimiter") or "")
            if delimiter is None:
                raise self._fail(f"{place}, delimiter", "must be comma, semicolon, tab or pipe")
        encoding = table.get("encoding")
        if encoding is not None and encoding not in ENCODINGS:
            raise self._fail(f"{place}, encoding", f"must be one of {', '.join(ENCODINGS)}")
        header_rows = self._count(table.get("header_rows", 1), f"{place}, header_rows", 3)
        column_names = self._texts(table["column_names"], f"{place}, column_names") if "column_names" in table else ()
        if (header_rows == 0) != bool(column_names):
            raise self._fail(place, "'column_names' belong to 'header_rows: 0', and only to it")
        rules = table["entities"]
        if not isinstance(rules, list) or not rules:
            raise self._fail(f"{place}, entities", "must be a list with at least one entity")
        numbers = self._numbers(table, place)
        named = [rule.get("entity") for rule in rules if isinstance(rule, dict)]
        doubled = next((name for name in named if named.count(name) > 1), None)
        if doubled is not None:
            raise self._fail(f"{place}, entities", f"{printable(str(doubled), 40)} is made twice of one file")
        sheet = self._scalar(table.get("sheet"), f"{place}, sheet")
        note = table.get("note")
        if note is not None and (not isinstance(note, str) or not 0 < len(note) <= _LONGEST_NOTE or "\n" in note):
            raise self._fail(f"{place}, note", f"must be one line of at most {_LONGEST_NOTE} characters")
        return FileRule(
            names=names,
            header=header,
            entities=tuple(self._entity_rule(rule, place, numbers) for rule in rules),
            format=format_name,
            delimiter=delimiter,
            encoding=encoding,
            header_rows=header_rows,
            skip_rows=self._count(table.get("skip_rows", 0), f"{place}, skip_rows", 100),
            column_names=column_names,
            sheet=sheet,
            note=note,
        )

    def _numbers(self, table: AnyMapping[str, Any], place: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for setting, allowed in (("decimal", ".,٫"), ("thousands", ",.'’ \u00a0\u202f٬")):
            if setting in table:
                sign = table[setting]
                if not isinstance(sign, str) or len(sign) != 1 or sign not in allowed:
                    raise self._fail(f"{place}, {setting}", "must be one separator character")
                found[setting] = sign
        if found.get("thousands") and found.get("thousands") == found.get("decimal", "."):
            raise self._fail(place, "decimal and thousands separators must differ")
        return found

    def _entity_rule(self, value: Any, place: str, numbers: dict[str, str]) -> EntityRule:
        allowed = {"entity", "columns", "constants", "where", "deleted", "distinct"}
        table = self._table(value, f"{place}, entity", allowed, {"entity"})
        entity = self._entity(table["entity"], place)
        place = f"{place}, {entity.name}"
        columns: dict[str, ColumnRule] = {}
        types = {column.name: column.type for column in entity.columns}
        for setting in ("columns", "constants"):
            given = table.get(setting) or {}
            if not isinstance(given, dict):
                raise self._fail(f"{place}, {setting}", "must be a table")
            for column, rule in given.items():
                if column not in types:
                    near = closest(str(column), types)
                    hint = f", did you mean {near}?" if near else ""
                    raise self._fail(place, f"{entity.name} has no column '{printable(str(column), 40)}'{hint}")
                if column in columns:
                    raise self._fail(place, f"'{column}' is given twice")
                where = f"{place}, {column}"
                if setting == "constants":
                    if isinstance(rule, dict | list) or rule is None:
                        raise self._fail(where, "a constant is a text, a number or a date")
                    columns[column] = ColumnRule(constant=_text(rule))
                else:
                    is_number = types[column] in ("money", "number", "rate", "fx_rate", "integer")
                    columns[column] = self._column(rule, where, numbers if is_number else {})
                    parts = (columns[column], *columns[column].first_filled)
                    if types[column] not in _TIMES and any(
                        part.timezone or part.is_day or part.add_days for part in parts
                    ):
                        raise self._fail(where, "timezone, day and add_days are for columns of times")
        missing = [name for name in entity.required if name not in columns]
        if missing:
            raise self._fail(place, f"the required column '{missing[0]}' is neither mapped nor constant")
        if table.get("deleted") and (len(entity.key) > 1 or columns[entity.key[0]].is_generated):
            raise self._fail(f"{place}, deleted", "needs an entity whose key is one column, and not generated")
        if not isinstance(table.get("distinct", False), bool):
            raise self._fail(f"{place}, distinct", "must be true or false")
        belongs, deleted = (self._conditions(table, setting, place) for setting in ("where", "deleted"))
        return EntityRule(entity.name, columns, belongs, deleted, table.get("distinct", False))

    def _conditions(self, table: dict[str, Any], setting: str, place: str) -> tuple[Condition, ...]:
        given = {} if table.get(setting) is None else table[setting]
        if not isinstance(given, dict):
            raise self._fail(f"{place}, {setting}", "must be a table of column: value")
        return tuple(self._condition(column, value, f"{place}, {setting}") for column, value in given.items())

    def _condition(self, column: Any, value: Any, place: str) -> Condition:
        if value == "filled":
            return Condition(_name(column), None)
        if isinstance(value, dict):
            table = self._table(value, place, {"not"}, {"not"})
            return Condition(_name(column), self._cells(table["not"], place), is_negated=True)
        return Condition(_name(column), self._cells(value, place))

    def _cells(self, value: Any, place: str) -> tuple[str, ...]:
        """Return the cells that a condition names; true and false in all their spellings."""
        cells = self._texts(value, place, may_be_empty=True)
        if not cells:
            raise self._fail(place, "must be a text or a list of texts")
        named = value if isinstance(value, list) else [value]
        spellings = [
            _SPELLINGS[each] if isinstance(each, bool) else (cell,) for each, cell in zip(named, cells, strict=True)
        ]
        return tuple(cell for each in spellings for cell in each)

    def _prefix(self, table: dict[str, Any], place: str) -> str:
        prefix = table.get("prefix", "")
        if isinstance(prefix, dict | list | bool) or (prefix and "generated" in table):
            raise self._fail(f"{place}, prefix", "must be a text, and not that of a generated key")
        return _text(prefix) or ""

    def _timezone(self, table: dict[str, Any], place: str) -> str | None:
        if "timezone" not in table:
            return None
        name = table["timezone"]
        if not isinstance(name, str) or name not in zoneinfo.available_timezones():
            raise self._fail(f"{place}, timezone", "must be a name of the IANA database, as UTC or Europe/Berlin")
        return name

    def _is_day(self, table: dict[str, Any], place: str) -> bool:
        if table.get("day", True) is not True:
            raise self._fail(f"{place}, day", "must be true")
        return "day" in table

    def _column(self, value: Any, place: str, numbers: dict[str, str]) -> ColumnRule:
        if isinstance(value, str | list):
            return ColumnRule(sources=self._texts(value, place), **numbers)  # type: ignore[arg-type]
        allowed = {
            "from", "matches", "join", "separator", "generated", "values", "date_format", "timezone", "day",
            "add_days", "decimal", "thousands", "divide_by", "default", "prefix", "lookup", "first_part",
            "first_filled",
        }  # fmt: skip
        table = self._table(value, place, allowed, set())
        origins = [each for each in ("from", "matches", "join", "generated", "lookup", "first_filled") if each in table]
        if not origins or (len(origins) > 1 and set(origins) != {"from", "matches"}):
            raise self._fail(place, "needs exactly one of from, matches, join, lookup, first_filled, generated")
        if "matches" in table:
            try:
                re.compile(table["matches"])
            except (re.error, TypeError):
                raise self._fail(f"{place}, matches", "is no valid pattern") from None
        if "generated" in table and table["generated"] is not True:
            raise self._fail(f"{place}, generated", "must be true")
        lookup = None
        if "lookup" in table:
            parts = {"file", "on", "match", "take"}
            given = self._table(table["lookup"], f"{place}, lookup", parts, parts)
            texts = {part: self._scalar(given[part], f"{place}, lookup, {part}") or "" for part in parts}
            lookup = Lookup(**texts)
        divide_by, divisor_column, divisors = 1, None, {}
        if isinstance(table.get("divide_by"), dict):
            given = self._table(table["divide_by"], f"{place}, divide_by", {"column", "values"}, {"column", "values"})
            divisor_column = self._scalar(given["column"], f"{place}, divide_by, column") or ""
            if origins != ["from"] or not isinstance(given["values"], dict) or not given["values"]:
                raise self._fail(f"{place}, divide_by", "needs 'from' and a table of text: divisor")
            divisors = {
                str(_text(text)): self._count(number, f"{place}, divide_by", 10**6, lowest=1)
                for text, number in given["values"].items()
            }
        else:
            divide_by = self._count(table.get("divide_by", 1), f"{place}, divide_by", 10**6, lowest=1)
        given_parts = table.get("first_filled", [])
        if not isinstance(given_parts, list) or ("first_filled" in table and len(given_parts) < 2):
            raise self._fail(f"{place}, first_filled", "must be a list of at least two columns")
        given_values = table.get("values") or {}
        if not isinstance(given_values, dict):
            raise self._fail(f"{place}, values", "must be a table of old: new")
        # The parts of a column are read each by itself: what is chosen of them is a plain number already.
        numbers = {**numbers, **self._numbers(table, place)}
        formats = self._texts(table["date_format"], f"{place}, date_format") if "date_format" in table else ()
        for each in formats:
            if "%" not in each:
                raise self._fail(f"{place}, date_format", "must be a pattern like %Y-%m-%d")
        return ColumnRule(
            sources=self._texts(table["from"], place) if "from" in table else (),
            matches=table.get("matches"),
            join=self._texts(table["join"], place) if "join" in table else (),
            separator=self._scalar(table.get("separator", "-"), f"{place}, separator") or "",
            is_generated="generated" in table,
            values={str(_text(old)): self._scalar(new, f"{place}, values") or "" for old, new in given_values.items()},
            date_formats=formats,
            timezone=self._timezone(table, place),
            is_day=self._is_day(table, place),
            add_days=self._count(table.get("add_days", 0), f"{place}, add_days", 366, lowest=-366),
            divide_by=divide_by,
            divisor_column=divisor_column,
            divisors=divisors,
            default=self._scalar(table.get("default"), f"{place}, default"),
            prefix=self._prefix(table, place),
            lookup=lookup,
            first_part=self._scalar(table.get("first_part"), f"{place}, first_part") or None,
            first_filled=tuple(self._column(part, f"{place}, first_filled", numbers) for part in given_parts),
            **({} if given_parts else numbers),
        )


def canonical_rule(entity: Entity, names: AnyMapping[str, str]) -> EntityRule:
    """Return the rule of a file that carries the canonical names.

    `names` maps them to the header's spelling.
    """
    return EntityRule(entity.name, {column: ColumnRule(sources=(name,)) for column, name in names.items()})
