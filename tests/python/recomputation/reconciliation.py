"""load_reconciliation, load_repairs and quarantined_rows (interface §2): nothing is lost, nothing changes silently."""

from collections import Counter, defaultdict
from typing import Any
from zoneinfo import ZoneInfo

from recomputation.company import Company
from recomputation.raw import Row
from recomputation.values import clean, is_repaired, parse_timestamp
from warehouse.contract import Entity, entities

Rows = list[dict[str, Any]]


def load_reconciliation(company: Company) -> Rows:
    """One row per load, entity and file; reference seeds carry no load and are not counted."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for entity, rows in company.rows.items():
        for row in rows:
            if row.load_id:
                groups[row.load_id, entity, row.file].append(row)
    found = []
    for (load_id, entity, file), group in groups.items():
        states = [row.state for row in group]
        found.append(
            {
                "load_id": load_id,
                "entity": entity,
                "file": file,
                "rows_in": len(group),
                "rows_staged": states.count("staged"),
                "rows_quarantined": states.count("quarantined"),
                "rows_superseded": states.count("superseded"),
                "rows_erased": 0,
                "is_reconciled": True,
            }
        )
    return found


def load_repairs(company: Company) -> Rows:
    """One row per load, entity, file and set of columns that had to be repaired in the same row."""
    count: Counter[tuple[str, str, str, str]] = Counter()
    for entity, rows in company.rows.items():
        for row in rows:
            columns = [
                column.name
                for column in entities()[entity].columns
                if column.name in row.emptied
                or (row[column.name] is not None and is_repaired(column.type, clean(row.texts.get(column.name)) or ""))
            ]
            if columns and row.load_id:
                count[row.load_id, entity, row.file, ", ".join(columns)] += 1
    names = ("load_id", "entity", "file", "repaired_columns")
    return [{**dict(zip(names, key, strict=True)), "rows_repaired": rows} for key, rows in count.items()]


def shown_part(row: Row, entity: Entity, name: str) -> str:
    """Return a part of a key as it was delivered, or `(other)` where the type of its column does not know it."""
    column = next(column for column in entity.columns if column.name == name)
    text = clean(row.texts[name]) or ""
    is_known = True
    if column.type == "enum":
        is_known = text.lower() in column.values
    elif column.type in ("timestamp", "date", "month"):
        is_known = parse_timestamp(text, ZoneInfo("UTC")) is not None
    return text if is_known or not text else "(other)"


def quarantined_rows(company: Company) -> Rows:
    """One row per quarantined row, with its address, its first reason and its key."""
    return [
        {
            "load_id": row.load_id,
            "file": row.file,
            "line_number": row.line_number,
            "record_number": row.record_number,
            "entity": entity,
            "reason": row.reason,
            "key_value": "|".join(shown_part(row, entities()[entity], name) for name in entities()[entity].key),
            # Nobody lands corrections for these companies; tests/python/landing/test_corrections.py does.
            "corrected_by_load_id": None,
        }
        for entity, rows in company.rows.items()
        for row in rows
        if row.state == "quarantined" and row.load_id
    ]
