"""Oddities of deals, stages, representatives, targets and leads."""

from warehouse.generator.oddities.rows import (
    account,
    as_of,
    days_after,
    deal,
    leap_day,
    month_start,
    months_later,
    way,
)
from warehouse.generator.reference import LIFECYCLE_STAGES
from warehouse.generator.sales import LEAD_STATUSES
from warehouse.generator.sample import Sample


def skipped_stages(sample: Sample) -> None:
    """Add deals that jump.

    They go from the first stage to the last, straight to won, or into the middle; the lost ones are credited
    below their highest stage only.
    """
    first, later = f"{sample.day(16, 2)} 09:00:00", f"{sample.day(15, 2)} 09:00:00"
    closed = f"{sample.day(14, 2)} 09:00:00"
    deal(sample, "D-skip-to-last", "won", first, closed)
    way(sample, "D-skip-to-last", ("prospecting", first), ("closing", later), ("won", closed))
    deal(sample, "D-skip-all", "won", first, closed)
    way(sample, "D-skip-all", ("won", closed))
    deal(sample, "D-skip-start", "lost", first, closed, lost_reason="no budget")
    way(sample, "D-skip-start", ("demo", later), ("lost", closed))
    deal(sample, "D-skip-open", "objection_handling", first)
    way(sample, "D-skip-open", ("prospecting", first), ("objection_handling", later))
    deal(sample, "D-skip-lost", "lost", first, closed, lost_reason="too expensive")
    way(sample, "D-skip-lost", ("prospecting", first), ("qualification", later), ("lost", closed))


def repeated_stages(sample: Sample) -> None:
    """Add a deal that moves back and forth and one that enters a stage twice.

    First entries count, days add up.
    """
    month = sample.day(13, 1)
    deal(sample, "D-back", "won", f"{month} 08:00:00", f"{days_after(month, 50)} 08:00:00")
    way(
        sample,
        "D-back",
        ("prospecting", f"{month} 08:00:00"),
        ("demo", f"{days_after(month, 5)} 08:00:00"),
        ("research", f"{days_after(month, 9)} 08:00:00"),
        ("demo", f"{days_after(month, 20)} 08:00:00"),
        ("closing", f"{days_after(month, 40)} 08:00:00"),
        ("won", f"{days_after(month, 50)} 08:00:00"),
    )
    deal(sample, "D-twice", "qualification", f"{month} 08:00:00")
    way(
        sample,
        "D-twice",
        ("qualification", f"{month} 08:00:00"),
        ("qualification", f"{days_after(month, 7)} 08:00:00"),
    )
    deal(sample, "D-back-open", "research", f"{month} 08:00:00", None)
    way(
        sample,
        "D-back-open",
        ("prospecting", f"{month} 08:00:00"),
        ("closing", f"{days_after(month, 3)} 08:00:00"),
        ("research", f"{days_after(month, 6)} 08:00:00"),
    )


