"""churn_survival (metric page §7)."""

from collections import defaultdict
from fractions import Fraction
from math import sqrt
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import BASES, members, values_at_first_start
from recomputation.numbers import kaplan_meier, log_log_interval

Rows = list[dict[str, Any]]


def lifetimes(company: Company, basis: str) -> dict[str, tuple[int, bool]]:
    """Return whole days from the first-ever start to the first churn, or to as_of (no event)."""
    found = {}
    for customer, first in members(company, basis).items():
        if basis == "purchase":
            churns = company.purchase_churns(customer)
        else:
            churns = [end.date() for end in company.contract_churns(customer)]
        last = churns[0] if churns else company.now.date()
        found[customer] = ((last - first.date()).days, bool(churns))
    return found


def survival_table(durations: list[tuple[int, bool]]) -> Rows:
    """Return the rows of one curve: day 0 and every day with an event or a censoring."""
    rows = []
    table = kaplan_meier([(Fraction(day), is_event) for day, is_event in durations])
    if table and table[0][0] != 0:
        table.insert(0, (Fraction(0), len(durations), 0, 0, Fraction(1), Fraction(0)))
    for day, at_risk, events, censored, survival, greenwood in table:
        low, high = log_log_interval(survival, greenwood)
        rows.append(
            {
                "day": int(day),
                "at_risk": at_risk,
                "churned": events,
                "censored": censored,
                "survival": float(survival),
                "std_error": None if survival == 0 else float(survival) * sqrt(greenwood),
                "ci_low": low,
                "ci_high": high,
            }
        )
    return rows


def churn_survival(company: Company) -> Rows:
    """One row per basis, dimension value and day of its curve."""
    rows = []
    for basis in BASES:
        by_value: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
        for customer, duration in lifetimes(company, basis).items():
            for value in values_at_first_start(company, basis, customer):
                by_value[value].append(duration)
        for value, durations in by_value.items():
            for row in survival_table(durations):
                rows.append({"basis": basis, "dimension": value[0], "dimension_value": value[1], **row})
    return rows
