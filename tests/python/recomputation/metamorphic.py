"""Changes to what was delivered that must not change the marts, or only in a known way."""

import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from recomputation.companies import Raw
from recomputation.periods import MONTHS, add_months, midnight
from recomputation.values import clean, parse_number
from warehouse.contract import entities

ACCOUNT_COLUMNS = (
    "account_id",
    "merged_into_account_id",
    "referred_by_account_id",
    "converted_account_id",
)
# Marts of addresses: they tell deliveries apart, so they change when the deliveries do.
ADDRESS_MARTS = ("load_reconciliation", "load_repairs", "quarantined_rows")


def copied(raw: Raw) -> Raw:
    """Return rows that can be changed without changing the original."""
    return {entity: [dict(row) for row in rows] for entity, rows in raw.items()}


def is_reference(entity: str) -> bool:
    """True for reference seeds, which carry no address."""
    return entities()[entity].is_reference


def shuffled(raw: Raw, seed: int) -> Raw:
    """Put the rows in another physical order; each keeps its address. Every mart stays the same."""
    changed = copied(raw)
    for rows in changed.values():
        random.Random(seed).shuffle(rows)
    return changed


def delivered_twice(raw: Raw) -> Raw:
    """Deliver every load again after all others. Every mart but those of addresses stays the same."""
    changed = copied(raw)
    for entity, rows in raw.items():
        if not is_reference(entity):
            changed[entity] += [{**row, "load_id": f"9-{row['load_id']}"} for row in rows]
    return changed


def split_in_two(raw: Raw) -> Raw:
    """Deliver the second half of every load's lines as a load of its own, right after the first half.

    Every mart but those of addresses stays the same: what were different contents of one key in one
    delivery (the last line stays) becomes a replaced row.
    """
    changed = copied(raw)
    for entity, rows in changed.items():
        if is_reference(entity):
            continue
        by_load: dict[str | None, list[dict[str, str | None]]] = defaultdict(list)
        for row in rows:
            by_load[row["load_id"]].append(row)
        for load_id, own in by_load.items():
            own.sort(key=lambda row: int(row["line_number"] or 0))
            for row in own[len(own) // 2 :]:
                row["load_id"] = f"{load_id}-second"
    return changed


def new_name(account_id: str) -> str:
    """Return the new id of an account; the order of ids stays."""
    return f"renamed {account_id}"


def renamed_accounts(raw: Raw) -> Raw:
    """Give every account another id, everywhere."""
    changed = copied(raw)
    for rows in changed.values():
        for row in rows:
            for column in ACCOUNT_COLUMNS:
                account_id = clean(row.get(column))
                if account_id is not None:
                    row[column] = new_name(account_id)
    return changed


def with_new_names(marts: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Return what the marts of the original become when accounts are renamed."""
    return {
        mart: [
            {name: new_name(value) if name == "account_id" else value for name, value in row.items()} for row in rows
        ]
        for mart, rows in marts.items()
    }


def scaled_currency(raw: Raw, currency: str = "EUR", factor: int = 10) -> Raw:
    """Multiply all amounts of a currency, and divide its rates. Every mart of money stays the same."""
    changed = copied(raw)
    for row in changed["fx_rates"]:
        if row["currency"] == currency:
            row["rate"] = str(Decimal(str(row["rate"])) / factor)
    for entity in ("orders", "subscription_periods", "deals", "sales_targets", "marketing_spend"):
        for row in changed[entity]:
            if (clean(row["currency"]) or "").upper() != currency:
                continue
            for column in ("amount", "mrr", "target_amount"):
                number = parse_number(clean(row.get(column)) or "")
                if number is not None and number.is_finite():
                    row[column] = format(number * factor, "f")
    return changed


def with_later_rows(raw: Raw, as_of: datetime, seed: int) -> Raw:
    """Deliver, in a new load, events that happen at or after as_of. Nothing seen at as_of changes.

    They are orders, contracts that start, activities, answers and deals of accounts that are already
    named, so that neither attributes nor merges change; no contract changes an earlier one.
    """
    chooser = random.Random(seed)
    changed = copied(raw)
    accounts = sorted({clean(row.get("account_id")) or "A001" for row in raw["accounts"]}) or ["A001"]
    rows: dict[str, list[dict[str, str | None]]] = defaultdict(list)
    for number in range(12):
        account = chooser.choice(accounts)
        at = as_of + timedelta(days=chooser.choice((0, 0, 1, 20, 70)), seconds=chooser.choice((0, 7200)))
        text = at.isoformat(" ")
        own = {"account_id": account}
        rows["orders"].append({**own, "order_id": f"later-{number}", "ordered_at": text, "amount": "70"})
        rows["subscription_periods"].append(
            {**own, "subscription_id": f"later-{number}", "started_at": text, "mrr": "30"}
        )
        rows["activities"].append(
            {**own, "activity_id": f"later-{number}", "activity_type": "call", "occurred_at": text}
        )
        rows["survey_responses"].append(
            {**own, "response_id": f"later-{number}", "survey": "nps", "score": "3", "responded_at": text}
        )
        rows["support_tickets"].append(
            {**own, "ticket_id": f"later-{number}", "opened_at": text, "category": "billing"}
        )
        rows["deals"].append(
            {**own, "deal_id": f"later-{number}", "stage": "Demo", "created_at": text, "amount": "900"}
        )
    for entity, added in rows.items():
        for line_number, row in enumerate(added, start=2):
            complete = {name: row.get(name) for name in entities()[entity].column_names}
            address = {
                "load_id": "9-later",
                "line_number": str(line_number),
                "file": f"{entities()[entity].seed}.csv",
            }
            changed[entity].append({**complete, **address})
    return changed


def complete_rows(marts: dict[str, list[dict[str, Any]]], as_of: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of calendar periods that were over at as_of, of the marts that later rows leave alone.

    Left out are the funnel (a deal may advance at any time), rows dated by a window or a wave, and what
    needs a fixed window of inactivity, grace 0 and no later refund: see the test that uses this.
    """
    marts_of_periods = ("retention_rate", "revenue_retention", "churn_dialects", "sales_performance", "nps")
    return {
        mart: [
            row
            for row in marts[mart]
            if row["period_type"] in MONTHS
            and add_months(midnight(row["period_start"]), MONTHS[row["period_type"]]) <= as_of
        ]
        for mart in marts_of_periods
    }
