"""The tables of the files that a mapping looks values up in."""

import hashlib

from warehouse.landing.files import Contents, Delivered, check_file
from warehouse.landing.header import Header, Plan
from warehouse.landing.mapping import FileRule, Lookup
from warehouse.landing.messages import FileRejectedError, printable, shown_file
from warehouse.landing.names import normal_name
from warehouse.landing.personal_data import Tokens
from warehouse.landing.reading import open_file
from warehouse.landing.rows import Shape
from warehouse.landing.transform import Lookups, without_addresses


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
            path for path in contents.path.parent.iterdir() if lookup.fits_name(path.name) and path != contents.path
        )
        if len(matching) > 1:
            names = ", ".join(shown_file(path.name) for path in matching)
            raise FileRejectedError(f"{names} beside it fit the mapping's lookup, which reads one file: leave one")
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
            raise FileRejectedError(
                f"the lookup file {contents.name} needs exactly one column '{printable(lookup.match, 40)}' "
                f"and one '{printable(lookup.take, 40)}': so the mapping says"
            )
        places[:] = [names.index(name) for name in wanted]
        return Plan(Shape(header.names, header.named, tuple(sorted(set(places))), frozenset(wanted)), (), ())

    plain = FileRule((), (), (), encoding=rule.encoding if rule else None)
    opened = open_file(contents, plain, plan)
    table: dict[str, str] = {}
    for block in opened.blocks():
        rows, _ = without_addresses(block, tokens)
        keys, values = (rows.columns[place].to_pylist() for place in places)
        for key, value in zip(keys, values, strict=True):
            if key is not None and value is not None:
                table.setdefault(key, value)
    return table
