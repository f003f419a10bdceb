"""customer_losses (metric page §5)."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import is_active, shown_attributes
from recomputation.periods import midnight
from recomputation.raw import Row

Rows = list[dict[str, Any]]


def status(company: Company, basis: str, customer: str) -> str | None:
    """Return active or churned; NULL when the customer never started."""
    started = company.contracts_of.get(customer) if basis == "contract" else company.qualifying_orders.get(customer)
    if not started:
        return None
    return "active" if is_active(company, basis, customer, company.now) else "churned"


def contacts_of(company: Company, preferences: list[Row]) -> dict[str, set[str]]:
    """Return the contacts of each customer: those delivered, and those that only preferences name."""
    found: dict[str, set[str]] = defaultdict(set)
    delivered = {row["contact_id"]: row["account_id"] for row in company.current("contacts")}
    for contact, account_id in delivered.items():
        if account_id is not None:
            found[str(company.customer_of(account_id))].add(contact)
    for row in preferences:
        if row["contact_id"] is not None and delivered.get(row["contact_id"]) is None:
            found[str(company.customer_of(row["account_id"]))].add(row["contact_id"])
    return found


def lost_since(rows: list[Row]) -> datetime | None:
    """Return when a contact was first lost for good; NULL when it may still be written to."""
    by_instant: dict[datetime, set[str]] = defaultdict(set)
    for row in rows:
        by_instant[row["occurred_at"]].add(row["action"])
    since = None
    for at in sorted(by_instant):
        if "unsubscribe" not in by_instant[at]:
            since = None
        elif since is None:
            since = at
    return since


def unsubscribed_at(of_account: list[Row], of_contacts: list[list[Row]]) -> datetime | None:
    """Return when the last contact was lost; NULL when one is left. Without contacts the account is one."""
    lost = [lost_since(of_account + of_contact) for of_contact in (of_contacts or [[]])]
    instants = [at for at in lost if at is not None]
    return max(instants) if len(instants) == len(lost) else None


def customer_losses(company: Company) -> Rows:
    """One row per customer."""
    preferences = company.facts("email_preferences", "occurred_at")
    of_account: dict[str, list[Row]] = defaultdict(list)
    # What a delivered contact chose goes with it to another account; one that nobody delivered is the account's own.
    of_contact: dict[tuple[str, str], list[Row]] = defaultdict(list)
    delivered = {row["contact_id"] for row in company.current("contacts") if row["account_id"] is not None}
    for row in preferences:
        customer, contact = str(company.customer_of(row["account_id"])), row["contact_id"]
        if contact is None:
            of_account[customer].append(row)
        else:
            of_contact["" if contact in delivered else customer, contact].append(row)
    contacts = contacts_of(company, preferences)
    rows = []
    for account_id, account in company.customers.items():
        contract, purchase = status(company, "contract", account_id), status(company, "purchase", account_id)
        choices = [
            of_contact["" if contact in delivered else account_id, contact] for contact in contacts.get(account_id, ())
        ]
        unsubscribed = unsubscribed_at(of_account[account_id], choices)
        loss = "stopped_buying" if purchase == "churned" else None
        rows.append(
            {
                "account_id": account_id,
                **shown_attributes(account),
                "status_contract": contract,
                "status_purchase": purchase,
                "stopped_buying_at": midnight(company.purchase_churns(account_id)[-1])
                if purchase == "churned"
                else None,
                "unsubscribed_at": unsubscribed,
                "contract_closed_at": company.contract_churns(account_id)[-1] if contract == "churned" else None,
                "primary_loss_type": "contract_closed" if contract == "churned" else loss,
                "is_reachable": unsubscribed is None,
            }
        )
    return rows