def unmapped_stages(sample: Sample) -> None:
    """Add stages and a pipeline that `deal_stages` does not know.

    Others have names in capitals or with blanks, which it does know.
    """
    first = sample.day(12, 4)
    deal(sample, "D-unmapped-middle", "won", f"{first} 08:00:00", f"{days_after(first, 30)} 08:00:00")
    way(
        sample,
        "D-unmapped-middle",
        ("prospecting", f"{first} 08:00:00"),
        ("legal review", f"{days_after(first, 10)} 08:00:00"),
        ("closing", f"{days_after(first, 20)} 08:00:00"),
        ("won", f"{days_after(first, 30)} 08:00:00"),
    )
    deal(sample, "D-unmapped-current", "on hold", f"{first} 09:00:00")
    way(
        sample,
        "D-unmapped-current",
        ("prospecting", f"{first} 09:00:00"),
        ("on hold", f"{days_after(first, 10)} 09:00:00"),
    )
    deal(sample, "D-unmapped-no-history", "on hold", f"{first} 10:00:00")
    deal(sample, "D-unknown-pipeline", "demo", f"{first} 11:00:00", pipeline="reseller")
    way(sample, "D-unknown-pipeline", ("demo", f"{first} 11:00:00"))
    deal(
        sample,
        "D-unknown-pipeline-won",
        "won",
        f"{first} 11:30:00",
        f"{days_after(first, 8)} 11:30:00",
        pipeline="reseller",
    )
    deal(sample, "D-capitals", " Closing ", f"{first} 12:00:00", pipeline=" Default ")
    way(
        sample,
        "D-capitals",
        ("PROSPECTING", f"{first} 12:00:00"),
        (" Closing", f"{days_after(first, 4)} 12:00:00"),
    )
    deal(
        sample,
        "D-empty-pipeline",
        "WON",
        f"{first} 13:00:00",
        f"{days_after(first, 9)} 13:00:00",
        pipeline=None,
    )
    deal(sample, "D-foreign-stage", "demo", f"{first} 14:00:00", pipeline="partner")
    way(
        sample,
        "D-foreign-stage",
        ("registration", f"{first} 14:00:00"),
        ("demo", f"{days_after(first, 3)} 14:00:00"),
    )


def deals_without_history(sample: Sample) -> None:
    """Add deals without entries.

    An open deal in the first and in a later stage, won, lost; one with neither history nor created_at.
    """
    first = f"{sample.day(11, 6)} 08:00:00"
    deal(sample, "D-bare-first", "prospecting", first)
    deal(sample, "D-bare-later", "demo", first)
    deal(sample, "D-bare-won", "won", first, f"{sample.day(10, 6)} 08:00:00")
    deal(sample, "D-bare-lost", "lost", first, f"{sample.day(10, 6)} 08:00:00", lost_reason="bugs")
    deal(sample, "D-no-cohort", "prospecting", None)
    deal(sample, "D-no-cohort-won", "won", None, f"{sample.day(10, 7)} 08:00:00")
    deal(sample, "D-no-created", "demo", None)
    way(sample, "D-no-created", ("prospecting", first), ("demo", f"{sample.day(10, 8)} 08:00:00"))
    way(sample, "D-never-delivered", ("prospecting", first))


def missing_cells_of_deals(sample: Sample) -> None:
    """Add deals without account, amount, currency, owner, type, source.

    Others have an owner or a type that nobody knows.
    """
    first, closed = f"{sample.day(9, 3)} 08:00:00", f"{sample.day(8, 3)} 08:00:00"
    for name, cells in {
        "account": {"account_id": None},
        "amount": {"amount": None},
        "currency": {"currency": None},
        "owner": {"owner_id": None},
        "type": {"deal_type": None},
        "source": {"lead_source": None},
        "product": {"product_id": None, "deal_name": None},
    }.items():
        stage = "won" if name in ("account", "amount", "currency") else "lost"
        deal(sample, f"D-without-{name}", stage, first, closed, **cells)
    deal(sample, "D-unknown-owner", "won", first, closed, owner_id="R9998")
    deal(sample, "D-unknown-type", "lost", first, closed, deal_type="pilot")
    deal(sample, "D-lost-without-amount", "lost", first, closed, amount=None, lost_reason="no budget")
    deal(sample, "D-no-rate", "won", first, closed, currency="BRL")
    deal(sample, "D-no-rate-no-amount", "won", first, closed, currency="BRL", amount=None)
    deal(sample, "D-zero-amount", "won", first, closed, amount="0")
    for kind in ("new", "renewal", "upsell", "cross_sell"):
        deal(sample, f"D-type-{kind}", "lost", first, closed, deal_type=kind)


