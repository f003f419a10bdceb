"""Which columns of the contract say whose a row is, what its own identifier is, and whom it mentions."""

from collections.abc import Mapping
from dataclasses import dataclass

# The account of a row: whose it is. Accounts name themselves.
OWNERS = ("account_id", "converted_account_id")


@dataclass(frozen=True)
class Key:
    """The identifier of a row: the kind under which it is remembered, and the columns that make it."""

    kind: str
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The key as one text."""
        return " || '|' || ".join(self.columns)


# A key of a customer takes all its rows along, also those that were another customer's before.
KEYS: Mapping[str, Key] = {
    "contacts": Key("contact", ("contact_id",)),
    "leads": Key("lead", ("lead_id",)),
    "deals": Key("deal", ("deal_id",)),
    "deal_stage_history": Key("deal", ("deal_id",)),
    "orders": Key("order", ("order_id",)),
    "subscription_periods": Key("subscription_period", ("subscription_id", "started_at")),
    "activities": Key("activity", ("activity_id",)),
    "support_tickets": Key("ticket", ("ticket_id",)),
    "survey_invitations": Key("invitation", ("invitation_id",)),
    "survey_responses": Key("response", ("response_id",)),
}
# Whom a row mentions. One without an account belongs to whom it mentions; of one that has an account the cell goes.
MENTIONS: Mapping[str, str] = {
    "referred_by_account_id": "account",
    "merged_into_account_id": "account",
    "refund_of_order_id": "order",
    "converted_deal_id": "deal",
    "contact_id": "contact",
    "respondent_id": "respondent",
}
# Where people write what they like, in the landing zone and in marts: the only texts that are searched for names.
FREE_TEXTS = ("comment", "deal_name", "role")


def owner_of(columns: tuple[str, ...]) -> str | None:
    """Return which of the columns of an entity names the account of a row; None where none does."""
    return next((name for name in OWNERS if name in columns), None)
