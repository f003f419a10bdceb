"""`--explain`: what is mapped to what, what is missing, and a proposed mapping for an unknown export."""

import difflib
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
from warehouse.landing.messages import FileRejectedError, looks_like_a_row, looks_like_data, printable, shown_column
from warehouse.landing.names import closest, normal_name
from warehouse.landing.placeholders import PLACEHOLDER
from warehouse.landing.reading import read_header
from warehouse.landing.recognition import entity_of_name, open_delivered
from warehouse.landing.report import Options
from warehouse.paths import PROJECT_DIR

# What exports often call a canonical column, in normalised form; only for proposals, never for landing.
_SYNONYMS = {
    "account_id": (
        "customer_id",
        "client_id",
        "company_id",
        "user_id",
        "customer",
        "account",
        "client",
        "company",
    ),
    "account_name": ("customer_name", "company_name", "company", "name"),
    "amount": ("order_total", "total", "total_amount", "value", "price", "revenue", "deal_value", "sum"),
    "ordered_at": ("order_date", "date", "created_at", "purchase_date", "invoice_date"),
    "order_id": ("id", "order_number", "order", "invoice_id", "invoice"),
    "deal_id": ("opportunity_id", "record_id", "id", "deal"),
    "stage": ("deal_stage", "stage_name", "status"),
    "created_at": ("create_date", "created_date", "created_time", "created", "add_time"),
    "closed_at": ("close_date", "closed_date", "closing_date", "close_time"),
    "owner_id": ("owner", "sales_rep", "sales_agent", "deal_owner"),
    "started_at": ("start_date", "start", "period_start", "starts_at"),
    "ended_at": ("end_date", "end", "period_end", "ends_at", "canceled_at"),
    "mrr": ("monthly_amount", "monthly_revenue", "amount", "monthly_price"),
    "subscription_id": ("id", "subscription", "contract_id"),
    "response_id": ("id", "respondent_id", "responseid"),
    "responded_at": ("date", "end_date", "submit_date_(utc)", "timestamp", "recordeddate", "created_at"),
    "score": ("rating", "nps", "nps_score", "likely_to_recommend", "likelytorecommend"),
    "comment": ("feedback", "comments", "reason", "verbatim"),
    "survey": ("survey_id", "survey_name"),
    "quantity": ("qty", "units"),
    "email": ("email_address", "e_mail"),
    "full_name": ("name", "contact_name"),
}


def explain_file(path: Path, options: Options) -> None:
    """Print how each file would be taken.

    A table for reading, and the YAML of a proposed mapping on standard output. Raises WarehouseError when a
    file cannot be read at all. Lands nothing.
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
            (f"times of {rule.timezone}", rule.timezone),
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
    """Return a proposed mapping for an unknown header, and the required columns that still need a source."""
    named = () if looks_like_a_row(header.names) else header.aliases
    spelling = {
        normal_name(names[0]): names[0].strip() for names in named if names[0] and not looks_like_data(names[0])
    }
    columns: dict[str, Any] = {column: spelling[column] for column in entity.column_names if column in spelling}
    free = {normal: original for normal, original in spelling.items() if normal not in entity.column_names}
    required_first = sorted(entity.column_names, key=lambda column: column not in entity.required)
    for column in required_first:
        if column in columns:
            continue
        near = next((word for word in _SYNONYMS.get(column, ()) if word in free), None)
        near = near or next(iter(difflib.get_close_matches(column, free, n=1, cutoff=0.8)), None)
        if near is not None:
            columns[column] = free.pop(near)
    missing = [column for column in entity.required if column not in columns]
    if entity.key[0] in missing:
        columns = {entity.key[0]: {"generated": True}, **columns}
        missing.remove(entity.key[0])
    rule: dict[str, Any] = {
        "entity": entity.name,
        "columns": {c: columns[c] for c in entity.column_names if c in columns},
    }
    if missing:
        rule["constants"] = dict.fromkeys(missing, PLACEHOLDER)
    return {"source": "my_source", "files": [{"name": name, "entities": [rule]}]}, missing


def _propose(contents: Contents, header: Header, options: Options, console: Console) -> None:
    entity = (
        entities()[options.entity] if options.entity else entity_of_name(contents.inner_name) or best_entity(header)
    )
    if entity is None:
        ranked = sorted(entities().values(), key=lambda each: -_closeness(header, each))
        entity = ranked[0]
    document, missing = propose_mapping(printable(contents.inner_name, 80), header, entity)
    console.print(Text(f"{contents.name}: a mapping to start from, as {entity.name} (save it, give it to --source):"))
    if looks_like_a_row(header.names):
        hint = "its first line looks like a record: name its columns by header_rows: 0 and column_names"
        console.print(Text(f"  {hint}"))
    if missing:
        console.print(Text(f"  replace {PLACEHOLDER} by a constant, or map a column: {', '.join(missing)}"))
    console.print(Text(f"  examples: {SHIPPED_DIR.relative_to(PROJECT_DIR)}/*.yml, docs/mapping_files.md"))
    proposal = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    sys.stdout.write(proposal + _left_over(document, header, entity))


def _left_over(document: dict[str, Any], header: Header, entity: Entity) -> str:
    """Return YAML comments about what a proposed mapping leaves open: columns of the file, and those of the entity."""
    proposed = document["files"][0]["entities"][0]["columns"]
    taken = {normal_name(source) for source in proposed.values() if isinstance(source, str)}
    is_row = looks_like_a_row(header.names)
    left = [
        shown_column("" if is_row else name, place)
        for place, name in enumerate(header.shown_names[: header.named], 1)
        if normal_name(name) not in taken
    ]
    wanted = [name for name in entity.column_names if not isinstance(proposed.get(name), str)]
    if not left:
        return ""
    return (
        f"# Columns of the file that nothing takes yet: {', '.join(left)}\n"
        f"# Columns of {entity.name} that nothing gives yet: {', '.join(wanted)}\n"
    )


def _closeness(header: Header, entity: Entity) -> float:
    count, _ = match_count(header, entity)
    names = [names[0] for names in header.aliases if names[0]]
    near = sum(closest(column, names) is not None for column in entity.required)
    return count + near / max(len(entity.required), 1)
