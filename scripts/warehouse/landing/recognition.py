"""Which entity, or which part of a mapping, a file is: by the user's word, its name or its header."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from warehouse.contract import Entity, entities
from warehouse.landing.files import Contents
from warehouse.landing.header import (
    Header,
    Plan,
    best_entity,
    holds_corrections,
    match_count,
    plan_canonical,
    plan_correction,
    plan_mapped,
)
from warehouse.landing.mapping import FileRule
from warehouse.landing.messages import FileRejectedError, UnknownFileError
from warehouse.landing.names import normal_name
from warehouse.landing.reading import OpenFile, open_file
from warehouse.landing.report import Options

_CORRECTED_AND_MAPPED = "holds corrected rows, which are canonical: land it without --source"


def entity_of_name(name: str) -> Entity | None:
    """Return the entity that a file name says: `orders.csv`, `raw_orders.csv`, `orders_2024-07-01.csv.gz`.

    The seed of a reference may have another name than its entity: it says the entity as well.
    """
    stem = normal_name(name.split(".")[0]).removeprefix("raw_")
    named = {each.seed.removeprefix("raw_"): each for each in entities().values()} | entities()
    for entity_name in sorted(named, key=len, reverse=True):
        if stem == entity_name or re.match(rf"{entity_name}(_|\W|\d)", stem):
            return named[entity_name]
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
    if not fits and not telling and not any(_may_be(contents, rule) for rule in rules):
        raise UnknownFileError(str(refusals[0]))
    if by_name or len(rules) == 1 or telling:
        raise (telling or refusals)[0]
    if not fits:
        raise FileRejectedError(f"no part of the mapping {options.mapping.name} fits its name or header")
    raise FileRejectedError(
        f"several parts of the mapping {options.mapping.name} fit it: name the file as the mapping says"
    )


def _may_be(contents: Contents, rule: FileRule) -> bool:
    """Tell whether a file may be of the kind that a rule describes: by its name, or by the columns of its header."""
    says_only_types = all(re.fullmatch(r"\*(\.\w+)?", pattern) for pattern in rule.names)
    if rule.names and not rule.header and not rule.fits_name(contents.inner_name):
        return False
    if not rule.header or not says_only_types or not rule.header_rows:
        return True
    headers: list[Header] = []

    def keep(header: Header) -> Plan:
        headers.append(header)
        raise FileRejectedError("")

    # One row too: a file of other contents may have fewer rows than the rule's header.
    for count in {rule.header_rows, 1}:
        with suppress(FileRejectedError):
            open_file(contents, replace(rule, header_rows=count), keep)
    wanted = {normal_name(name) for name in rule.header}
    return not headers or any(
        wanted <= {normal_name(name) for names in header.aliases for name in names} for header in headers
    )


def _likely_entity(header: Header) -> Entity | None:
    """Return the entity that a header fits, unless the fit is so small that naming it would mislead."""
    entity = best_entity(header)
    if entity is not None and 2 * match_count(header, entity)[0] >= header.named:
        return entity
    return None
