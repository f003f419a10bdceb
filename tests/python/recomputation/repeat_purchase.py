"""repeat_purchase_rate (metric page §14)."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import customer_values
from recomputation.numbers import ratio

Rows = list[dict[str, Any]]
HORIZONS = (30, 90, 180, 365)


def repeat_purchase_rate(company: Company) -> Rows:
    """One row per horizon, cohort month and dimension value that has customers old enough."""
    rows = []
    for horizon in HORIZONS:
        groups: dict[tuple[date, str, str], list[bool]] = defaultdict(list)
        for customer, days in company.order_days.items():
            until = days[0] + timedelta(days=horizon)
            if until > company.now.date():
                continue
            came_back = len(days) > 1 and days[1] < until
            for dimension, value in customer_values(company, customer):
                groups[days[0].replace(day=1), dimension, value].append(came_back)
        for (cohort_start, dimension, value), came_back_list in groups.items():
            rows.append(
                {
                    "horizon_days": horizon,
                    "cohort_start": cohort_start,
                    "dimension": dimension,
                    "dimension_value": value,
                    "customers": len(came_back_list),
                    "repeaters": sum(came_back_list),
                    "repeat_purchase_rate": ratio(sum(came_back_list), len(came_back_list)),
                }
            )
    return rows