def outcomes_of_deals(sample: Sample) -> None:
    """Add deals lost without decision, to a competitor without a reason, won in the last second.

    Won without closed_at, reopened, open past its plan.
    """
    first, closed = f"{sample.day(7, 3)} 08:00:00", f"{sample.day(6, 3)} 08:00:00"
    for number, wording in enumerate(
        ("no decision", "No Decision ", "went silent", "لم يتخذ قرار", "tiada keputusan", "לא התקבלה החלטה"),
        start=1,
    ):
        deal(sample, f"D-no-decision-{number}", "lost", first, closed, lost_reason=wording)
    deal(sample, "D-competitor-only", "lost", first, closed, competitor="Acme Cloud")
    deal(sample, "D-lost-unmapped", "lost", first, closed, lost_reason="pertukaran pengurusan")
    # Closing a won deal is an event and would move the default as_of: this is the last that there can be.
    last = f"{days_after(as_of(sample), -1)} 23:59:59"
    deal(sample, "D-won-at-the-end", "won", first, last)
    way(sample, "D-won-at-the-end", ("prospecting", first), ("closing", closed), ("won", last))
    deal(sample, "D-won-by-history", "won", first, None)
    way(sample, "D-won-by-history", ("prospecting", first), ("won", closed))
    deal(sample, "D-lost-by-history", "lost", first, None, lost_reason="no budget")
    way(
        sample,
        "D-lost-by-history",
        ("prospecting", first),
        ("lost", closed),
        ("lost", f"{sample.day(5, 3)} 08:00:00"),
    )
    deal(sample, "D-won-undated", "won", first, None)
    deal(sample, "D-reopened", "demo", first, None)
    way(
        sample,
        "D-reopened",
        ("prospecting", first),
        ("lost", closed),
        ("demo", f"{sample.day(5, 4)} 08:00:00"),
    )
    deal(sample, "D-open-overdue", "closing", first, f"{sample.day(4, 3)} 08:00:00")
    deal(sample, "D-open-planned", "closing", first, months_later(as_of(sample), 2))
    # A plan may say anything: no open deal is quarantined for it.
    deal(sample, "D-open-far-plan", "closing", first, "2199-12-31")
    deal(sample, "D-open-unreadable-plan", "closing", first, "after the holidays")
    deal(sample, "D-closed-at-creation", "won", first, first)
    deal(sample, "D-moved-after-close", "won", first, closed)
    way(sample, "D-moved-after-close", ("prospecting", first), ("closing", f"{sample.day(5, 9)} 08:00:00"))
    deal(sample, "D-closed-before-created", "won", closed, first)
    deal(sample, "D-open-closed-before-created", "demo", closed, first)


def equal_instants(sample: Sample) -> None:
    """Add several entries at one instant (ordered by stage_order), at midnights of the first.

    On the leap day.
    """
    instant = f"{month_start(sample, 5)} 00:00:00"
    deal(sample, "D-equal", "demo", instant)
    way(sample, "D-equal", ("demo", instant), ("prospecting", instant), ("research", instant))
    deal(sample, "D-equal-won", "won", instant, instant)
    way(sample, "D-equal-won", ("won", instant), ("closing", instant), ("prospecting", instant))
    leap = f"{leap_day(sample)} 00:00:00"
    deal(sample, "D-leap", "won", leap, f"{month_start(sample, 12)} 00:00:00")
    way(sample, "D-leap", *((stage, leap) for stage in LIFECYCLE_STAGES))
    # Dated: a first entry before the deal was created.
    deal(sample, "D-early-entry", "research", f"{sample.day(5, 10)} 08:00:00")
    way(
        sample,
        "D-early-entry",
        ("prospecting", f"{sample.day(6, 10)} 08:00:00"),
        ("research", f"{sample.day(5, 11)} 08:00:00"),
    )


