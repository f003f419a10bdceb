"""Oddities of contracts: gaps, overlaps, corrections, trials, flashes, edges of months, cancellations."""

from warehouse.generator.oddities.rows import (
    account,
    as_of,
    contract,
    days_after,
    deal,
    leap_day,
    month_start,
    months_later,
    response,
)
from warehouse.generator.sample import Sample
from warehouse.generator.vocabulary import CHURN_WORDINGS, UNMAPPED_WORDINGS


def gaps(sample: Sample) -> None:
    """Add a gap of one day, of a month, and a return after half a year: churned and reactivated."""
    for name, days in (("day", 1), ("month", 31), ("half-year", 184)):
        holder = account(sample, f"A-gap-{name}")
        ended = sample.day(20)
        contract(sample, f"S-gap-{name}", holder, sample.day(28), ended, "100.00")
        contract(sample, f"S-gap-{name}", holder, days_after(ended, days), None, "130.00")


def overlaps_and_corrections(sample: Sample) -> None:
    """Add overlapping rows of one contract.

    The earlier ends where the later starts; two contracts of one customer add up.
    """
    holder = account(sample, "A-correction")
    start = month_start(sample, 24)
    contract(sample, "S-correction", holder, start, months_later(start, 12), "200.00")
    contract(sample, "S-correction", holder, months_later(start, 4), months_later(start, 6), "260.00")
    open_holder = account(sample, "A-open-correction")
    contract(sample, "S-open-correction", open_holder, start, None, "90.00")
    contract(sample, "S-open-correction", open_holder, months_later(start, 10), None, "110.00")
    both = account(sample, "A-two-contracts")
    contract(sample, "S-two-1", both, start, None, "50.00", plan="starter")
    contract(sample, "S-two-2", both, start, months_later(start, 9), "70.00", plan="business")


def moved_contract(sample: Sample) -> None:
    """Add a contract that passed from one account to another."""
    contract(
        sample,
        "S-moved",
        account(sample, "A-moved-from"),
        month_start(sample, 20),
        month_start(sample, 11),
        "300.00",
    )
    contract(sample, "S-moved", account(sample, "A-moved-to"), month_start(sample, 11), None, "300.00")


def active_at_no_boundary(sample: Sample) -> None:
    """Add contracts with equal start and end: a start that is active nowhere.

    The second such holder comes back later.
    """
    day = sample.day(16)
    contract(sample, "S-equal", account(sample, "A-equal"), day, day, "80.00")
    back = account(sample, "A-equal-back")
    contract(sample, "S-equal-back", back, f"{day} 00:00:00", f"{day} 00:00:00", "80.00")
    contract(sample, "S-equal-back", back, sample.day(10), None, "85.00")


def flash_customers(sample: Sample) -> None:
    """Add customers who start and leave inside one month.

    One of them pays, one was on trial, one came back a year later.
    """
    month = month_start(sample, 14)
    contract(
        sample,
        "S-flash-paid",
        account(sample, "A-flash-paid"),
        days_after(month, 4),
        days_after(month, 20),
        "60.00",
    )
    contract(
        sample,
        "S-flash-trial",
        account(sample, "A-flash-trial"),
        days_after(month, 2),
        days_after(month, 16),
        "0.00",
    )
    back = account(sample, "A-flash-back")
    contract(sample, "S-flash-back", back, days_after(month, 1), days_after(month, 9), "60.00")
    contract(sample, "S-flash-back-2", back, months_later(month, 12), None, "75.00")


def trials(sample: Sample) -> None:
    """Add a trial at 0 that turns into a paid contract months later, one that never does.

    Another trial is still running, and one customer went from paying to free.
    """
    paid = account(sample, "A-trial-paid")
    start = sample.day(15)
    contract(sample, "S-trial-paid", paid, start, months_later(start, 2), "0.00")
    contract(sample, "S-trial-paid", paid, months_later(start, 2), None, "140.00")
    contract(sample, "S-trial-lost", account(sample, "A-trial-lost"), start, months_later(start, 1), "0")
    contract(sample, "S-trial-open", account(sample, "A-trial-open"), sample.day(1), None, "0.00")
    free = account(sample, "A-paid-to-free")
    contract(sample, "S-paid-to-free", free, start, months_later(start, 5), "50.00")
    contract(sample, "S-paid-to-free", free, months_later(start, 5), None, "0.00")


def changes_of_price(sample: Sample) -> None:
    """Expansion, contraction and a change of plan at the same price; one change back within a quarter."""
    for name, prices in (
        ("up", ("100.00", "180.00")),
        ("down", ("180.00", "90.00")),
        ("flat", ("120.00", "120.00")),
    ):
        holder = account(sample, f"A-price-{name}")
        contract(
            sample,
            f"S-price-{name}",
            holder,
            month_start(sample, 18),
            month_start(sample, 9),
            prices[0],
            plan="starter",
        )
        contract(sample, f"S-price-{name}", holder, month_start(sample, 9), None, prices[1], plan="business")
    swing = account(sample, "A-price-swing")
    for number, price in enumerate(("100.00", "150.00", "100.00")):
        end = months_later(month_start(sample, 11), number + 1) if number < 2 else None
        contract(sample, "S-price-swing", swing, months_later(month_start(sample, 11), number), end, price)


