"""Ordinary rows with a readable id, on which the oddities build. Days are ISO text."""

from datetime import date, timedelta

from warehouse.generator.company import add_months
from warehouse.generator.sample import Sample

Cells = str | None


def month_start(sample: Sample, months_before_end: int) -> str:
    """Return the first day of the calendar month so many months before the last month of the history."""
    return sample.day(months_before_end, 1)


def as_of(sample: Sample) -> str:
    """Return as_of: the first day without events."""
    return sample.company.as_of.isoformat()


def days_after(day: str, days: int) -> str:
    """Return the day a number of days later (earlier when negative)."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def leap_day(sample: Sample) -> str:
    """Return the last 29 February before as_of."""
    year = sample.company.as_of.year
    while year % 4 or f"{year}-02-29" >= as_of(sample):
        year -= 1
    return f"{year}-02-29"


def summer_time_gap(sample: Sample) -> str:
    """Return a local time that does not exist in Europe.

    02:30 on the last Sunday of March of the year before as_of.
    """
    last_day = date(sample.company.as_of.year - 1, 3, 31)
    return f"{last_day - timedelta(days=(last_day.weekday() + 1) % 7)} 02:30:00"


def account(sample: Sample, account_id: str, **cells: Cells) -> str:
    """Add an ordinary account in the first delivery and return its id."""
    values: dict[str, Cells] = {
        "account_name": f"Harbour {account_id.removeprefix('A-').replace('-', ' ').title()}",
        "segment": "SMB",
        "industry": "Retail",
        "country": "United States",
        "region": "Americas",
        "created_at": f"{sample.day(34, 3)} 09:00:00",
        "acquisition_channel": "organic",
        "owner_id": "R0001",
        "is_test": "false",
    }
    sample.add("accounts", 1, account_id=account_id, **{**values, **cells})
    return account_id


def _delivery(sample: Sample, instant: str | None) -> int:
    return 2 if (instant or "") >= sample.delivery_days[1].isoformat() else 1


def order(
    sample: Sample,
    order_id: str,
    account_id: str | None,
    ordered_at: str | None,
    amount: str | None,
    **cells: Cells,
) -> str:
    """Add an ordinary order in the delivery after its instant and return its id."""
    values: dict[str, Cells] = {"currency": "USD", "product_id": "P001", "quantity": "1"}
    sample.add(
        "orders",
        _delivery(sample, ordered_at),
        order_id=order_id,
        account_id=account_id,
        ordered_at=ordered_at,
        amount=amount,
        **{**values, **cells},
    )
    return order_id


def contract(
    sample: Sample,
    subscription_id: str,
    account_id: str,
    started_at: str,
    ended_at: str | None,
    mrr: str,
    **cells: Cells,
) -> str:
    """Add an ordinary contract period and return the id of the contract.

    A later end comes with the second delivery.
    """
    values: dict[str, Cells] = {"currency": "USD", "plan": "team", "product_id": "P005"}
    delivery = max(_delivery(sample, started_at), _delivery(sample, ended_at) if ended_at else 1)
    sample.add(
        "subscription_periods",
        delivery,
        subscription_id=subscription_id,
        account_id=account_id,
        started_at=started_at,
        ended_at=ended_at,
        mrr=mrr,
        **{**values, **cells},
    )
    return subscription_id


def deal(
    sample: Sample,
    deal_id: str,
    stage: str,
    created_at: str | None,
    closed_at: str | None = None,
    **cells: Cells,
) -> str:
    """Add an ordinary deal of an ordinary account and return its id."""
    values: dict[str, Cells] = {
        "account_id": "A00000001",
        "amount": "12000.00",
        "currency": "USD",
        "deal_name": deal_id.removeprefix("D-").replace("-", " "),
        "pipeline": "default",
        "deal_type": "new",
        "owner_id": "R0001",
        "lead_source": "referral",
        "product_id": "P001",
    }
    delivery = max(_delivery(sample, created_at), _delivery(sample, closed_at))
    sample.add(
        "deals",
        delivery,
        deal_id=deal_id,
        stage=stage,
        created_at=created_at,
        closed_at=closed_at,
        **{**values, **cells},
    )
    return deal_id


def way(sample: Sample, deal_id: str, *entries: tuple[str, str]) -> None:
    """Add the entries (stage, instant) of a deal into its stages."""
    for stage, entered_at in entries:
        sample.add(
            "deal_stage_history",
            _delivery(sample, entered_at),
            deal_id=deal_id,
            stage=stage,
            entered_at=entered_at,
            changed_by="R0001",
        )


def response(
    sample: Sample,
    response_id: str,
    survey: str | None,
    score: str | None,
    responded_at: str | None,
    **cells: Cells,
) -> str:
    """Add an answer to a survey and return its id."""
    values: dict[str, Cells] = {"question_id": "recommend", "language": "en"}
    sample.add(
        "survey_responses",
        _delivery(sample, responded_at),
        response_id=response_id,
        survey=survey,
        score=score,
        responded_at=responded_at,
        **{**values, **cells},
    )
    return response_id


def invitation(
    sample: Sample,
    invitation_id: str,
    survey_id: str,
    respondent_id: str,
    sent_at: str,
    delivered: str | None = "true",
    **cells: Cells,
) -> str:
    """Add an invitation to a survey and return its id."""
    sample.add(
        "survey_invitations",
        _delivery(sample, sent_at),
        invitation_id=invitation_id,
        survey_id=survey_id,
        respondent_id=respondent_id,
        sent_at=sent_at,
        delivered=delivered,
        **cells,
    )
    return invitation_id


def months_later(day: str, months: int) -> str:
    """Return the day a number of calendar months later."""
    return add_months(date.fromisoformat(day), months).isoformat()
