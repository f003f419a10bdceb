"""customer_segments, revenue_concentration and the overview marts (metric page §10, interface §3)."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import monthly_revenue, shown_attributes
from recomputation.lifetime_value import Worth
from recomputation.losses import status
from recomputation.numbers import money, percent_rank, ratio
from recomputation.periods import PERIOD_TYPES, add_months, periods

Rows = list[dict[str, Any]]


def cash_revenue(company: Company, until: datetime) -> dict[str, Fraction]:
    """Return each customer's cash revenue of the 12 months before a boundary."""
    since = add_months(until, -12)
    found: dict[str, Fraction] = defaultdict(Fraction)
    for customer, at, amount in company.cash:
        if since <= at < until:
            found[customer] += amount
    return found


def rfm_scores(values: dict[str, Fraction]) -> dict[str, int]:
    """Return 1 (lowest fifth) to 5 by percent rank; ties share."""
    return {customer: min(5, 1 + floor(5 * rank)) for customer, rank in percent_rank(values).items()}


def rfm_segment(recency: int, frequency: int, monetary: int) -> str:
    """Return the first segment that fits."""
    if recency >= 4 and frequency >= 4 and monetary >= 4:
        return "champions"
    if frequency >= 4:
        return "loyal"
    if recency <= 2 and (frequency >= 3 or monetary >= 4):
        return "at_risk"
    if recency >= 4 and frequency <= 2:
        return "new"
    if recency == 3 and frequency <= 2:
        return "promising"
    return "hibernating"


def value_tier(rank: Fraction) -> str:
    """Return the third of a percent rank, half-open from below."""
    if rank < Fraction(1, 3):
        return "low"
    return "medium" if rank < Fraction(2, 3) else "high"


def loyalty_tier(revenue: Fraction, bands: dict[str, Any]) -> str | None:
    """Return the highest band whose lower bound the revenue reaches."""
    tier = None
    for name, lowest in sorted(bands.items(), key=lambda band: Fraction(str(band[1]))):
        if revenue >= Fraction(str(lowest)):
            tier = name
    return tier


def loyalty_bands(company: Company) -> dict[str, Any]:
    """Return the bands of the variable, given as a mapping or as a list of named bounds."""
    bands = company.variables["loyalty_tiers"]
    if isinstance(bands, dict):
        return dict(bands)
    return {band["name"]: band["from"] for band in bands}


def risk_tier(stay: float | None) -> str | None:
    """Return the third of the probability to stay, NULL when it is unknown."""
    if stay is None:
        return None
    if stay < 1 / 3:
        return "high"
    return "medium" if stay < 2 / 3 else "low"


def customer_segments(company: Company, worth: dict[str, Worth]) -> Rows:
    """One row per customer."""
    buyers = company.qualifying_orders
    recency = rfm_scores({one: Fraction(days[-1].toordinal()) for one, days in company.order_days.items()})
    frequency = rfm_scores({one: Fraction(len(days)) for one, days in company.order_days.items()})
    monetary = rfm_scores({one: sum((order.net for order in orders), Fraction(0)) for one, orders in buyers.items()})
    # Values that differ beyond their sixth decimal count as equal, as in the models.
    ranks = percent_rank({one: round(own.lifetime, 6) for one, own in worth.items()})
    revenue = cash_revenue(company, company.now)
    bands = loyalty_bands(company)
    rows = []
    for one, account in company.customers.items():
        is_buyer = one in buyers
        rows.append(
            {
                "account_id": one,
                **shown_attributes(account),
                "recency_score": recency.get(one),
                "frequency_score": frequency.get(one),
                "monetary_score": monetary.get(one),
                "rfm_segment": rfm_segment(recency[one], frequency[one], monetary[one]) if is_buyer else None,
                "value_tier": value_tier(ranks[one]),
                "risk_tier": risk_tier(worth[one].expected.stay),
                "loyalty_tier": loyalty_tier(revenue.get(one, Fraction(0)), bands) if is_buyer else None,
            }
        )
    return rows


def gini(amounts: list[Fraction]) -> Fraction:
    """Return the Gini coefficient Σᵢ Σⱼ |xᵢ − xⱼ| ÷ (2 n Σ x)."""
    differences = sum(abs(one - other) for one in amounts for other in amounts)
    return Fraction(differences) / (2 * len(amounts) * sum(amounts))


