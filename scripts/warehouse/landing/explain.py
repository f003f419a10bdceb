"""`--explain`: what would be mapped to what, what is missing, and a proposed mapping for an unknown export."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.contract import Entity, entities
from warehouse.errors import WarehouseError
from warehouse.landing.files import Contents, check_file, list_files
from warehouse.landing.header import Header, Output, PlannedColumn, best_entity, match_count
from warehouse.landing.mapping import SHIPPED_DIR, load_mapping, shipped_mappings
from warehouse.landing.messages import FileRejectedError, looks_like_data, printable, shown_column
from warehouse.landing.names import closest, normal_name
from warehouse.landing.reading import read_header
from warehouse.landing.run import Options, entity_of_name, open_delivered


def explain_file(path: Path, options: Options) -> None:
    """Print how each file would be taken: a table for reading, and the YAML of a proposed mapping on standard output.

    Raises WarehouseError when a file cannot be read at all. Lands nothing.
    """
    console = Console(stderr=True, soft_wrap=False, highlight=False, markup=False, emoji=False)
    files, _ = list_files([path])
    for delivered in files:
        try:
            contents = check_file(delivered)
        except FileRejectedError as error:
            raise WarehouseError(f"{delivered.name}: {error}") from None
        reason = _explain_known(contents, options, console)
        if reason is None:
            continue
        console.print(Text(f"{contents.name}: {reason}"))
        if options.mapping is None:
            fitting = _fitting_mappings(contents)
            if fitting:
                console.print(Text(f"{contents.name}: fits the shipped mapping {', '.join(fitting)}: give --source"))
                for name in fitting[:1]:
                    _explain_known(contents, replace(options, mapping=load_mapping(name)), console)
                continue
            try:
                header = read_header(contents)
            except FileRejectedError as error:
                raise WarehouseError(f"{contents.name}: {error}") from None
            _propose(contents, header, options, console)


def _explain_known(contents: Contents, options: Options, console: Console) -> str | None:
    """Show the plan of a file that can be taken; return the reason why it cannot, else None."""
    try:
        opened, rule = open_delivered(contents, options)
    except FileRejectedError as error:
        return str(error)
    for output in opened.plan.outputs:
        _show_output(contents, output, opened.plan.shape.names, console)
    for note in [*opened.repairs, *opened.plan.notes]:
        console.print(Text(f"  {note}"))
    if rule is None:
        console.print(Text(f"  {contents.name} can be landed as it is"))
    return None


def _show_output(contents: Contents, output: Output, names: tuple[str, ...], console: Console) -> None:
    table = Table(title=Text(f"{contents.name} -> {output.entity.name}"), title_justify="left")
    table.add_column("column")
    table.add_column("needed")
    table.add_column("taken from")
    for column in output.entity.columns:
        planned = output.columns.get(column.name)
        origin = _origin(planned, names) if planned else "(not delivered)"
        table.add_row(Text(column.name), "required" if column.is_required else "", Text(origin))
    console.print(table)


def _origin(planned: PlannedColumn, names: tuple[str, ...]) -> str:
    rule = planned.rule
    if rule.constant is not None:
        return f"constant {printable(rule.constant, 40)}"
    if rule.is_generated:
        return "generated key"
    if rule.lookup:
        return f"{rule.lookup.take} of {printable(rule.lookup.file, 40)}"
    sources = [shown_column(names[place], place + 1) for place in planned.all_positions]
    changes = [
        word
        for word, is_set in (
            ("dates", rule.date_formats),
            ("values", rule.values),
            ("separators", rule.decimal or rule.thousands),
            ("divided", rule.divide_by > 1 or rule.divisor_column),
        )
        if is_set
    ]
    return " + ".join(sources) + (f" ({', '.join(changes)})" if changes else "")


def _fitting_mappings(contents: Contents) -> list[str]:
    """Return the shipped mappings under which the file can be taken, by name and header."""
    fitting = []
    for name in shipped_mappings():
        mapping = load_mapping(name)
        if not any(rule.fits_name(contents.inner_name) for rule in mapping.files):
            continue
        try:
            open_delivered(contents, Options(mapping=mapping))
        except FileRejectedError:
            continue
        fitting.append(name)
    return fitting


def propose_mapping(name: str, header: Header, entity: Entity) -> tuple[dict[str, Any], list[str]]:
    """Return a proposed mapping for an unknown header, and the required columns for which a source must be chosen."""
    columns: dict[str, Any] = {}
    taken: set[str] = set()
    spelling = {
        normal_name(names[0]): names[0].strip() for names in header.aliases if names[0] and not looks_like_data(names[0])
    }
    for column in entity.column_names:
        if column in spelling:
            columns[column] = spelling[column]
            taken.add(column)
    for column in entity.column_names:
        free = [original for normal, original in spelling.items() if normal not in taken]
        near = closest(column, free) if column not in columns else None
        if near is not None:
            columns[column] = near
            taken.add(normal_name(near))
    missing = [column for column in entity.required if column not in columns]
    if entity.key[0] in missing:
        columns = {entity.key[0]: {"generated": True}, **columns}
        missing.remove(entity.key[0])
    rule: dict[str, Any] = {"entity": entity.name, "columns": {c: columns[c] for c in entity.column_names if c in columns}}
    if missing:
        rule["constants"] = dict.fromkeys(missing, "CHOOSE")
    return {"source": "my_source", "files": [{"name": name, "entities": [rule]}]}, missing


def _propose(contents: Contents, header: Header, options: Options, console: Console) -> None:
    entity = entities()[options.entity] if options.entity else entity_of_name(contents.inner_name) or best_entity(header)
    if entity is None:
        ranked = sorted(entities().values(), key=lambda each: -_closeness(header, each))
        entity = ranked[0]
    document, missing = propose_mapping(printable(contents.inner_name, 80), header, entity)
    console.print(Text(f"{contents.name}: a mapping to start from, as {entity.name} (save it as a .yml file, give it to --source):"))
    if missing:
        console.print(Text(f"  replace CHOOSE by a constant, or map a column: {', '.join(missing)}"))
    console.print(Text(f"  examples: {SHIPPED_DIR.name}/*.yml, docs/mapping_files.md"))
    sys.stdout.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _closeness(header: Header, entity: Entity) -> float:
    count, _ = match_count(header, entity)
    names = [names[0] for names in header.aliases if names[0]]
    near = sum(closest(column, names) is not None for column in entity.required)
    return count + near / max(len(entity.required), 1)
