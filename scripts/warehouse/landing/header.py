"""Matching a header to an entity or a mapping, by name only."""

import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from warehouse.contract import Entity, entities
from warehouse.landing.mapping import ColumnRule, Condition, EntityRule, FileRule, Lookup, canonical_rule
from warehouse.landing.messages import FileRejectedError, looks_like_a_row, looks_like_data, printable, shown_column
from warehouse.landing.names import closest, normal_name
from warehouse.landing.rows import Shape

LARGEST_COLUMN_COUNT = 16_384
# The columns that `warehouse quarantine --export` adds: which row of which delivery a row corrects, and why.
CORRECTED_ADDRESS = ("quarantined_load_id", "quarantined_file", "quarantined_record_number")
EXPORTED_ADDRESS = (
    "quarantined_load_id",
    "quarantined_file",
    "quarantined_line_number",
    "quarantined_record_number",
    "quarantined_reason",
)
EXPORTED_RAW_LINE = "quarantined_raw_line"
_LISTED_COLUMNS = 10
# Columns whose cells are told from words: keys, times and addresses.
_TELLING_TYPES = ("id", "timestamp", "date", "month", "email")
_ADDRESS = re.compile(r"[^@\s]+[@＠﹫][^@\s]+")
_NUMBER_TIME_OR_LONG_ID = re.compile(
    r"[-+]?\d[\d.,]*|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|(?=\S*\d)\w[\w.:-]{5,}", re.DOTALL
)


@dataclass(frozen=True)
class Header:
    """The header of a file. `names` is its naming row.

    `aliases` the names by which each column may be called.
    """

    names: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]
    has_header: bool = True

    @property
    def named(self) -> int:
        """Number of columns up to the last one with a name; those after it must be empty."""
        return max((number for number, names in enumerate(self.aliases, 1) if any(names)), default=0)

    @property
    def shown_names(self) -> tuple[str, ...]:
        """The name of each column for messages, of the first row alone: another row may be a respondent's after all."""
        has_groups = any(len(names) > 1 for names in self.aliases)
        return tuple(accumulate(self.names, lambda group, name: name or group)) if has_groups else self.names


def combined_header(rows: Sequence[Sequence[str]]) -> Header:
    """Return the header made of one to three rows.

    A blank cell of the first row belongs to the name on its left.
    """
    count = max((len(row) for row in rows), default=0)
    if count > LARGEST_COLUMN_COUNT:
        raise FileRejectedError(f"has {count} columns: at most {LARGEST_COLUMN_COUNT} are taken")
    padded = [[*row, *[""] * (count - len(row))] for row in rows]
    first = [cell.strip() for cell in padded[0]] if padded else []
    if len(rows) == 1:
        return Header(tuple(first), tuple((name,) for name in first))
    aliases: list[tuple[str, ...]] = []
    group = ""
    for number, name in enumerate(first):
        group = name or group
        below = [row[number].strip() for row in padded[1:]]
        joined = " | ".join(part for part in (group, *below) if part)
        aliases.append((joined, name, *below))
    return Header(tuple(first), tuple(aliases))


@dataclass(frozen=True)
class PlannedColumn:
    """One canonical column: its rule, the source columns it reads, the parts of a `first_filled` rule."""

    rule: ColumnRule
    positions: tuple[int, ...]
    parts: "tuple[PlannedColumn, ...]" = ()

    @property
    def all_positions(self) -> tuple[int, ...]:
        """Source columns of the rule and of its parts."""
        return self.positions + tuple(place for part in self.parts for place in part.all_positions)

    @property
    def has_separators(self) -> bool:
        """Whether the separators of its numbers are declared, or those of a part."""
        return bool(self.rule.decimal or self.rule.thousands) or any(part.has_separators for part in self.parts)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """Lookups of the rule and of its parts."""
        own = (self.rule.lookup,) if self.rule.lookup else ()
        return own + tuple(lookup for part in self.parts for lookup in part.lookups)


@dataclass(frozen=True)
class PlannedCondition:
    """The source column is filled (`values` None) or one of `values`, or it is not so (negated)."""

    position: int
    values: tuple[str, ...] | None
    is_negated: bool