def pipelines(sample: Sample) -> None:
    """Add deals of the second pipeline: won, lost and open, with a skipped stage."""
    first, closed = f"{sample.day(12, 5)} 08:00:00", f"{sample.day(11, 5)} 08:00:00"
    deal(sample, "D-partner-won", "won", first, closed, pipeline="partner")
    way(
        sample,
        "D-partner-won",
        ("registration", first),
        ("contracting", f"{sample.day(12, 20)} 08:00:00"),
        ("won", closed),
    )
    deal(sample, "D-partner-lost", "lost", first, closed, pipeline="Partner", lost_reason="no budget")
    way(
        sample,
        "D-partner-lost",
        ("registration", first),
        ("validation", f"{sample.day(12, 20)} 08:00:00"),
        ("lost", closed),
    )
    deal(sample, "D-partner-open", "joint_demo", first, pipeline="partner")


def representatives(sample: Sample) -> None:
    """Add a representative with targets but no deals, one without any attribute, one without targets.

    One who left.
    """
    sample.add(
        "sales_reps",
        1,
        rep_id="R-idle",
        rep_name="סער גל",
        team="Falcon",
        manager="Falcon lead",
        region="EMEA",
        hired_at=sample.day(30, 1),
    )
    sample.add("sales_reps", 1, rep_id="R-bare", hired_at=sample.day(30, 1))
    sample.add(
        "sales_reps",
        1,
        rep_id="R-no-target",
        rep_name="نور النجار",
        team="Heron",
        region="APAC",
        hired_at=sample.day(30, 1),
    )
    sample.add(
        "sales_reps",
        1,
        rep_id="R-left",
        rep_name="Nur binti Awan",
        team="Osprey",
        region="APAC",
        hired_at=sample.day(33, 1),
        left_at=sample.day(10, 20),
    )
    for months in (12, 11, 9):
        # No target in one month between.
        sample.add(
            "sales_targets",
            1,
            rep_id="R-idle",
            period_start=month_start(sample, months),
            target_amount="4000.00",
            currency="USD",
        )
    sample.add(
        "sales_targets",
        1,
        rep_id="R-never-delivered",
        period_start=month_start(sample, 8),
        target_amount="3000.00",
        currency="EUR",
    )
    sample.add(
        "sales_targets",
        1,
        rep_id="R-bare",
        period_start=month_start(sample, 8),
        target_amount="0",
        currency=None,
    )
    sample.add(
        "sales_targets",
        1,
        rep_id="R0001",
        period_start=as_of(sample)[:8] + "01",
        target_amount="9000.00",
        currency="USD",
    )
    sample.add(
        "sales_targets",
        1,
        rep_id="R-left",
        period_start=month_start(sample, 8),
        target_amount="100.00",
        currency="BRL",
    )
    for owner in ("R-bare", "R-no-target", "R-left"):
        deal(
            sample,
            f"D-of-{owner}",
            "won",
            f"{sample.day(12, 8)} 08:00:00",
            f"{sample.day(11, 8)} 08:00:00",
            owner_id=owner,
        )


def leads(sample: Sample) -> None:
    """Add leads of every status, converted without a deal, into an unknown account, without anything."""
    for number, status in enumerate(LEAD_STATUSES, start=1):
        sample.add(
            "leads",
            1,
            lead_id=f"L-status-{number}",
            created_at=f"{sample.day(12, number)} 08:00:00",
            source="event",
            status=status,
        )
    buyer = account(sample, "A-lead")
    created = f"{sample.day(14)} 08:00:00"
    sample.add(
        "leads",
        1,
        lead_id="L-no-deal",
        created_at=created,
        status="converted",
        converted_at=f"{sample.day(13)} 08:00:00",
        converted_account_id=buyer,
    )
    sample.add(
        "leads",
        1,
        lead_id="L-unknown",
        created_at=created,
        status="converted",
        converted_at=created,
        converted_account_id="A-never-delivered-3",
        converted_deal_id="D-never-delivered-2",
    )
    sample.add("leads", 1, lead_id="L-bare", created_at=created)


ODDITIES = (
    skipped_stages,
    repeated_stages,
    unmapped_stages,
    deals_without_history,
    missing_cells_of_deals,
    outcomes_of_deals,
    equal_instants,
    pipelines,
    representatives,
    leads,
)
