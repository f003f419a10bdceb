"""churn_cohorts (metric page §6)."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import BASES, is_active, members, monthly_revenue, values_at_first_start
from recomputation.numbers import money, ratio
from recomputation.periods import Period, period_start, periods

Rows = list[dict[str, Any]]


def cells_of(company: Company, basis: str, customer: str, spine: list[Period]) -> list[tuple[bool, Fraction]]:
    """Return for every period whether a member is retained in it, and its revenue."""
    if basis == "contract":
        return [
            (is_active(company, basis, customer, period.cut), monthly_revenue(company, customer, period.cut))
            for period in spine
        ]
    bought: dict[datetime, list[Fraction]] = defaultdict(list)
    for order in company.qualifying_orders[customer]:
        bought[period_start(order.at, spine[0].kind)].append(order.net)
    return [(period.start in bought, sum(bought.get(period.start, []), Fraction(0))) for period in spine]


def churn_cohorts(company: Company, cohort_types: tuple[str, ...] = ("month", "quarter")) -> Rows:
    """One row per basis, cohort, period since its start and dimension value; future cells have none."""
    rows = []
    for basis in BASES:
        starts = members(company, basis)
        for kind in cohort_types:
            cohorts: dict[datetime, list[str]] = defaultdict(list)
            for customer, first in starts.items():
                cohorts[period_start(first, kind)].append(customer)
            for cohort_start, customers in cohorts.items():
                rows += _cohort_rows(company, basis, kind, cohort_start, customers)
    return rows


def _cohort_rows(company: Company, basis: str, kind: str, cohort_start: datetime, customers: list[str]) -> Rows:
    spine = periods(cohort_start, company.now, kind)
    cells = {customer: cells_of(company, basis, customer, spine) for customer in customers}
    by_value: dict[tuple[str, str], list[str]] = defaultdict(list)
    for customer in customers:
        for value in values_at_first_start(company, basis, customer):
            by_value[value].append(customer)
    rows = []
    for value, group in by_value.items():
        for k, period in enumerate(spine):
            retained = sum(1 for customer in group if cells[customer][k][0])
            rows.append(
                {
                    "basis": basis,
                    "cohort_type": kind,
                    "cohort_start": cohort_start.date(),
                    "periods_since_start": k,
                    "dimension": value[0],
                    "dimension_value": value[1],
                    "cohort_size": len(group),
                    "retained_customers": retained,
                    "retained_on_or_after": sum(1 for customer in group if any(was for was, _ in cells[customer][k:])),
                    "retained_streak": sum(
                        1 for customer in group if all(was for was, _ in cells[customer][1 : k + 1])
                    ),
                    "retention_rate": ratio(retained, len(group)),
                    "revenue": money(sum((cells[customer][k][1] for customer in group), Fraction(0))),
                    "cell_state": period.state,
                }
            )
    return rows