@dataclass(frozen=True)
class Output:
    """One entity to be made of a file: of the rows for which all `conditions` hold.

    Where all `deletions` hold as well, the row says that its key was deleted; without any, none does.
    `contents` are the source columns that a generated key is hashed from: the name of each, and its position.
    """

    entity: Entity
    columns: AnyMapping[str, PlannedColumn]
    conditions: tuple[PlannedCondition, ...]
    deletions: tuple[PlannedCondition, ...]
    is_distinct: bool
    contents: tuple[tuple[str, int], ...]

    @property
    def generated(self) -> tuple[str, ...]:
        """Canonical columns that get a generated key."""
        return tuple(name for name, column in self.columns.items() if column.rule.is_generated)

    @property
    def condition_positions(self) -> tuple[int, ...]:
        """Source columns that tell what a row is."""
        return tuple(condition.position for condition in (*self.conditions, *self.deletions))


@dataclass(frozen=True)
class Plan:
    """How one file becomes rows: its shape, its outputs, and what the user should know about its header.

    `corrects` are the source columns of the addresses where the file holds corrected rows, by name.
    """

    shape: Shape
    outputs: tuple[Output, ...]
    notes: tuple[str, ...]
    lookups: tuple[Lookup, ...] = ()
    corrects: AnyMapping[str, int] | None = None

    @property
    def has_separators(self) -> bool:
        """Whether texts are read as numbers by declared separators: cells that are numbers must not look like those."""
        return any(column.has_separators for output in self.outputs for column in output.columns.values())


def _positions(header: Header) -> dict[str, list[int]]:
    """Return the source columns of each normalised name; a full name goes before a part of one."""
    full: dict[str, list[int]] = {}
    parts: dict[str, list[int]] = {}
    for position, names in enumerate(header.aliases):
        for level, name in enumerate(names):
            places = (parts if level else full).setdefault(normal_name(name), [])
            if position not in places:
                places.append(position)
    found = {**parts, **full}
    found.pop("", None)
    return found


def match_count(header: Header, entity: Entity) -> tuple[int, bool]:
    """Return how many canonical columns of `entity` the header has, and whether it has all required ones."""
    names = {normal_name(name) for names in header.aliases for name in names}
    return sum(column in names for column in entity.column_names), all(name in names for name in entity.required)


def best_entity(header: Header) -> Entity | None:
    """Return the entity that the header fits best with all required columns, None when none or several do."""
    fits = [
        (match_count(header, entity)[0], entity) for entity in entities().values() if match_count(header, entity)[1]
    ]
    best = max((count for count, _ in fits), default=0)
    winners = [entity for count, entity in fits if count == best]
    return winners[0] if len(winners) == 1 else None


def plan_canonical(header: Header, entity: Entity, is_declared: bool, added: frozenset[int] = frozenset()) -> Plan:
    """Plan a file that carries the canonical names of `entity`.

    `is_declared`: the user named the entity, so that a better fitting one is not held against the file. `added` are
    further columns that are used as well.
    Raises FileRejectedError for missing required, nameless or ambiguous columns and for the header of another
    entity.
    """
    positions = _positions(header)
    missing = [name for name in entity.required if name not in positions]
    other = best_entity(header)
    if missing:
        raise FileRejectedError(_missing_message(header, entity, missing, other))
    nameless = next(
        (number for number, name in enumerate(header.names[: header.named], 1) if not normal_name(name)), None
    )
    if nameless:
        raise FileRejectedError(f"column {nameless} has no name: name it or remove it")
    doubled = next((places for places in positions.values() if len(places) > 1), None)
    if doubled:
        name = shown_column(header.names[doubled[0]], doubled[0] + 1)
        raise FileRejectedError(f"the column name {name} occurs {len(doubled)} times: keep one of them")
    if other is not None and other is not entity and not is_declared:
        is_better = match_count(header, other)[0] > match_count(header, entity)[0]
        if is_better and set(entity.required) <= set(other.column_names):
            raise FileRejectedError(
                f"is named {entity.name}, but has the header of {other.name}: name it so, or give --entity"
            )
    spelling = {name: header.names[positions[name][0]] for name in entity.column_names if name in positions}
    rule = canonical_rule(entity, spelling)
    plan = _plan(header, (rule,), positions, added)
    respelled = sum(name != spelled for name, spelled in spelling.items())
    if respelled:
        plan = replace(plan, notes=(f"column names normalised: {respelled}", *plan.notes))
    return plan


