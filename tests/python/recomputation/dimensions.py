"""Breakdowns: which customers count under which dimension value, and the members of a basis."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction

from recomputation.company import UNKNOWN, Company, Contract, Customer
from recomputation.periods import midnight

BASES = ("contract", "purchase")
Value = tuple[str, str]
ALL: Value = ("all", "all")


def members(company: Company, basis: str) -> dict[str, datetime]:
    """Return the first-ever start of every customer of a basis."""
    if basis == "purchase":
        return {customer: orders[0].at for customer, orders in company.qualifying_orders.items()}
    return {customer: own[0].started_at for customer, own in company.contracts_of.items() if own}


def is_active(company: Company, basis: str, customer: str, boundary: datetime) -> bool:
    """True when the customer is active just before the boundary."""
    if basis == "contract":
        return any(contract.in_force(boundary) for contract in company.contracts_of[customer])
    since = boundary - timedelta(days=company.inactivity_days)
    return any(since <= order.at < boundary for order in company.qualifying_orders[customer])


def monthly_revenue(company: Company, customer: str, boundary: datetime) -> Fraction:
    """Return the MRR of the contracts in force just before the boundary."""
    own = company.contracts_of.get(customer, [])
    return sum((contract.mrr for contract in own if contract.in_force(boundary)), Fraction(0))


def first_plan(own: list[Contract]) -> str:
    """Return the plan of the first start; `own` is sorted by start, then subscription_id."""
    return own[0].plan if own else UNKNOWN


def plan_at(own: list[Contract], boundary: datetime) -> str:
    """Return the plan of the latest started contract in force at the boundary, else of the first start."""
    in_force = [contract for contract in own if contract.in_force(boundary)]
    if not in_force:
        return first_plan(own)
    latest = max(contract.started_at for contract in in_force)
    return min((c.subscription_id, c.plan) for c in in_force if c.started_at == latest)[1]


def customer_values(company: Company, customer: str) -> Iterator[Value]:
    """Yield every (dimension, value) of a customer's attributes, `all` first."""
    yield ALL
    for dimension in company.dimensions:
        yield dimension, company.dimension_of(customer, dimension)


def values_at(company: Company, basis: str, customer: str, boundary: datetime) -> set[Value]:
    """Return the dimension values of a customer in a period that starts at the boundary."""
    found = set(customer_values(company, customer))
    if basis == "contract":
        found.add(("plan", plan_at(company.contracts_of[customer], boundary)))
    return found


def values_at_first_start(company: Company, basis: str, customer: str) -> set[Value]:
    """Return the dimension values of a customer in cohorts and survival."""
    found = set(customer_values(company, customer))
    if basis == "contract":
        found.add(("plan", first_plan(company.contracts_of[customer])))
    return found


def all_values(company: Company, basis: str, customers: dict[str, datetime]) -> list[Value]:
    """Return every dimension value of the customers of a mart; plans are those of all their contracts."""
    found = {value for customer in customers for value in customer_values(company, customer)}
    if basis == "contract":
        found |= {("plan", c.plan) for customer in customers for c in company.contracts_of[customer]}
    return sorted(found)


def shown_attributes(customer: Customer) -> dict[str, str]:
    """Return the attributes that the marts of customers carry for a quick group-by."""
    return {name: customer.attributes[name] for name in ("segment", "country")}


def as_of_midnight(company: Company) -> datetime:
    """Return the midnight that begins as_of's day."""
    return midnight(company.now.date())
