"""Touches, e-mail preferences, support tickets and marketing spend."""

from collections.abc import Iterator

import numpy as np

from warehouse.generator import text, vocabulary
from warehouse.generator.accounts import account_ids, contact_ids, customers, owner_numbers
from warehouse.generator.company import DAY, MONTH, Company
from warehouse.generator.draws import row_keys
from warehouse.generator.reference import Row
from warehouse.generator.rows import counts_near, office_hours, repeated
from warehouse.generator.sales import representative_ids
from warehouse.generator.text import Text

ACTIVITY_TYPES = (
    "web_visit",
    "email_sent",
    "email_open",
    "email_click",
    "social",
    "call",
    "meeting",
    "loyalty",
)
ACTIVITY_CHANNELS = ("web", "email", "email", "email", "social", "phone", "in_person", "app")
ACTIVITY_WEIGHTS = (0.30, 0.22, 0.14, 0.06, 0.06, 0.10, 0.06, 0.06)
MAX_ACTIVITIES = 2_000
_ACTIVITY_MONTHS = 7.8


def activities(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the touches of each block in order of time: while a customer lives, and a few for prospects."""
    draws, numbered = company.draws, 0
    for number in company.blocks():
        block = customers(company, number)
        months = 1.0 + block.lived / MONTH
        rate = draws.lognormal("activity.rate", number, 0.6) / 1.2 * company.activities_per_account / _ACTIVITY_MONTHS
        parent, ordinal = repeated(counts_near(months * rate, draws.uniform("activity.count", number), MAX_ACTIVITIES))
        keys = row_keys(number[parent], ordinal)
        share = draws.uniform("activity.time", keys)
        before = block.created[parent] + (share * (block.first_start - block.created)[parent] * 0.5).astype(np.int64)
        prospect = ~block.is_buyer[parent] | draws.happens("activity.before", keys, 0.1)
        instant = np.where(prospect, before, block.instant(parent, share))
        instant = np.minimum(office_hours(instant, draws.uniform("activity.hour", keys)), company.end - 1)
        order = np.argsort(instant, kind="stable")
        parent, keys, instant = parent[order], keys[order], instant[order]
        kind = draws.choice("activity.type", keys, ACTIVITY_WEIGHTS)
        contact = 1 + (draws.uniform("activity.contact", keys) * block.contacts[parent]).astype(np.int64)
        campaign = draws.whole("activity.campaign", keys, 0, len(vocabulary.CAMPAIGNS) - 1)
        yield {
            "activity_id": text.identifiers("T", numbered + 1 + np.arange(len(keys)), 9),
            "account_id": account_ids(number[parent]),
            "activity_type": text.chosen(ACTIVITY_TYPES, kind),
            "occurred_at": text.timestamps(instant),
            "contact_id": text.blanked(contact_ids(number[parent], contact), (kind == 0) | (kind == 4)),
            "owner_id": text.blanked(
                representative_ids(owner_numbers(company, number[parent])), (kind != 5) & (kind != 6)
            ),
            "channel": text.chosen(ACTIVITY_CHANNELS, kind),
            "campaign_id": text.blanked(text.chosen(vocabulary.CAMPAIGNS, campaign), (kind == 0) | (kind > 4)),
        }
        numbered += len(keys)


def email_preferences(company: Company) -> Iterator[dict[str, Text]]:
    """Yield subscriptions at the start, unsubscriptions later, some resubscriptions.

    Of contacts and whole accounts.
    """
    draws = company.draws
    for number in company.blocks():
        block = customers(company, number)
        joins = draws.happens("preference.joins", number, 0.35)
        leaves = draws.happens("preference.leaves", number, 0.16)
        comes_back = leaves & draws.happens("preference.back", number, 0.2)
        whole_account = draws.happens("preference.whole", number, 0.35)
        left_at = block.created + 30 * DAY + (draws.exponential("preference.time", number) * 240 * DAY).astype(np.int64)
        back_at = left_at + DAY + (draws.exponential("preference.back_time", number) * 60 * DAY).astype(np.int64)
        contact = 1 + (draws.uniform("preference.contact", number) * block.contacts).astype(np.int64)
        rows = np.concatenate([np.flatnonzero(mask) for mask in (joins, leaves, comes_back)])
        step = np.repeat(np.arange(3), [int(mask.sum()) for mask in (joins, leaves, comes_back)])
        instant = np.choose(step, [block.created[rows] + 60, left_at[rows], back_at[rows]])
        kept = np.flatnonzero(instant < company.end)
        kept = kept[np.argsort(instant[kept], kind="stable")]
        rows, step, instant = rows[kept], step[kept], instant[kept]
        yield {
            "account_id": account_ids(number[rows]),
            "action": text.chosen(("subscribe", "unsubscribe"), (step == 1).astype(np.int64)),
            "occurred_at": text.timestamps(instant),
            "contact_id": text.blanked(contact_ids(number[rows], contact[rows]), whole_account[rows]),
        }


def support_tickets(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the tickets of each block in order of time; a few are still open."""
    draws, numbered = company.draws, 0
    for number in company.blocks():
        block = customers(company, number)
        counts = counts_near(block.lived / MONTH * 0.12, draws.uniform("ticket.count", number), MAX_ACTIVITIES)
        parent, ordinal = repeated(counts)
        keys = row_keys(number[parent], ordinal)
        # Trouble comes late: many tickets shortly before a customer leaves.
        share = np.sqrt(draws.uniform("ticket.time", keys))
        opened = np.minimum(
            office_hours(block.instant(parent, share), draws.uniform("ticket.hour", keys)), company.end - 1
        )
        closed = opened + 1_800 + (draws.exponential("ticket.length", keys) * 2.5 * DAY).astype(np.int64)
        order = np.argsort(opened, kind="stable")
        columns: dict[str, Text] = {
            "account_id": account_ids(number[parent]),
            "opened_at": text.timestamps(opened),
            "closed_at": text.blanked(text.timestamps(closed), closed >= company.end),
            "priority": text.chosen(
                vocabulary.TICKET_PRIORITIES, draws.choice("ticket.priority", keys, (0.3, 0.45, 0.18, 0.07))
            ),
            "category": text.chosen(
                vocabulary.TICKET_CATEGORIES,
                draws.choice("ticket.category", keys, (0.3, 0.2, 0.25, 0.15, 0.1)),
            ),
        }
        ids = text.identifiers("K", numbered + 1 + np.arange(len(keys)), 8)
        numbered += len(keys)
        yield {"ticket_id": ids, **{name: column.take(order) for name, column in columns.items()}}


def marketing_spend(company: Company) -> list[Row]:
    """Return the spend per month, channel and campaign: acquisition in four channels, retention in two."""
    rows: list[Row] = []
    scale = company.customers / 600
    plan = (
        ("paid_search", "CMP-01", "USD", "acquisition", 1_800),
        ("paid_search", "CMP-02", "EUR", "acquisition", 900),
        ("event", "CMP-03", "USD", "acquisition", 1_200),
        ("partner", "CMP-04", None, "acquisition", 700),
        ("outbound", None, "GBP", "acquisition", 600),
        ("email", "CMP-05", "USD", "retention", 250),
        ("loyalty", "CMP-06", "ILS", "retention", 1_100),
    )
    keys = np.arange(len(company.months) * len(plan))
    factor = company.draws.lognormal("spend.amount", keys, 0.25)
    for position, month in enumerate(company.months):
        for line, (channel, campaign, currency, cost_type, size) in enumerate(plan):
            cents = int(size * scale * (1 + position / 30) * float(factor[position * len(plan) + line]) * 100)
            rows.append(
                {
                    "channel": channel,
                    "period_start": month.isoformat(),
                    "amount": f"{cents // 100}.{cents % 100:02d}",
                    "campaign_id": campaign,
                    "currency": currency,
                    "cost_type": cost_type,
                }
            )
    return rows