def holds_corrections(header: Header) -> bool:
    """Tell whether a file was exported from the quarantine: it says which rows it corrects."""
    return any(normal_name(name) in CORRECTED_ADDRESS for name in header.names)


def plan_correction(header: Header, declared: Entity | None) -> Plan:
    """Plan a file of corrected rows, as `warehouse quarantine --export` wrote it.

    Its columns say the entity, unless the user declared one. Raises FileRejectedError when a column of the export
    is missing: its cells would be taken for emptied ones.
    """
    entity = declared or best_entity(header)
    if entity is None:
        raise FileRejectedError("holds corrected rows, but its columns are those of no entity: give --entity")
    positions = _positions(header)
    missing = [name for name in (*CORRECTED_ADDRESS, *entity.column_names) if name not in positions]
    if missing:
        listed = ", ".join(missing)
        raise FileRejectedError(f"holds corrected {entity.name} without the column {listed}: keep all exported columns")
    added = {place for name in (*EXPORTED_ADDRESS, EXPORTED_RAW_LINE) for place in positions.get(name, ())}
    plan = plan_canonical(header, entity, is_declared=True, added=frozenset(added))
    corrects = {name: positions[name][0] for name in CORRECTED_ADDRESS}
    wanted = tuple(sorted({*plan.shape.wanted, *corrects.values()}))
    return replace(plan, shape=replace(plan.shape, wanted=wanted), corrects=corrects)


def plan_mapped(header: Header, rule: FileRule) -> Plan:
    """Plan a file of a mapping.

    Raises FileRejectedError when a required column has no source in the header, or a row of data was taken for a
    header.
    """
    _refuse_data_as_header(header, rule)
    plan = _plan(header, rule.entities, _positions(header))
    return replace(plan, notes=(f"note: {rule.note}", *plan.notes)) if rule.note else plan


def _refuse_data_as_header(header: Header, rule: FileRule) -> None:
    """Raise FileRejectedError when a further header row holds what only a row of data holds.

    That is an address, or a number, a time or a long id below a key or a time that the mapping calls by its name.
    """
    named = {normal_name(name) for name in rule.header}
    telling = set(named)
    for each in rule.entities:
        types = {column.name: column.type for column in entities()[each.entity].columns}
        for column, column_rule in each.columns.items():
            names = {normal_name(name) for name in _names_in(column_rule)}
            named |= names
            if types[column] in _TELLING_TYPES:
                telling |= names
    row_count = max((len(names) - 1 for names in header.aliases), default=1)
    for number in range(1, row_count):
        for joined, name, *below in header.aliases:
            cell = below[number - 1]
            is_name = {normal_name(cell), normal_name(joined)} & named or normal_name(cell) == normal_name(name)
            pattern = _NUMBER_TIME_OR_LONG_ID if normal_name(name) in telling else None
            if not is_name and (_ADDRESS.fullmatch(cell) or (pattern and pattern.fullmatch(cell))):
                wanted = "both" if row_count == 2 else "all three"
                raise FileRejectedError(
                    f"holds data in row {number + 1}, where the mapping expects a header (header_rows: {row_count}): "
                    f"export it with {wanted} header rows, or give a mapping of your own with header_rows: {number}"
                )


def _names_in(rule: ColumnRule) -> tuple[str, ...]:
    """Return the names by which a rule calls source columns."""
    parts = tuple(name for part in rule.first_filled for name in _names_in(part))
    return (*rule.sources, *rule.join, *((rule.lookup.on,) if rule.lookup else ()), *parts)


def _shown_names(header: Header) -> list[str]:
    """Return the names that a message may hold."""
    if looks_like_a_row(header.names):
        return []
    return [name for name in header.names if name and not looks_like_data(name)]


