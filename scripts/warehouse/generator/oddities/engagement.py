"""Oddities of touches, e-mail preferences, tickets and spend."""

from warehouse.generator.engagement import ACTIVITY_TYPES
from warehouse.generator.oddities.rows import account, as_of, days_after, leap_day, month_start, order
from warehouse.generator.sample import Sample


def _prefer(sample: Sample, account_id: str, action: str, day: str, contact_id: str | None = None) -> None:
    sample.add(
        "email_preferences",
        2,
        account_id=account_id,
        contact_id=contact_id,
        action=action,
        occurred_at=f"{day} 12:00:00",
    )


def _reader(sample: Sample, name: str, contacts: int) -> str:
    """Add an account with contacts `C-<name>-1` and so on; return its id."""
    reader = account(sample, f"A-mail-{name}")
    for number in range(1, contacts + 1):
        sample.add(
            "contacts",
            1,
            contact_id=f"C-{name}-{number}",
            account_id=reader,
            full_name="Kim Groß",
            role="Owner",
            created_at=f"{sample.day(30)} 08:00:00",
        )
    return reader


def preferences(sample: Sample) -> None:
    """Add preferences that decide who may be written to.

    Whole accounts and single contacts, back again, at one instant, never asked.
    """
    early, middle, late = sample.day(12), sample.day(8), sample.day(4)
    _prefer(sample, _reader(sample, "account-left", 2), "unsubscribe", middle)
    one_left = _reader(sample, "one-left", 2)
    _prefer(sample, one_left, "unsubscribe", middle, "C-one-left-1")
    both_left = _reader(sample, "both-left", 2)
    _prefer(sample, both_left, "unsubscribe", early, "C-both-left-1")
    _prefer(sample, both_left, "unsubscribe", middle, "C-both-left-2")
    back = _reader(sample, "back", 2)
    _prefer(sample, back, "unsubscribe", early)
    _prefer(sample, back, "subscribe", middle, "C-back-1")
    left_again = _reader(sample, "left-again", 1)
    _prefer(sample, left_again, "unsubscribe", early)
    _prefer(sample, left_again, "subscribe", middle)
    _prefer(sample, left_again, "unsubscribe", late)
    instant = _reader(sample, "same-instant", 1)
    _prefer(sample, instant, "subscribe", middle)
    _prefer(sample, instant, "unsubscribe", middle)
    crossed = _reader(sample, "same-instant-contact", 1)
    _prefer(sample, crossed, "unsubscribe", middle)
    _prefer(sample, crossed, "subscribe", middle, "C-same-instant-contact-1")
    _prefer(sample, _reader(sample, "no-contacts", 0), "unsubscribe", middle)
    _prefer(sample, _reader(sample, "unknown-contact", 1), "unsubscribe", middle, "C-never-delivered")
    _prefer(sample, _reader(sample, "foreign-contact", 1), "unsubscribe", middle, "C-one-left-1")
    _reader(sample, "never-asked", 1)
    buyer = _reader(sample, "left-but-buys", 1)
    _prefer(sample, buyer, "unsubscribe", middle)
    order(sample, "O-left-but-buys", buyer, f"{late} 10:00:00", "44.00")


def activities(sample: Sample) -> None:
    """Add every type of touch without any optional cell; touches of unknown contacts.

    They reach the leap day and the last second before as_of.
    """
    touched = account(sample, "A-touched")
    for number, kind in enumerate(ACTIVITY_TYPES, start=1):
        sample.add(
            "activities",
            1,
            activity_id=f"T-type-{number}",
            account_id=touched,
            activity_type=kind,
            occurred_at=f"{sample.day(9, number)} 09:00:00",
        )
    sample.add(
        "activities",
        1,
        activity_id="T-unknown-contact",
        account_id=touched,
        activity_type="email_click",
        occurred_at=leap_day(sample),
        contact_id="C-never-delivered",
        owner_id="R9999",
        campaign_id="CMP-99",
    )
    sample.add(
        "activities",
        2,
        activity_id="T-last",
        account_id=touched,
        activity_type="web_visit",
        occurred_at=f"{days_after(as_of(sample), -1)} 23:59:59",
    )


def tickets(sample: Sample) -> None:
    """Add tickets that are open, closed at once, closed before they opened, without priority and category."""
    asking = account(sample, "A-tickets")
    opened = f"{sample.day(6)} 09:00:00"
    sample.add(
        "support_tickets",
        1,
        ticket_id="K-open",
        account_id=asking,
        opened_at=opened,
        priority="urgent",
        category="billing question",
    )
    sample.add(
        "support_tickets",
        1,
        ticket_id="K-at-once",
        account_id=asking,
        opened_at=opened,
        closed_at=opened,
        priority="low",
        category="how to",
    )
    sample.add(
        "support_tickets",
        1,
        ticket_id="K-backwards",
        account_id=asking,
        opened_at=opened,
        closed_at=f"{sample.day(7)} 09:00:00",
        priority="normal",
        category="how to",
    )
    sample.add("support_tickets", 1, ticket_id="K-bare", account_id=asking, opened_at=opened)


def spend(sample: Sample) -> None:
    """Add spend of both cost types, without type, campaign or currency, in a currency without a rate.

    Some of it is planned for the future, some was given back.
    """
    month = month_start(sample, 5)
    cells: dict[str, dict[str, str | None]] = {
        "tv": {"cost_type": None, "currency": "USD"},
        "radio": {"cost_type": "acquisition", "currency": None},
        "print": {"cost_type": "retention", "currency": "MYR"},
        "kiosk": {"cost_type": "acquisition", "currency": "BRL"},
        "swag": {"cost_type": "other", "currency": "USD"},
    }
    for channel, values in cells.items():
        sample.add("marketing_spend", 1, channel=channel, period_start=month, amount="500.00", **values)
    sample.add(
        "marketing_spend",
        1,
        channel="tv",
        campaign_id="CMP-06",
        period_start=month,
        amount="-50.00",
        currency="USD",
        cost_type="retention",
    )
    sample.add(
        "marketing_spend",
        1,
        channel="tv",
        period_start=as_of(sample)[:8] + "01",
        amount="700.00",
        currency="USD",
        cost_type="acquisition",
    )


ODDITIES = (preferences, activities, tickets, spend)
