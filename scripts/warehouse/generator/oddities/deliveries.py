"""Oddities of deliveries: rows that were replaced, came late, came twice or contradict each other."""

from warehouse.contract import entities
from warehouse.generator.oddities.rows import account, contract, days_after, month_start, order
from warehouse.generator.reference import OUTCOMES, Row
from warehouse.generator.sample import Sample


def outcomes_not_yet_known(sample: Sample) -> None:
    """Give the first delivery what it could know of later outcomes: open deals, contracts without an end.

    The second delivery repeats these rows as they are now, which replaces the first form.
    """
    border = sample.delivery_days[1].isoformat()
    for entity, changed in (("deals", _was_open), ("subscription_periods", _had_no_end)):
        first, second = sample.rows[entity][1], sample.rows[entity][2]
        for position, row in enumerate(first):
            before = changed(row, border)
            if before is not None:
                first[position] = before
                second.append(row)


def _was_open(row: Row, border: str) -> Row | None:
    if row["stage"] not in OUTCOMES or (row["closed_at"] or "") < border:
        return None
    stage = "closing" if row["pipeline"] in (None, "default") else "contracting"
    return {**row, "stage": stage, "closed_at": None, "lost_reason": None, "competitor": None}


def _had_no_end(row: Row, border: str) -> Row | None:
    if (row["ended_at"] or "") < border:
        return None
    return {**row, "ended_at": None, "cancel_requested_at": None, "cancel_reason": None, "cancel_type": None}


def late_rows(sample: Sample) -> None:
    """Add rows of months long past that only the second delivery brings."""
    for number, template in enumerate(sample.rows["orders"][1][100:112]):
        sample.rows["orders"][2].append(
            {**template, "order_id": f"O-late-{number:02d}", "refund_of_order_id": None, "amount": "25.00"}
        )
    late = account(sample, "A-late", created_at=f"{sample.day(20)} 08:00:00")
    sample.add(
        "subscription_periods",
        2,
        subscription_id="S-late",
        account_id=late,
        started_at=month_start(sample, 20),
        ended_at=month_start(sample, 12),
        mrr="45.00",
        currency="USD",
        plan="team",
    )
    sample.add(
        "survey_responses",
        2,
        response_id="Q-late",
        account_id=late,
        survey="nps",
        score="9",
        responded_at=f"{sample.day(20)} 08:00:00",
    )


def replaced_rows(sample: Sample) -> None:
    """Add a later row of the same key.

    It brings a corrected amount, a moved date, another account, a renamed account, a withdrawn flag.
    """
    buyer, other = account(sample, "A-replaced"), account(sample, "A-replaced-other")
    day = sample.day(12)
    cells: dict[str, str | None] = {"currency": "USD", "product_id": "P001", "quantity": "1"}
    for name, before, after in (
        ("amount", {"amount": "500.00"}, {"amount": "50.00"}),
        ("date", {"ordered_at": f"{day} 10:00:00"}, {"ordered_at": f"{days_after(day, 40)} 10:00:00"}),
        ("account", {"account_id": buyer}, {"account_id": other}),
        ("emptied", {"product_id": "P001"}, {"product_id": None}),
    ):
        base: Row = {
            "order_id": f"O-replaced-{name}",
            "account_id": buyer,
            "ordered_at": f"{day} 10:00:00",
            "amount": "50.00",
            **cells,
        }
        sample.add("orders", 1, **{**base, **before})
        sample.add("orders", 2, **{**base, **after})
    # A good row replaced by an unreadable one, and an unreadable row made good.
    for name, amounts in (("spoilt", ("60.00", "#DIV/0!")), ("mended", ("#DIV/0!", "60.00"))):
        for delivery, amount in enumerate(amounts, start=1):
            sample.add(
                "orders",
                delivery,
                order_id=f"O-{name}",
                account_id=buyer,
                ordered_at=f"{day} 11:00:00",
                amount=amount,
                **cells,
            )
    account(sample, "A-renamed", account_name="Old Name", segment="SMB")
    sample.add(
        "accounts",
        2,
        account_id="A-renamed",
        account_name="שם חדש",
        segment="Enterprise",
        country="Israel",
        region="EMEA",
        is_test="false",
    )
    order(sample, "O-renamed", "A-renamed", f"{day} 12:00:00", "70.00")
    account(sample, "A-no-longer-test", is_test="true")
    sample.add("accounts", 2, account_id="A-no-longer-test", account_name="Real after all", is_test="false")
    order(sample, "O-no-longer-test", "A-no-longer-test", f"{day} 13:00:00", "71.00")
    account(sample, "A-merged-later")
    sample.add(
        "accounts",
        2,
        account_id="A-merged-later",
        account_name="Merged later",
        merged_into_account_id="A-replaced",
    )
    order(sample, "O-merged-later", "A-merged-later", f"{day} 14:00:00", "72.00")
    sample.add(
        "sales_targets",
        2,
        rep_id="R0001",
        period_start=month_start(sample, 3),
        target_amount="12345.00",
        currency="USD",
    )
    sample.add(
        "products",
        2,
        product_id="P016",
        product_name="Hardware Max",
        product_line="Hardware",
        unit_price="1100.00",
        gross_margin_rate="0.31",
    )


