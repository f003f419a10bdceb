"""retention_rate and churn_dialects (metric page §2)."""

from typing import Any

from recomputation.company import Company
from recomputation.dimensions import ALL, BASES, all_values, is_active, members, values_at
from recomputation.numbers import ratio
from recomputation.periods import PERIOD_TYPES, Period, periods

Rows = list[dict[str, Any]]

OF_THE_START = "The churn rate of retention_rate: customers of the start of the period who were gone at its end."
WITH_FLASHES = (
    "Counts customers who came and left within the period as churned, although they were not customers at its start."
)
OF_EVERYBODY = (
    "Counts customers who came and left within the period as churned, and divides by everybody who was a customer at"
    " any time in it."
)
DIFFERENCES = {
    "chartmogul": OF_THE_START,
    "profitwell": OF_THE_START,
    "baremetrics": WITH_FLASHES,
    "recurly": WITH_FLASHES,
    "stripe": OF_EVERYBODY,
}


def movements(company: Company, basis: str, starts: dict[str, Any], period: Period) -> dict[str, str]:
    """Return what each customer did in the period; customers who were never there have no entry."""
    found = {}
    for customer, first in starts.items():
        at_start = is_active(company, basis, customer, period.start)
        at_end = is_active(company, basis, customer, period.cut)
        is_first = period.holds(first)
        if at_start:
            found[customer] = "retained" if at_end else "churned"
        elif is_first:
            found[customer] = "new" if at_end else "flash"
        elif at_end:
            found[customer] = "reactivated"
    return found


def retention_rate(company: Company) -> Rows:
    """One row per basis, period and dimension value."""
    rows = []
    for basis in BASES:
        starts = members(company, basis)
        if not starts:
            continue
        values = all_values(company, basis, starts)
        for kind in PERIOD_TYPES:
            for period in periods(min(starts.values()), company.now, kind):
                moved = movements(company, basis, starts, period)
                under = {customer: values_at(company, basis, customer, period.start) for customer in moved}
                for value in values:
                    count = {
                        name: sum(1 for customer, what in moved.items() if what == name and value in under[customer])
                        for name in ("retained", "churned", "new", "flash", "reactivated")
                    }
                    at_start = count["retained"] + count["churned"]
                    at_end = count["retained"] + count["new"] + count["reactivated"]
                    rows.append(
                        {
                            "basis": basis,
                            "period_type": kind,
                            "period_start": period.start.date(),
                            "dimension": value[0],
                            "dimension_value": value[1],
                            "period_end": period.end.date(),
                            "period_state": period.state,
                            "customers_at_start": at_start,
                            "customers_at_end": at_end,
                            "new_customers": count["new"],
                            "retained_customers": count["retained"],
                            "reactivated_customers": count["reactivated"],
                            "churned_customers": count["churned"],
                            "flash_customers": count["flash"],
                            "retention_rate": ratio(count["retained"], at_start),
                            "textbook_retention_rate": ratio(at_end - count["new"], at_start),
                            "churn_rate": ratio(count["churned"], at_start),
                        }
                    )
    return rows


def churn_dialects(retention: Rows) -> Rows:
    """One row per basis, period and dialect, from the `all` rows of retention_rate."""
    rows = []
    for row in retention:
        if (row["dimension"], row["dimension_value"]) != ALL:
            continue
        churned, flash, start = row["churned_customers"], row["flash_customers"], row["customers_at_start"]
        fractions = {
            "chartmogul": (churned, start),
            "profitwell": (churned, start),
            "baremetrics": (churned + flash, start),
            "recurly": (churned + flash, start),
            "stripe": (churned + flash, start + row["new_customers"] + flash),
        }
        for dialect, (numerator, denominator) in fractions.items():
            rows.append(
                {
                    "basis": row["basis"],
                    "period_type": row["period_type"],
                    "period_start": row["period_start"],
                    "dialect": dialect,
                    "numerator": numerator,
                    "denominator": denominator,
                    "churn_rate": ratio(numerator, denominator),
                    "difference_explained": DIFFERENCES[dialect],
                }
            )
    return rows
