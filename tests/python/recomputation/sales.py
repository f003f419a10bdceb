"""sales_performance (metric page §12)."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from recomputation.company import Company, Deal
from recomputation.funnel import days_between
from recomputation.numbers import mean, median, money, optional, ratio
from recomputation.periods import PERIOD_TYPES, Period, add_months, midnight, periods
from recomputation.raw import folded

Rows = list[dict[str, Any]]
SALES_DIMENSIONS = ("rep", "owner_team", "owner_region", "lead_source", "deal_type")
TARGET_DIMENSIONS = ("rep", "owner_team", "owner_region")


@dataclass
class Target:
    """A monthly target of a rep in the reporting currency."""

    rep_id: str
    month: datetime
    amount: Fraction


def reason_map(company: Company) -> dict[str, str]:
    """Return folded raw wording -> churn reason."""
    return {str(folded(row["raw_wording"])): row["reason"] for row in company.current("churn_reasons")}


def verdict(deal: Deal, reasons: dict[str, str]) -> str:
    """Return won, lost, no_decision or open."""
    if deal.outcome == "lost" and reasons.get(str(folded(deal.lost_reason))) == "no_decision":
        return "no_decision"
    return deal.outcome


def read_targets(company: Company) -> list[Target]:
    """Return the targets whose month has begun."""
    found = []
    for row in company.current("sales_targets"):
        rate = company.rates.rate(row["currency"], row["period_start"])
        assert rate is not None
        if midnight(row["period_start"]) < company.now:
            found.append(Target(row["rep_id"], midnight(row["period_start"]), Fraction(row["target_amount"]) * rate))
    return found


def sales_performance(company: Company) -> Rows:
    """One row per period and dimension value, all pipelines together."""
    rows: Rows = []
    if not company.deals:
        return rows
    reasons = reason_map(company)
    targets = read_targets(company)
    values = {("all", "all")}
    values |= {(name, deal.dimensions[name]) for deal in company.deals for name in SALES_DIMENSIONS}
    values |= {(name, company.rep_dimension(one.rep_id, name)) for one in targets for name in TARGET_DIMENSIONS}
    first = min(deal.first_seen_at for deal in company.deals if deal.first_seen_at is not None)
    for name, value in sorted(values):
        deals = [deal for deal in company.deals if name == "all" or deal.dimensions[name] == value]
        own = [
            one
            for one in targets
            if name == "all" or (name in TARGET_DIMENSIONS and company.rep_dimension(one.rep_id, name) == value)
        ]
        for kind in PERIOD_TYPES:
            for period in periods(first, company.now, kind):
                due = [one.amount for one in own if period.holds(one.month)]
                target = sum(due, Fraction(0)) if due else None
                row = period_row(company, period, deals, target, reasons)
                row.update(period_type=kind, period_start=period.start.date(), dimension=name, dimension_value=value)
                row.update(period_end=period.end.date(), period_state=period.state)
                rows.append(row)
    return rows


def amounts(deals: list[Deal]) -> list[Fraction]:
    """Return the amounts that are known."""
    return [deal.amount for deal in deals if deal.amount is not None]


def cycles(deals: list[Deal]) -> list[Fraction]:
    """Return the days from creation to close where the creation is known."""
    return [
        days_between(deal.created_at, deal.closed_at)
        for deal in deals
        if deal.created_at is not None and deal.closed_at is not None
    ]


def closed_in(deals: list[Deal], since: datetime, until: datetime, reasons: dict[str, str]) -> dict[str, list[Deal]]:
    """Return the deals closed in a window by verdict."""
    found: dict[str, list[Deal]] = {"won": [], "lost": [], "no_decision": []}
    for deal in deals:
        if deal.outcome != "open" and deal.closed_at is not None and since <= deal.closed_at < until:
            found[verdict(deal, reasons)].append(deal)
    return found


def velocity(
    open_deals: int, deals: list[Deal], cut: datetime, reasons: dict[str, str], minimum: int
) -> Fraction | None:
    """Return what the pipeline earns a day, NULL below the minimum of won deals."""
    closed = closed_in(deals, add_months(cut, -12), cut, reasons)
    won, lost = closed["won"], closed["lost"]
    amount, cycle = mean(amounts(won)), mean(cycles(won))
    if len(won) < minimum or not won or amount is None or not cycle:
        return None
    return open_deals * Fraction(len(won), len(won) + len(lost)) * amount / cycle


def period_row(
    company: Company, period: Period, deals: list[Deal], target: Fraction | None, reasons: dict[str, str]
) -> dict[str, Any]:
    """Return the measures of one period for the deals of one dimension value."""
    closed = closed_in(deals, period.start, period.cut, reasons)
    won, lost, undecided = closed["won"], closed["lost"], closed["no_decision"]
    won_amount = sum(amounts(won), Fraction(0))
    lost_amount = sum(amounts(lost), Fraction(0))
    open_deals = sum(1 for deal in deals if deal.open_at(period.cut))
    mean_amount = mean(amounts(won))
    return {
        "won": len(won),
        "lost": len(lost),
        "no_decision": len(undecided),
        "open": open_deals,
        "won_amount": money(won_amount),
        "lost_amount": money(lost_amount),
        "win_rate": ratio(len(won), len(won) + len(lost)),
        "strict_win_rate": ratio(len(won), len(won) + len(lost) + len(undecided)),
        "value_win_rate": ratio(won_amount, won_amount + lost_amount),
        "mean_deal_amount": optional(mean_amount),
        "median_deal_amount": optional(median(amounts(won))),
        "mean_cycle_days": optional(mean(cycles(won))),
        "median_cycle_days": optional(median(cycles(won))),
        "pipeline_velocity_per_day": optional(
            velocity(open_deals, deals, period.cut, reasons, company.variables["velocity_minimum_won"])
        ),
        "target_amount": None if target is None else money(target),
        "target_attainment": None if target is None else ratio(won_amount, target),
    }
