"""revenue_retention (metric page §3)."""

from fractions import Fraction
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import all_values, members, monthly_revenue, values_at
from recomputation.numbers import money, ratio
from recomputation.periods import PERIOD_TYPES, Period, periods

Rows = list[dict[str, Any]]
MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churned")


def movement(company: Company, customer: str, period: Period, start: Fraction, end: Fraction) -> tuple[str, Fraction]:
    """Return what happened to a customer's MRR between two boundaries, and by how much (positive)."""
    paid = [contract.started_at for contract in company.contracts_of[customer] if contract.mrr > 0]
    if start <= 0 < end:
        return ("new" if period.holds(min(paid)) else "reactivation"), end - start
    if end <= 0 < start:
        return "churned", start - end
    if end > start:
        return "expansion", end - start
    return ("contraction" if end < start else "flat"), start - end


def revenue_retention(company: Company) -> Rows:
    """One row per period and dimension value, contracts only."""
    rows: Rows = []
    starts = members(company, "contract")
    if not starts:
        return rows
    values = all_values(company, "contract", starts)
    for kind in PERIOD_TYPES:
        for period in periods(min(starts.values()), company.now, kind):
            facts = []
            for customer in starts:
                start = monthly_revenue(company, customer, period.start)
                end = monthly_revenue(company, customer, period.cut)
                what, amount = movement(company, customer, period, start, end)
                facts.append((values_at(company, "contract", customer, period.start), start, end, what, amount))
            for value in values:
                rows.append(_row(kind, period, value, [fact for fact in facts if value in fact[0]]))
    return rows


def _row(kind: str, period: Period, value: tuple[str, str], facts: list[Any]) -> dict[str, Any]:
    moved = {name: sum((amount for _, _, _, what, amount in facts if what == name), Fraction(0)) for name in MOVEMENTS}
    at_start = sum((start for _, start, _, _, _ in facts), Fraction(0))
    at_end = sum((end for _, _, end, _, _ in facts), Fraction(0))
    paying = [(start, end) for _, start, end, _, _ in facts if start > 0]
    base = sum((start for start, _ in paying), Fraction(0))
    return {
        "period_type": kind,
        "period_start": period.start.date(),
        "dimension": value[0],
        "dimension_value": value[1],
        "period_end": period.end.date(),
        "period_state": period.state,
        "mrr_at_start": money(at_start),
        "new_mrr": money(moved["new"]),
        "reactivation_mrr": money(moved["reactivation"]),
        "expansion_mrr": money(moved["expansion"]),
        "contraction_mrr": money(moved["contraction"]),
        "churned_mrr": money(moved["churned"]),
        "mrr_at_end": money(at_end),
        "gross_revenue_retention": ratio(sum(min(start, end) for start, end in paying), base),
        "net_revenue_retention": ratio(sum(end for _, end in paying), base),
        "quick_ratio": ratio(
            moved["new"] + moved["reactivation"] + moved["expansion"], moved["contraction"] + moved["churned"]
        ),
    }