def _missing_message(header: Header, entity: Entity, missing: list[str], other: Entity | None) -> str:
    names = [name for name in header.names if name]
    data_like = sum(looks_like_data(name) for name in names)
    is_better = other is not None and match_count(header, other)[0] > match_count(header, entity)[0]
    if other is not None and is_better and entity.key[0] in missing:
        return f"is no {entity.name} file: its header is that of {other.name}"
    if not any(normal_name(name) in entity.column_names for name in names) and (
        len(names) < 2 or 2 * data_like >= len(names)
    ):
        return f"has no header of {entity.name} in its first line (needed: {', '.join(entity.required)})"
    unknown = [name for name in _shown_names(header) if normal_name(name) not in entity.column_names]
    near = closest(missing[0], unknown)
    if near is None and len(missing) == 1 and len(unknown) == 1:
        near = unknown[0] if set(normal_name(unknown[0]).split("_")) & set(entity.name.rstrip("s").split("_")) else None
    hint = f"; the closest column is '{printable(near, 40)}': rename it, or map it with --source" if near else ""
    listed = ", ".join(missing)
    plural = "s" if len(missing) > 1 else ""
    return f"required column{plural} {listed} of {entity.name} missing in the header{hint}"


def _find(reference: str, positions: AnyMapping[str, list[int]]) -> int | None:
    places = positions.get(normal_name(reference), [])
    if len(places) > 1:
        raise FileRejectedError(
            f"the mapped column '{printable(reference, 40)}' occurs {len(places)} times: add its sub-header"
        )
    return places[0] if places else None


def _sources(rule: ColumnRule, header: Header, positions: AnyMapping[str, list[int]]) -> tuple[int, ...] | None:
    """Return the source columns of a rule; None when the header lacks them."""
    if rule.constant is not None or rule.is_generated:
        return ()
    if rule.join:
        found = [_find(each, positions) for each in rule.join]
        return tuple(each for each in found if each is not None) if None not in found else None
    if rule.lookup:
        place = _find(rule.lookup.on, positions)
        return None if place is None else (place,)
    for source in rule.sources:
        place = _find(source, positions)
        if place is not None:
            return (place,)
    places = _matching(rule, header)
    return (places[0],) if len(places) == 1 else None


def _matching(rule: ColumnRule, header: Header) -> list[int]:
    """Return the columns that fit the pattern of a rule. A question may have line breaks in it: they are blanks."""
    if rule.matches is None:
        return []
    pattern = re.compile(rule.matches, re.IGNORECASE)
    return [number for number, names in enumerate(header.aliases) if pattern.search(" ".join(names[0].split()))]


def _planned_conditions(
    rules: Sequence[Condition], header: Header, positions: AnyMapping[str, list[int]]
) -> tuple[tuple[PlannedCondition, ...], str | None]:
    """Return the conditions with their source columns, and the first column that the header lacks.

    A column that does not exist is as good as empty.
    """
    planned = []
    for rule in rules:
        place = _find(rule.column, positions)
        if place is not None:
            planned.append(PlannedCondition(place, rule.values, rule.is_negated))
        elif (rule.values is not None and "" in rule.values) == rule.is_negated:
            return (), rule.column
    return tuple(planned), None


def _planned(rule: ColumnRule, header: Header, positions: AnyMapping[str, list[int]]) -> PlannedColumn | None:
    """Return the rule with its source columns; None when the header lacks them."""
    if rule.first_filled:
        parts = [_planned(part, header, positions) for part in rule.first_filled]
        found = tuple(part for part in parts if part is not None)
        return PlannedColumn(rule, (), found) if found else None
    places = _sources(rule, header, positions)
    if places is not None and rule.divisor_column is not None:
        divisor = _find(rule.divisor_column, positions)
        places = None if divisor is None else (*places, divisor)
    return None if places is None else PlannedColumn(rule, places)


def _wanted_name(rule: ColumnRule) -> str:
    if rule.first_filled:
        return _wanted_name(rule.first_filled[0])
    return rule.sources[0] if rule.sources else rule.join[0] if rule.join else rule.lookup.on if rule.lookup else ""


def _problem_of_pattern(name: str, rule: ColumnRule, header: Header) -> str:
    """Return why a column is not found by the pattern of its rule."""
    places = [str(place + 1) for place in _matching(rule, header)]
    found = f"columns {', '.join(places)} fit" if places else "no column fits"
    return f"{found} the mapping's pattern for {name}, which takes one: say which in a copy of the mapping"


