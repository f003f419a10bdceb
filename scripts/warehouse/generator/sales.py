"""Sales representatives and targets, leads, deals and their way through the stages."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.generator import text, vocabulary
from warehouse.generator.accounts import (
    Customers,
    account_ids,
    currency_codes,
    customers,
    local_factor,
    names,
    owner_numbers,
)
from warehouse.generator.commerce import PRODUCTS, product_ids
from warehouse.generator.company import DAY, Company, add_months
from warehouse.generator.draws import Booleans, Integers, row_keys
from warehouse.generator.reference import PIPELINES, Row
from warehouse.generator.rows import counts_near, repeated
from warehouse.generator.text import Text

DEAL_TYPES = ("new", "renewal", "upsell", "cross_sell")
MAX_DEALS = 12
NEW_DEAL_RATE = 0.72
# Further deals per month of life.
FURTHER_DEAL_RATE = 0.042
OPEN_STAGES = 6
STAGE_NAMES = [
    stage
    for pipeline in ("default", "partner")
    for stage in (*PIPELINES[pipeline], *[""] * (OPEN_STAGES - len(PIPELINES[pipeline])), "won", "lost")
]
WON_POSITION, LOST_POSITION = OPEN_STAGES, OPEN_STAGES + 1
# Share of a deal's way at which it enters each stage.
STAGE_TIMES = np.array([0.0, 0.10, 0.24, 0.42, 0.60, 0.82])
LOST_REASONS = (
    "too expensive",
    "missing features",
    "switched to competitor",
    "no budget",
    "no longer needed",
    "poor support",
)
TEAMS = ("Falcon", "Heron", "Kestrel", "Osprey")
REGIONS = ("Americas", "EMEA", "APAC")
LEAD_STATUSES = ("new", "working", "nurturing", "qualified", "converted", "disqualified")


@dataclass(frozen=True)
class Deals:
    """The deals of one block; `parent` is the position of the account, `way` the stages seen (deals × 6)."""

    block: Customers
    parent: Integers
    keys: Integers
    deal_type: Integers
    pipeline: Integers
    created: Integers
    closed: Integers
    is_won: Booleans
    is_lost: Booleans
    is_no_decision: Booleans
    has_history: Booleans
    highest: Integers
    way: Booleans


def deal_ids(numbers: Integers) -> Text:
    """Return the deal ids of running numbers."""
    return text.identifiers("D", numbers, 8)


def representative_ids(numbers: Integers) -> Text:
    """Return the ids of sales representatives."""
    return text.identifiers("R", numbers, 4)


def plan_deals(company: Company, number: Integers) -> Deals:
    """Decide the deals of a block: kind, dates, outcome and the stages that each one saw."""
    draws, end = company.draws, company.end
    block = customers(company, number)
    has_new = draws.happens("deal.has_new", number, NEW_DEAL_RATE)
    further = counts_near(
        block.lived / (30.4375 * DAY) * FURTHER_DEAL_RATE,
        draws.uniform("deal.further", number),
        MAX_DEALS - 1,
    )
    parent, ordinal = repeated(has_new + further)
    keys = row_keys(number[parent], ordinal)
    is_new = (ordinal == 0) & has_new[parent]
    deal_type = np.where(is_new, 0, 1 + draws.choice("deal.type", keys, (0.35, 0.4, 0.25)))
    pipeline = np.where(draws.happens("deal.partner", keys, 0.1), 1, 0)
    buys = block.is_buyer[parent]
    created = np.where(
        is_new,
        block.created[parent] + (draws.uniform("deal.delay", keys) * 20 * 3_600).astype(np.int64),
        block.instant(parent, draws.uniform("deal.time", keys)),
    )
    created = np.minimum(created, end - 3_600)
    chance = np.where(is_new, np.where(buys, 0.36, 0.0), np.array([0.36, 0.36, 0.27, 0.23])[deal_type])
    wins = draws.happens("deal.wins", keys, chance)
    days = 6.0 + draws.lognormal("deal.days", keys, 0.7) * np.where(wins, 38.0, 45.0)
    closed = created + (days * DAY).astype(np.int64)
    # A new customer's life starts when the deal is won.
    closed = np.where(is_new & wins, np.maximum(block.first_start[parent], created + 3 * DAY), closed)
    is_open = (closed >= end) | draws.happens("deal.stalls", keys, 0.05)
    is_won = wins & ~is_open
    is_lost = ~wins & ~is_open
    stages = np.where(pipeline == 0, OPEN_STAGES, len(PIPELINES["partner"]))
    depth = draws.choice("deal.depth", keys, (0.26, 0.22, 0.19, 0.14, 0.11, 0.08))
    highest = np.where(is_won, stages - 1, np.minimum(depth, stages - 1))
    position = np.arange(OPEN_STAGES)
    skips = draws.uniform("deal.skips", row_keys(keys, np.zeros_like(keys))[:, None] + position[None, :]) < 0.1
    way = (position[None, :] <= highest[:, None]) & (~skips | (position[None, :] == highest[:, None]))
    return Deals(
        block=block,
        parent=parent,
        keys=keys,
        deal_type=deal_type,
        pipeline=pipeline,
        created=created,
        closed=closed,
        is_won=is_won,
        is_lost=is_lost,
        is_no_decision=is_lost & draws.happens("deal.no_decision", keys, 0.16),
        has_history=~draws.happens("deal.no_history", keys, 0.06),
        highest=highest,
        way=way,
    )


def deals(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the deals of each block."""
    draws, numbered = company.draws, 0
    for number in company.blocks():
        plan = plan_deals(company, number)
        rows, keys = len(plan.keys), plan.keys
        running = numbered + 1 + np.arange(rows)
        numbered += rows
        account = number[plan.parent]
        country = plan.block.country[plan.parent]
        position = np.where(plan.is_won, WON_POSITION, np.where(plan.is_lost, LOST_POSITION, plan.highest))
        size = np.array([2_400.0, 9_000.0, 32_000.0])[plan.block.segment[plan.parent]]
        size = size * np.array([1.0, 0.9, 0.35, 0.45])[plan.deal_type] * draws.lognormal("deal.amount", keys, 0.6)
        hundreds = np.maximum((size * local_factor(country) / 100).astype(np.int64), 1)
        is_open = ~plan.is_won & ~plan.is_lost
        # The plan of an open deal may lie before as_of (overdue), after it, or be missing.
        shown_close = np.where(is_open, np.maximum(plan.closed, plan.created + 30 * DAY), plan.closed)
        reason = draws.whole("deal.reason", keys, 0, len(LOST_REASONS) - 1)
        lost_reason = text.chosen(
            (*LOST_REASONS, "no decision"), np.where(plan.is_no_decision, len(LOST_REASONS), reason)
        )
        rival = draws.whole("deal.competitor", keys, 0, len(vocabulary.COMPETITORS) - 1)
        owner = np.where(
            draws.happens("deal.other_owner", keys, 0.1),
            draws.whole("deal.owner", keys, 1, company.representatives),
            owner_numbers(company, account),
        )
        source = draws.choice("account.channel", account, (0.28, 0.22, 0.16, 0.12, 0.10, 0.12))
        name = text.chosen([kind.replace("_", "-") for kind in DEAL_TYPES], plan.deal_type)
        yield {
            "deal_id": deal_ids(running),
            "account_id": account_ids(account),
            "stage": text.chosen(STAGE_NAMES, plan.pipeline * (OPEN_STAGES + 2) + position),
            "created_at": text.timestamps(plan.created),
            "closed_at": text.blanked(text.timestamps(shown_close), is_open & draws.happens("deal.no_plan", keys, 0.2)),
            "amount": text.blanked(text.decimals(hundreds * 10_000), draws.happens("deal.no_amount", keys, 0.02)),
            "currency": text.blanked(
                currency_codes(country), (country == 0) & draws.happens("deal.no_currency", keys, 0.05)
            ),
            "deal_name": text.numbered(name, running),
            "pipeline": text.chosen(
                ("default", "partner", None), np.where(plan.pipeline == 1, 1, np.where(keys % 5 == 0, 2, 0))
            ),
            "deal_type": text.blanked(
                text.chosen(DEAL_TYPES, plan.deal_type), draws.happens("deal.no_type", keys, 0.01)
            ),
            "owner_id": representative_ids(owner),
            "lead_source": text.blanked(
                text.chosen(vocabulary.CHANNELS, source), draws.happens("deal.no_source", keys, 0.04)
            ),
            "lost_reason": text.blanked(
                lost_reason,
                ~plan.is_lost | (~plan.is_no_decision & draws.happens("deal.no_reason", keys, 0.12)),
            ),
            "competitor": text.blanked(
                text.chosen(vocabulary.COMPETITORS, rival),
                ~plan.is_lost | ~draws.happens("deal.has_competitor", keys, 0.25),
            ),
            "product_id": product_ids(draws.whole("deal.product", keys, 1, PRODUCTS)),
        }


