"""The few defects that the exports of a large company carry: unreadable values and unknown accounts."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.generator import text
from warehouse.generator.company import Company
from warehouse.generator.text import Text

# Values that staging must quarantine, by entity and column.
UNREADABLE: dict[str, dict[str, tuple[str | None, ...]]] = {
    "orders": {
        "amount": ("N/A", "#DIV/0!", "1e40", None),
        "ordered_at": ("yesterday", "1900-01-01", "2199-12-31", "2023-02-29"),
    },
    "deals": {"amount": ("tbd",), "created_at": ("31.31.2024",)},
    "deal_stage_history": {"entered_at": ("unknown", None)},
    "subscription_periods": {"mrr": ("free", None), "started_at": ("soon",)},
    "activities": {"activity_type": ("fax", None), "occurred_at": ("0000-00-00",)},
    "survey_responses": {"score": ("8.5", "99", "ten"), "responded_at": ("last week",)},
    "survey_invitations": {"delivered": ("perhaps",)},
    "support_tickets": {"opened_at": ("n/a",)},
}
# Facts whose account the accounts export does not hold.
WITH_UNKNOWN_ACCOUNTS = ("orders", "subscription_periods", "deals", "activities")
FIRST_UNKNOWN_ACCOUNT = 90_000_001
UNKNOWN_ACCOUNTS = 40


def spoil(company: Company, entity: str, first_row: int, columns: dict[str, Text]) -> dict[str, Text]:
    """Return the columns with defects at `company.defect_rate` per row.

    `first_row` is the number of the first row.
    """
    if company.defect_rate == 0 or entity not in UNREADABLE:
        return columns
    draws, spoiled = company.draws, dict(columns)
    rows = np.arange(first_row, first_row + len(next(iter(columns.values()))))
    rate = company.defect_rate / len(UNREADABLE[entity])
    for name, values in UNREADABLE[entity].items():
        hit = draws.happens(f"defect.{entity}.{name}", rows, rate)
        bad = text.chosen(values, draws.whole(f"defect.{entity}.{name}.value", rows, 0, len(values) - 1))
        spoiled[name] = pc.if_else(pa.array(hit), bad, spoiled[name])
    if entity in WITH_UNKNOWN_ACCOUNTS:
        hit = draws.happens(f"defect.{entity}.account", rows, company.defect_rate)
        last = FIRST_UNKNOWN_ACCOUNT + UNKNOWN_ACCOUNTS - 1
        unknown = text.identifiers("A", draws.whole(f"defect.{entity}.unknown", rows, FIRST_UNKNOWN_ACCOUNT, last), 8)
        spoiled["account_id"] = pc.if_else(pa.array(hit), unknown, spoiled["account_id"])
    return spoiled