def exact_duplicates(sample: Sample) -> None:
    """Add the same row twice in one delivery and again in the next: one row stays, the others collapse."""
    for entity in (
        "orders",
        "deals",
        "activities",
        "survey_responses",
        "accounts",
        "subscription_periods",
        "deal_stage_history",
    ):
        first, second = sample.rows[entity][1], sample.rows[entity][2]
        key = entities()[entity].key
        replaced = {tuple(row[name] for name in key) for row in second}
        unchanged = [row for row in first if tuple(row[name] for name in key) not in replaced]
        first.extend(dict(row) for row in unchanged[20:21])
        second.extend(dict(row) for row in unchanged[21:22])


def contradictions(sample: Sample) -> None:
    """Add one key twice with different contents in one delivery.

    The last line stays, the others are quarantined.
    """
    buyer = account(sample, "A-contradiction")
    day = sample.day(10)
    for amount in ("10.00", "20.00", "30.00"):
        order(sample, "O-contradiction", buyer, f"{day} 10:00:00", amount)
    account(sample, "A-contradiction", account_name="The last line counts")
    contract(sample, "S-contradiction", buyer, month_start(sample, 10), None, "100.00")
    contract(sample, "S-contradiction", buyer, month_start(sample, 10), None, "110.00")
    for score in ("2", "9"):
        sample.add(
            "survey_responses",
            1,
            response_id="Q-contradiction",
            account_id=buyer,
            survey="nps",
            score=score,
            responded_at=f"{day} 10:00:00",
        )
    for stage in ("demo", "closing"):
        sample.add(
            "deals",
            1,
            deal_id="D-contradiction",
            account_id=buyer,
            stage=stage,
            created_at=f"{day} 10:00:00",
            amount="900.00",
        )
    for target in ("1000.00", "2000.00"):
        sample.add(
            "sales_targets",
            1,
            rep_id="R-idle",
            period_start=month_start(sample, 7),
            target_amount=target,
            currency="USD",
        )
    for amount in ("100.00", "200.00"):
        sample.add(
            "marketing_spend",
            1,
            channel="tv",
            campaign_id="CMP-01",
            period_start=month_start(sample, 6),
            amount=amount,
            currency="USD",
            cost_type="acquisition",
        )
    for changed_by in ("R0001", "R0002"):
        sample.add(
            "deal_stage_history",
            1,
            deal_id="D-contradiction",
            stage="demo",
            entered_at=f"{day} 10:00:00",
            changed_by=changed_by,
        )


ODDITIES = (outcomes_not_yet_known, late_rows, replaced_rows, exact_duplicates, contradictions)
