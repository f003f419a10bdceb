"""churn_reasons (metric page §8)."""

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import BASES, members
from recomputation.numbers import ratio
from recomputation.periods import PERIOD_TYPES, Period, periods
from recomputation.raw import Row, folded
from recomputation.retention import movements
from recomputation.sales import reason_map

Rows = list[dict[str, Any]]
REACH_DAYS = 90


class Evidence:
    """What the sources say about why a customer left."""

    def __init__(self, company: Company) -> None:
        """Collect the sources by customer, each in time order."""
        self.company = company
        self.reasons = reason_map(company)
        exit_surveys = {row["survey_id"] for row in company.current("surveys") if row["survey_type"] == "exit"}
        self.exits: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(
            company.facts("survey_responses", "responded_at"),
            key=lambda row: (row["responded_at"], row["response_id"]),
        ):
            if row["survey"] in exit_surveys and row["reason"] is not None and row["account_id"] is not None:
                self.exits[str(company.customer_of(row["account_id"]))].append(row)
        self.tickets: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(
            company.facts("support_tickets", "opened_at"),
            key=lambda row: (row["opened_at"], row["ticket_id"]),
        ):
            if row["category"] is not None:
                self.tickets[str(company.customer_of(row["account_id"]))].append(row)

    def mapped(self, wording: str) -> str:
        """Return the reason a wording stands for."""
        return self.reasons.get(str(folded(wording)), "other")

    def reason(self, customer: str, churned_at: date | datetime) -> str:
        """Return the reason from the best source that has a value within reach of the churn date."""
        day = churned_at.date() if isinstance(churned_at, datetime) else churned_at

        def near(instant: datetime) -> bool:
            return abs((instant.date() - day).days) <= REACH_DAYS

        exits = [row["reason"] for row in self.exits.get(customer, []) if near(row["responded_at"])]
        if exits:
            return self.mapped(exits[-1])
        cancelled = self._cancel_reason(customer, churned_at, near)
        if cancelled is not None:
            return self.mapped(cancelled)
        tickets = [row["category"] for row in self.tickets.get(customer, []) if near(row["opened_at"])]
        if tickets:
            return self.mapped(tickets[-1])
        lost = [
            deal
            for deal in self.company.deals
            if deal.customer == customer
            and deal.outcome == "lost"
            and folded(deal.deal_type) == "renewal"
            and deal.closed_at is not None
            and near(deal.closed_at)
            and (deal.lost_reason or deal.competitor)
        ]
        if lost:
            latest = max(lost, key=lambda deal: (deal.closed_at, deal.deal_id))
            return self.mapped(latest.lost_reason) if latest.lost_reason else "competitor"
        return "unknown"

    def _cancel_reason(self, customer: str, churned_at: date | datetime, near: Any) -> str | None:
        ended = [
            contract
            for contract in self.company.contracts_of.get(customer, [])
            if contract.cancel_reason is not None
            and contract.ended_at is not None
            and contract.ended_at < self.company.now
            and near(contract.ended_at)
        ]
        day = churned_at.date() if isinstance(churned_at, datetime) else churned_at
        then = [contract for contract in ended if contract.ended_at is not None and contract.ended_at.date() == day]
        if not (then or ended):
            return None
        latest = max(contract.ended_at for contract in then or ended if contract.ended_at is not None)
        return min(
            (contract.subscription_id, contract.started_at, str(contract.cancel_reason))
            for contract in then or ended
            if contract.ended_at == latest
        )[2]


def last_churn(company: Company, basis: str, customer: str, period: Period) -> date | datetime:
    """Return the last churn of a customer inside a period."""
    if basis == "contract":
        return [at for at in company.contract_churns(customer) if period.start <= at < period.cut][-1]
    return [day for day in company.purchase_churns(customer) if period.start.date() <= day < period.cut.date()][-1]


def churn_reasons(company: Company) -> Rows:
    """One row per basis, period and reason that occurs, and always one for `unknown`."""
    evidence = Evidence(company)
    rows = []
    for basis in BASES:
        starts = members(company, basis)
        if not starts:
            continue
        for kind in PERIOD_TYPES:
            for period in periods(min(starts.values()), company.now, kind):
                moved = movements(company, basis, starts, period)
                churned = [customer for customer, what in moved.items() if what == "churned"]
                count = Counter(
                    evidence.reason(customer, last_churn(company, basis, customer, period)) for customer in churned
                )
                count["unknown"] += 0
                known = len(churned) - count["unknown"]
                for reason, customers in count.items():
                    rows.append(
                        {
                            "basis": basis,
                            "period_type": kind,
                            "period_start": period.start.date(),
                            "period_end": period.end.date(),
                            "period_state": period.state,
                            "reason": reason,
                            "churned_customers": customers,
                            "all_churned_customers": len(churned),
                            "share": ratio(customers, len(churned)),
                            "coverage": ratio(known, len(churned)),
                        }
                    )
    return rows