def edges_of_months(sample: Sample) -> None:
    """Add starts and ends at midnights of the first, on the leap day, at as_of, in the future, at noon.

    One period has instants with offsets, one began and ended before the history.
    """
    first, later = month_start(sample, 12), month_start(sample, 6)
    contract(
        sample,
        "S-edge-first",
        account(sample, "A-edge-first"),
        f"{first} 00:00:00",
        f"{later} 00:00:00",
        "70.00",
    )
    contract(
        sample,
        "S-edge-second",
        account(sample, "A-edge-second"),
        f"{first} 00:00:01",
        f"{later} 00:00:01",
        "71.00",
    )
    contract(sample, "S-edge-leap", account(sample, "A-edge-leap"), leap_day(sample), None, "72.00")
    contract(sample, "S-edge-as-of", account(sample, "A-edge-as-of"), first, as_of(sample), "73.00")
    contract(
        sample,
        "S-edge-noon",
        account(sample, "A-edge-noon"),
        f"{sample.day(12)}T12:00:00Z",
        f"{sample.day(3)}T12:00:00+02:00",
        "74.00",
    )
    contract(
        sample,
        "S-edge-planned-end",
        account(sample, "A-edge-planned-end"),
        first,
        months_later(as_of(sample), 6),
        "75.00",
    )
    contract(sample, "S-edge-planned-start", account(sample, "A-edge-planned-start"), as_of(sample), None, "76.00")
    contract(
        sample,
        "S-edge-next-year",
        account(sample, "A-edge-next-year"),
        months_later(as_of(sample), 3),
        None,
        "77.00",
    )
    contract(
        sample,
        "S-edge-old",
        account(sample, "A-edge-old", created_at=None),
        month_start(sample, 40),
        month_start(sample, 30),
        "78.00",
    )
    contract(
        sample,
        "S-edge-last-day",
        account(sample, "A-edge-last-day"),
        first,
        days_after(as_of(sample), -1),
        "79.00",
    )


def cancellations(sample: Sample) -> None:
    """Add cancellations: wordings known, padded, unknown or missing, in four languages; both types.

    One customer asked to cancel and stays: a request is not an end.
    """
    wordings = [wording for wording, _ in CHURN_WORDINGS if not wording.isascii()] + [
        "tiada bajet",
        "harga terlalu mahal",
    ]
    wordings += [*UNMAPPED_WORDINGS, "  Too Expensive ", ""]
    for number, wording in enumerate(wordings, start=1):
        contract(
            sample,
            f"S-cancel-{number:02d}",
            account(sample, f"A-cancel-{number:02d}"),
            month_start(sample, 16 + number % 12),
            month_start(sample, number % 12 + 2),
            "65.00",
            cancel_requested_at=f"{days_after(month_start(sample, number % 12 + 2), -20)} 10:00:00",
            cancel_reason=wording or None,
            cancel_type="involuntary" if number % 4 == 0 else "voluntary",
        )
    asked = account(sample, "A-cancel-requested")
    contract(
        sample,
        "S-cancel-requested",
        asked,
        month_start(sample, 20),
        None,
        "66.00",
        cancel_requested_at=f"{sample.day(2)} 10:00:00",
    )


def reasons_from_every_source(sample: Sample) -> None:
    """Add churned customers whose reason comes from one source, from all, or from nowhere.

    One source lies exactly 90 days from the churn, one 91 days; one customer has all sources at once.
    """
    start, ended = month_start(sample, 20), sample.day(9)
    sources = (
        "exit",
        "contract",
        "ticket",
        "renewal",
        "competitor",
        "nowhere",
        "all",
        "day-90",
        "day-91",
        "before-90",
    )
    for source in sources:
        holder = account(sample, f"A-reason-{source}")
        has_all = source == "all"
        contract(
            sample,
            f"S-reason-{source}",
            holder,
            start,
            ended,
            "55.00",
            cancel_reason="bugs" if source == "contract" or has_all else None,
            cancel_type="voluntary",
        )
        if source == "exit" or has_all:
            response(
                sample,
                f"Q-reason-{source}",
                "exit-survey",
                None,
                f"{days_after(ended, 5)} 10:00:00",
                account_id=holder,
                reason="no budget",
            )
        distance = {"day-90": 90, "day-91": 91, "before-90": -90}.get(source)
        if distance is not None:
            response(
                sample,
                f"Q-reason-{source}",
                "exit-survey",
                None,
                f"{days_after(ended, distance)} 23:00:00",
                account_id=holder,
                reason="السعر مرتفع",
                language="ar",
            )
        if source == "ticket" or has_all:
            sample.add(
                "support_tickets",
                2,
                ticket_id=f"K-reason-{source}",
                account_id=holder,
                opened_at=f"{days_after(ended, -8)} 10:00:00",
                priority="high",
                category="complaint about service",
            )
        if source in ("renewal", "competitor") or has_all:
            deal(
                sample,
                f"D-reason-{source}",
                "lost",
                f"{days_after(ended, -30)} 10:00:00",
                f"{days_after(ended, -2)} 10:00:00",
                account_id=holder,
                deal_type="renewal",
                lost_reason=None if source == "competitor" else "price increase",
                competitor="Rival Suite",
            )


ODDITIES = (
    gaps,
    overlaps_and_corrections,
    moved_contract,
    active_at_no_boundary,
    flash_customers,
    trials,
    changes_of_price,
    edges_of_months,
    cancellations,
    reasons_from_every_source,
)