def deal_stage_history(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the entries into stages of each block in order of time, won and lost among them."""
    draws, numbered = company.draws, 0
    for number in company.blocks():
        plan = plan_deals(company, number)
        closes = (plan.is_won, plan.is_lost)
        seen = np.column_stack([plan.way, *closes]) & plan.has_history[:, None]
        deal, position = np.nonzero(seen)
        keys = plan.keys[deal] * 8 + position
        # An open deal has gone its way so far; the jitter never reaches the next stage.
        whole_way = np.minimum(plan.closed, company.end) - plan.created
        share = np.append(STAGE_TIMES, (1.0, 1.0))[position]
        jitter = np.where((position > 0) & (position < OPEN_STAGES), draws.uniform("stage.jitter", keys) * 0.09, 0.0)
        entered = plan.created[deal] + (whole_way[deal] * (share + jitter)).astype(np.int64)
        entered = np.where(position >= OPEN_STAGES, plan.closed[deal], np.minimum(entered, company.end - 60))
        order = np.argsort(entered, kind="stable")
        deal, position, entered = deal[order], position[order], entered[order]
        yield {
            "deal_id": deal_ids(numbered + 1 + deal),
            "stage": text.chosen(STAGE_NAMES, plan.pipeline[deal] * (OPEN_STAGES + 2) + position),
            "entered_at": text.timestamps(entered),
            "changed_by": representative_ids(owner_numbers(company, number[plan.parent[deal]])),
        }
        numbered += len(plan.keys)


def leads(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the leads: most accounts began as one, as many never became an account."""
    draws, numbered, deals_before = company.draws, 0, 0
    for number in company.blocks():
        plan = plan_deals(company, number)
        block = plan.block
        has_new = draws.happens("deal.has_new", number, NEW_DEAL_RATE)
        first_deal = np.zeros(len(number), dtype=np.int64)
        new = plan.deal_type == 0
        first_deal[plan.parent[new]] = deals_before + 1 + np.flatnonzero(new)
        deals_before += len(plan.keys)
        converted = draws.happens("lead.converted", number, 0.6) & has_new
        cold = draws.happens("lead.cold", number, 0.7)
        source = np.concatenate([np.flatnonzero(converted), np.flatnonzero(cold)])
        is_converted = np.arange(len(source)) < int(converted.sum())
        account = number[source]
        keys = account * 2 + is_converted
        lead_time = (draws.exponential("lead.time", keys) * 20 * DAY).astype(np.int64)
        created = np.where(
            is_converted,
            np.maximum(block.created[source] - lead_time, company.start),
            company.start + (draws.uniform("lead.created", keys) * (company.end - company.start)).astype(np.int64),
        )
        status = draws.choice("lead.status", keys, (0.25, 0.25, 0.2, 0.1, 0.0, 0.2))
        order = np.argsort(created, kind="stable")
        columns: dict[str, Text] = {
            "created_at": text.timestamps(created),
            "source": text.chosen(
                vocabulary.CHANNELS, draws.choice("lead.source", keys, (0.3, 0.25, 0.12, 0.1, 0.13, 0.1))
            ),
            "campaign_id": text.chosen(
                (*vocabulary.CAMPAIGNS, None),
                draws.whole("lead.campaign", keys, 0, len(vocabulary.CAMPAIGNS)),
            ),
            "owner_id": representative_ids(owner_numbers(company, account)),
            "status": text.chosen(LEAD_STATUSES, np.where(is_converted, LEAD_STATUSES.index("converted"), status)),
            "country": text.chosen([row[0] for row in vocabulary.COUNTRIES], block.country[source]),
            "industry": text.chosen(
                vocabulary.INDUSTRIES,
                draws.whole("account.industry", account, 0, len(vocabulary.INDUSTRIES) - 1),
            ),
            "company_size": text.chosen(("1-10", "11-50", "51-250", "251+"), draws.whole("lead.size", keys, 0, 3)),
            "converted_at": text.blanked(text.timestamps(block.created[source]), ~is_converted),
            "converted_account_id": text.blanked(account_ids(account), ~is_converted),
            "converted_deal_id": text.blanked(deal_ids(first_deal[source]), ~is_converted),
        }
        numbers = text.identifiers("L", numbered + 1 + np.arange(len(source)), 8)
        numbered += len(source)
        yield {"lead_id": numbers, **{name: column.take(order) for name, column in columns.items()}}


def sales_reps(company: Company) -> list[Row]:
    """Return the sales representatives; one in six has left."""
    draws = company.draws
    numbers = np.arange(1, company.representatives + 1)
    ids = representative_ids(numbers).to_pylist()
    country = draws.whole("rep.country", numbers, 0, len(vocabulary.COUNTRIES) - 1)
    full_names = names(company, "rep.name", numbers, country, vocabulary.PERSON_WORDS, by=7).to_pylist()
    hired = draws.whole("rep.hired", numbers, 0, 30)
    left = draws.whole("rep.left", numbers, 8, 18)
    rows: list[Row] = []
    for position, number in enumerate(numbers.tolist()):
        hired_on = add_months(company.first_day, int(hired[position]) - 24)
        left_on = add_months(hired_on, 12 + int(left[position]))
        rows.append(
            {
                "rep_id": ids[position],
                "rep_name": full_names[position],
                "team": TEAMS[number % len(TEAMS)],
                "manager": f"{TEAMS[number % len(TEAMS)]} lead",
                "region": REGIONS[number % len(REGIONS)],
                "hired_at": hired_on.isoformat(),
                "left_at": left_on.isoformat() if number % 6 == 0 and left_on < company.as_of else None,
            }
        )
    return rows


def sales_targets(company: Company) -> list[Row]:
    """Return a monthly target for every representative employed in the month, growing over time."""
    rows: list[Row] = []
    for representative in sales_reps(company):
        number = int(str(representative["rep_id"])[1:])
        for position, month in enumerate(company.months):
            employed = str(representative["hired_at"]) <= month.isoformat()
            gone = representative["left_at"] is not None and str(representative["left_at"]) <= month.isoformat()
            if employed and not gone:
                euro = number % 3 == 1
                rows.append(
                    {
                        "rep_id": representative["rep_id"],
                        "period_start": month.isoformat(),
                        "target_amount": f"{5_000 + 1_000 * (number % 4) + 150 * position}.00",
                        "currency": "EUR" if euro else "USD" if number % 3 == 2 else None,
                    }
                )
    return rows
