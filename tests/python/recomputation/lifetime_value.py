"""The history part of customer_lifetime_value (metric page §9), for companies too small for a value model."""

from calendar import monthrange
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from recomputation.company import Company, Contract
from recomputation.numbers import mean, money, optional

Rows = list[dict[str, Any]]


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


def customer_lifetime_value(company: Company) -> Rows:
    """One row per customer."""
    values = historical_values(company)
    today = company.now.date()
    rows = []
    for account_id in company.customers:
        orders = company.qualifying_orders.get(account_id, [])
        days = company.order_days.get(account_id, [])
        historical = values.get(account_id, Fraction(0))
        contracts = company.contracts_of.get(account_id, [])
        # A closed contract is worth nothing more, whether or not a model could be fitted.
        is_closed = bool(contracts) and all(
            contract.ended_at is not None and contract.ended_at < company.now for contract in contracts
        )
        rows.append(
            {
                "account_id": account_id,
                "first_order_at": orders[0].at if orders else None,
                "last_order_at": orders[-1].at if orders else None,
                "orders": len(orders) if orders else None,
                "frequency": len(days) - 1 if orders else None,
                "recency_weeks": (days[-1] - days[0]).days / 7 if orders else None,
                "age_weeks": (today - days[0]).days / 7 if orders else None,
                "mean_order_value": optional(repeat_mean(company, account_id)) if orders else None,
                "historical_value": money(historical),
                "p_alive": None,
                "expected_purchases": None,
                "expected_order_value": None,
                "residual_value": Decimal(0) if is_closed and not orders else None,
                "lifetime_value": money(historical),
            }
        )
    return rows
