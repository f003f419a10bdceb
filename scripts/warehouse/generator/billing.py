"""Contracts: periods with their monthly recurring revenue."""

from collections.abc import Iterator

import numpy as np

from warehouse.generator import text, vocabulary
from warehouse.generator.accounts import account_ids, currency_codes, customers, local_factor
from warehouse.generator.commerce import product_ids
from warehouse.generator.company import DAY, MONTH, Company
from warehouse.generator.draws import row_keys
from warehouse.generator.rows import repeated
from warehouse.generator.text import Text

PLANS = ("starter", "team", "business")
PLAN_PRICES = np.array([49.0, 190.0, 720.0])
# Change of the monthly revenue from one period of a contract to the next: contraction, flat, expansion.
CHANGE_FACTORS = np.array([0.6, 0.85, 1.0, 1.1, 1.3, 1.7])
CHANGE_WEIGHTS = (0.06, 0.10, 0.30, 0.28, 0.18, 0.08)
MAX_PERIODS = 8
_CANCEL_WORDINGS = (*(wording for wording, _ in vocabulary.CHURN_WORDINGS), *vocabulary.UNMAPPED_WORDINGS)


def subscription_periods(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the contract periods of each block.

    A contract begins with its customer's life, often after a trial at 0, changes its price about twice a
    year and ends with the life. A customer who returns gets a second contract.
    """
    draws = company.draws
    for number in company.blocks():
        block = customers(company, number)
        for life in (1, 2):
            begin = block.first_start if life == 1 else block.second_start
            finish = block.first_end if life == 1 else block.second_end
            holder = np.flatnonzero(block.has_contract & (begin < company.end))
            begin, finish, owner = begin[holder], finish[holder], number[holder]
            # Four in ten contracts start with a calendar month, at midnight.
            day = begin // DAY * DAY
            calendar_month = (
                day.astype("datetime64[s]").astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
            )
            first_of_month = draws.happens(f"contract.first_of_month{life}", owner, 0.4) & (
                calendar_month >= company.start
            )
            begin = np.where(first_of_month, calendar_month, day)
            is_open = finish >= company.end
            finish = np.maximum(finish // DAY * DAY, begin + DAY)
            trial = draws.happens(f"contract.trial{life}", owner, 0.3) & (finish - begin > 20 * DAY)
            paid_from = np.where(trial, begin + 14 * DAY, begin)
            rhythm = (draws.whole(f"contract.rhythm{life}", owner, 3, 9) * MONTH) // DAY * DAY
            paid_periods = np.clip(1 + (finish - paid_from - 1) // rhythm, 1, MAX_PERIODS)
            parent, ordinal = repeated(paid_periods + trial)
            keys = row_keys(owner[parent], ordinal + life * 16)
            paid_ordinal = ordinal - trial[parent]
            is_trial = paid_ordinal < 0
            is_last = ordinal == (paid_periods + trial)[parent] - 1
            started = np.where(is_trial, begin[parent], paid_from[parent] + paid_ordinal * rhythm[parent])
            ended = np.where(is_trial, paid_from[parent], np.where(is_last, finish[parent], started + rhythm[parent]))
            change = CHANGE_FACTORS[draws.choice("contract.change", keys, CHANGE_WEIGHTS)]
            change = np.where(paid_ordinal <= 0, 1.0, change)
            factor = np.ones(len(parent))
            for step in range(1, MAX_PERIODS):
                # The price carries over from the period before.
                moved = paid_ordinal >= step
                at_step = np.maximum(np.arange(len(parent)) - (paid_ordinal - step), 0)
                factor = np.where(moved, factor * change[np.where(moved, at_step, 0)], factor)
            plan = np.clip(
                block.segment[holder] + draws.choice(f"contract.plan{life}", owner, (0.15, 0.6, 0.25)) - 1,
                0,
                2,
            )
            price = PLAN_PRICES[plan] * draws.lognormal(f"contract.price{life}", owner, 0.35)
            country = block.country[holder][parent]
            cents = (price[parent] * factor * local_factor(country)).astype(np.int64) * 100
            cents = np.where(is_trial, 0, np.maximum(cents, 100))
            cancelled = is_last & ~is_open[parent]
            involuntary = draws.happens("contract.involuntary", keys, 0.15)
            asked = np.maximum(started, ended - (draws.whole("contract.notice", keys, 2, 45) * DAY) + 9 * 3_600)
            wording = draws.whole("contract.wording", keys, 0, len(_CANCEL_WORDINGS) - 1)
            reason = text.blanked(
                text.chosen(_CANCEL_WORDINGS, wording),
                ~cancelled | draws.happens("contract.no_reason", keys, 0.3),
            )
            # Some customers ask to cancel and stay: a request is not an end.
            changed_mind = is_last & is_open[parent] & draws.happens("contract.changed_mind", keys, 0.03)
            asked = np.where(changed_mind, np.minimum(started + 20 * DAY, company.end - DAY), asked)
            no_request = ~changed_mind & (~cancelled | involuntary)
            order = np.argsort(started, kind="stable")
            columns: dict[str, Text] = {
                "subscription_id": text.numbered(text.identifiers("S", owner[parent], 8), np.full(len(parent), life)),
                "account_id": account_ids(owner[parent]),
                "started_at": text.dates(started),
                "ended_at": text.blanked(text.dates(ended), is_last & is_open[parent]),
                "mrr": text.decimals(cents),
                "currency": text.blanked(currency_codes(country), (country == 0) & (owner[parent] % 9 == 0)),
                "plan": text.chosen(PLANS, plan[parent]),
                "product_id": product_ids(plan[parent] * 4 + 1),
                "cancel_requested_at": text.blanked(text.timestamps(asked), no_request),
                "cancel_reason": reason,
                "cancel_type": text.blanked(
                    text.chosen(("voluntary", "involuntary"), involuntary.astype(np.int64)), ~cancelled
                ),
            }
            yield {name: column.take(order) for name, column in columns.items()}