def _labelled(header: Header) -> tuple[tuple[str, int], ...]:
    """Return the columns by name and position, in the order of their names; namesakes are numbered."""
    names = [normal_name(names[0]) for names in header.aliases[: header.named]]
    return tuple(sorted((f"{name} {names[:position].count(name)}", position) for position, name in enumerate(names)))


def _plan(
    header: Header,
    rules: tuple[EntityRule, ...],
    positions: AnyMapping[str, list[int]],
    added: frozenset[int] = frozenset(),
) -> Plan:
    outputs: list[Output] = []
    notes: list[str] = []
    used: set[int] = set()
    key_sources: set[int] = set()
    contents = _labelled(header)
    for rule in rules:
        entity = entities()[rule.entity]
        columns: dict[str, PlannedColumn] = {}
        absent: list[str] = []
        types = {column.name: column.type for column in entity.columns}
        for name in entity.column_names:
            if name not in rule.columns:
                continue
            planned = _planned(rule.columns[name], header, positions)
            default = rule.columns[name].default
            if planned is None and default is not None:
                planned = PlannedColumn(ColumnRule(constant=default), ())
            if planned is not None:
                columns[name] = planned
                if name in entity.required:
                    key_sources.update(planned.all_positions)
            elif name in entity.required:
                wanted = _wanted_name(rule.columns[name])
                near = closest(wanted, _shown_names(header))
                hint = f"; the closest is '{printable(near, 40)}'" if near else ""
                raise FileRejectedError(
                    f"the mapped column '{printable(wanted, 60)}' ({name} of {entity.name}) is missing{hint}"
                )
            elif rule.columns[name].matches is not None:
                problem = _problem_of_pattern(name, rule.columns[name], header)
                # Why somebody gave a score is not always asked; the score is what the others are about.
                if types[name] != "comment":
                    raise FileRejectedError(problem)
                notes.append(problem)
            else:
                absent.append(_wanted_name(rule.columns[name]))
        conditions, missing = _planned_conditions(rule.where, header, positions)
        if missing is not None:
            raise FileRejectedError(f"the column '{printable(missing, 60)}' of the mapping's condition is missing")
        # Without the column of the mark nothing is marked.
        deletions, missing = _planned_conditions(rule.deleted, header, positions)
        output = Output(entity, columns, conditions, () if missing else deletions, rule.is_distinct, contents)
        used.update(place for column in columns.values() for place in column.all_positions)
        used.update(output.condition_positions)
        if output.generated:
            used.update(position for _, position in contents)
        outputs.append(output)
        if absent:
            notes.append(f"mapped columns not in the file: {', '.join(printable(each, 40) for each in absent)}")
    mapped = {place for output in outputs for column in output.columns.values() for place in column.all_positions}
    mapped.update(place for output in outputs for place in output.condition_positions)
    unknown = [place for place in range(header.named) if place not in mapped and place not in added]
    if unknown and header.has_header:
        groups = header.shown_names
        # A group of which some column is mapped is not left out.
        taken = {groups[place] for place in mapped} if groups != header.names else set()
        # Where no name is one that was looked for, the first line may be a record.
        is_named = bool(mapped) and not looks_like_a_row(header.names)
        shown = [
            shown_column(groups[place] if is_named and groups[place] not in taken else "", place + 1)
            for place in unknown
        ]
        names = list(dict.fromkeys(shown))
        listed = names[:_LISTED_COLUMNS]
        more = f" and {len(names) - _LISTED_COLUMNS} more" if len(names) > _LISTED_COLUMNS else ""
        notes.append(f"columns left out: {', '.join(listed)}{more}")
    if header.named < len(header.names):
        notes.append(f"{len(header.names) - header.named} empty trailing columns dropped")
    # A second header holds the names of the required columns; of all used ones where only one is required.
    telling = key_sources if len(key_sources) > 1 else mapped
    required = {normal_name(header.names[place]) for place in telling} - {""} if header.has_header else set()
    shape = Shape(header.names, header.named, tuple(sorted(used)), frozenset(required))
    lookups = tuple(lookup for output in outputs for column in output.columns.values() for lookup in column.lookups)
    return Plan(shape, tuple(outputs), tuple(dict.fromkeys(notes)), lookups)