def revenue_concentration(company: Company) -> Rows:
    """One row per period."""
    rows: Rows = []
    if not company.qualifying_orders:
        return rows
    first = min(orders[0].at for orders in company.qualifying_orders.values())
    for kind in PERIOD_TYPES:
        for period in periods(first, company.now, kind):
            amounts = sorted((x for x in cash_revenue(company, period.cut).values() if x > 0), reverse=True)
            total = sum(amounts, Fraction(0))
            top = amounts[: (len(amounts) + 9) // 10]
            rows.append(
                {
                    "period_type": kind,
                    "period_start": period.start.date(),
                    "period_end": period.end.date(),
                    "period_state": period.state,
                    "customers": len(amounts),
                    "top_decile_share": ratio(sum(top, Fraction(0)), total),
                    "herfindahl_index": ratio(sum((x * x for x in amounts), Fraction(0)), total * total),
                    "gini": float(gini(amounts)) if amounts else None,
                    "largest_customer_share": ratio(amounts[0], total) if amounts else None,
                }
            )
    return rows


def customer_360(company: Company, worth: dict[str, Worth], segmented: Rows) -> Rows:
    """One row per customer: what the other marts say about it."""
    segments = {row["account_id"]: row for row in segmented}
    touches: dict[str, datetime] = {}
    for row in company.facts("activities", "occurred_at"):
        customer = str(company.customer_of(row["account_id"]))
        touches[customer] = max(row["occurred_at"], touches.get(customer, row["occurred_at"]))
    scored = [
        each
        for (survey_type, _), responses in company.responses.items()
        if survey_type == "nps"
        for each in responses
        if each.score is not None and each.customer is not None
    ]
    last_answer = {each.customer: each for each in sorted(scored, key=lambda each: (each.at, each.response_id))}
    rows = []
    for one, account in company.customers.items():
        open_deals = [deal for deal in company.deals if deal.customer == one and deal.open_at(company.now)]
        held = [contract for contract in company.contracts_of.get(one, []) if contract.in_force(company.now)]
        ends = [contract.ended_at for contract in held if contract.ended_at is not None]
        orders = company.qualifying_orders.get(one)
        answer = last_answer.get(one)
        rows.append(
            {
                "account_id": one,
                "account_name": account.account_name,
                **shown_attributes(account),
                "status_contract": status(company, "contract", one),
                "status_purchase": status(company, "purchase", one),
                "lifetime_value": money(worth[one].lifetime),
                "value_tier": segments[one]["value_tier"],
                "risk_tier": segments[one]["risk_tier"],
                "rfm_segment": segments[one]["rfm_segment"],
                "loyalty_tier": segments[one]["loyalty_tier"],
                "last_order_at": orders[-1].at if orders else None,
                "last_touch_at": touches.get(one),
                "last_nps_score": answer.score if answer else None,
                "last_nps_at": answer.at if answer else None,
                "open_deals": len(open_deals),
                "open_amount": money(sum((deal.amount for deal in open_deals if deal.amount is not None), Fraction(0))),
                "mrr": money(monthly_revenue(company, one, company.now)),
                "is_inferred": account.is_inferred,
                "contract_ends_at": max(ends) if held and len(ends) == len(held) else None,
            }
        )
    return rows


def value_at_risk(company: Company, worth: dict[str, Worth], segmented: Rows) -> Rows:
    """One row per value tier and risk tier that occurs."""
    revenue = cash_revenue(company, company.now)
    groups: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for row in segmented:
        groups[row["value_tier"], row["risk_tier"]].append(row["account_id"])
    residuals = {tiers: [worth[one].residual for one in group] for tiers, group in groups.items()}
    known = {tiers: [each for each in group if each is not None] for tiers, group in residuals.items()}
    return [
        {
            "value_tier": tiers[0],
            "risk_tier": tiers[1] or "(unknown)",
            "customers": len(group),
            "trailing_12_month_revenue": money(sum((revenue.get(one, Fraction(0)) for one in group), Fraction(0))),
            "mrr": money(sum((monthly_revenue(company, one, company.now) for one in group), Fraction(0))),
            "residual_value": sum(known[tiers]) if known[tiers] else None,
        }
        for tiers, group in groups.items()
    ]
