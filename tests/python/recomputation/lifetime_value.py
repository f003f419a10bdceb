"""customer_lifetime_value (metric page §9)."""

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from recomputation.company import Company, Contract
from recomputation.dimensions import shown_attributes
from recomputation.expectations import Expectation, ValueModels
from recomputation.numbers import mean, money, optional

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Worth:
    """What a customer has brought, and what is expected on top."""

    historical: Fraction
    expected: Expectation

    @property
    def residual(self) -> Decimal | None:
        """The residual value to the last digit of the mart; NULL when it is unknown."""
        residual = self.expected.residual
        return None if residual is None else Decimal(residual).quantize(Decimal("1e-10"))

    @property
    def lifetime(self) -> Fraction:
        """The lifetime value."""
        return self.historical + Fraction(self.residual or 0)


def contract_value(contract: Contract, today: date) -> Fraction:
    """Return Σ over the contract's days before as_of of mrr × margin ÷ days of that calendar month."""
    last = today if contract.ended_at is None else min(contract.ended_at.date(), today)
    day, days = contract.started_at.date(), Fraction(0)
    while day < last:
        days += Fraction(1, monthrange(day.year, day.month)[1])
        day += timedelta(days=1)
    return contract.mrr * contract.margin * days


def historical_values(company: Company) -> dict[str, Fraction]:
    """Return what each customer has earned the company so far."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for order in company.orders:
        found[order.customer] += order.net * order.margin
    for refund in company.loose_refunds:
        found[refund.customer] += refund.amount * refund.margin
    for contract in company.contracts:
        found[contract.customer] += contract_value(contract, company.now.date())
    return found


def repeat_mean(company: Company, customer: str) -> Fraction | None:
    """Return the mean of the day totals after the first order day."""
    totals: dict[date, Fraction] = defaultdict(Fraction)
    for order in company.qualifying_orders[customer]:
        totals[order.at.date()] += order.net
    return mean([totals[day] for day in company.order_days[customer][1:]])


def worths(company: Company, models: ValueModels) -> dict[str, Worth]:
    """Return the worth of every customer."""
    values = historical_values(company)
    return {one: Worth(values.get(one, Fraction(0)), models.expectation(one)) for one in company.customers}


def customer_lifetime_value(company: Company, worth: dict[str, Worth]) -> Rows:
    """One row per customer."""
    today = company.now.date()
    rows = []
    for account_id, account in company.customers.items():
        orders = company.qualifying_orders.get(account_id, [])
        days = company.order_days.get(account_id, [])
        own = worth[account_id]
        rows.append(
            {
                "account_id": account_id,
                **shown_attributes(account),
                "first_order_at": orders[0].at if orders else None,
                "last_order_at": orders[-1].at if orders else None,
                "orders": len(orders) if orders else None,
                "frequency": len(days) - 1 if orders else None,
                "recency_weeks": (days[-1] - days[0]).days / 7 if orders else None,
                "age_weeks": (today - days[0]).days / 7 if orders else None,
                "mean_order_value": optional(repeat_mean(company, account_id)) if orders else None,
                "historical_value": money(own.historical),
                "model": own.expected.model,
                "p_alive": own.expected.p_alive,
                "expected_purchases": own.expected.purchases,
                "expected_order_value": own.expected.order_value,
                "residual_value": own.residual,
                "lifetime_value": money(own.lifetime),
                "horizon_months": company.variables["clv_horizon_months"],
                "annual_discount_rate": company.variables["clv_annual_discount_rate"],
                "not_modelled_reason": own.expected.reason,
            }
        )
    return rows
