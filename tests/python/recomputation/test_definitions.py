"""Small worked cases of the metric page, computed by hand."""

import csv
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recomputation.companies import random_company, write_seeds
from recomputation.company import Company, learned_window
from recomputation.compare import compare
from recomputation.nps import nps
from recomputation.numbers import median, percent_rank, survival_quantile
from recomputation.raw import Raw
from recomputation.recompute import Marts, recompute
from recomputation.segments import gini, rfm_scores, rfm_segment, value_tier
from recomputation.values import judge_cell, parse_number, parse_timestamp
from warehouse.contract import entities

STAGES: list[dict[str, str | None]] = [
    {"stage": "One", "stage_order": "1"},
    {"stage": "Two", "stage_order": "2"},
    {"stage": "Three", "stage_order": "3"},
    {"stage": "Won", "stage_order": "4", "is_won": "true"},
    {"stage": "Lost", "stage_order": "5", "is_lost": "true"},
]


def table(entity: str, lines: str) -> list[dict[str, str | None]]:
    """Read rows of one load from comma-separated lines, the first with the names."""
    rows: list[dict[str, str | None]] = []
    for number, row in enumerate(csv.DictReader(lines.strip().splitlines(), skipinitialspace=True), start=2):
        cells: dict[str, str | None] = {name: value or None for name, value in row.items()}
        rows.append({"load_id": "1", "line_number": str(number), "file": f"{entity}.csv", **cells})
    return rows


def company(variables: dict[str, Any] | None = None, **lines: str) -> Marts:
    """Recompute the marts of a few lines per entity."""
    raw: Raw = {entity: table(entity, text) for entity, text in lines.items()}
    raw["deal_stages"] = STAGES
    return recompute(raw, variables or {})


def months(rows: list[dict[str, Any]], *names: str, **where: Any) -> list[tuple[Any, ...]]:
    """Return columns of the monthly `all` rows."""
    wanted = {"period_type": "month", "dimension": "all", **where}
    return [
        tuple(row[name] for name in names)
        for row in rows
        if all(row.get(name, value) == value for name, value in wanted.items())
    ]


MOVED = (
    "new_customers",
    "retained_customers",
    "reactivated_customers",
    "churned_customers",
    "flash_customers",
)


# ---------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("-1.50", "-1.50"),
        ("(3.20)", "-3.20"),
        ("7-", "-7"),
        ("−5", "-5"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1e3", "1000"),
        ("٣٫٥", "3.5"),
        ("1_000", None),
        ("0x1F", None),
        ("NaN", None),
        ("", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert parse_number(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-02-29", datetime(2024, 2, 29)),
        ("2024-01-01 9:05", datetime(2024, 1, 1, 9, 5)),
        ("2024-01-01T23:30:00Z", datetime(2024, 1, 2, 0, 30)),
        ("2024-01-01 00:30:00-05:00", datetime(2024, 1, 1, 6, 30)),
        ("2024-01-01 00:30:00", datetime(2024, 1, 1, 0, 30)),
        ("45292", datetime(2024, 1, 1)),
        ("2023-02-29", None),
        ("2024-01-01 24:00", None),
    ],
)
def test_instants_in_a_zone(text: str, instant: datetime | None) -> None:
    assert parse_timestamp(text, ZoneInfo("Europe/Berlin")) == instant


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("score", "8.5", "score_not_whole"),
        ("score", "9/10", None),
        ("score", "9 - likely", None),
        ("rate", "1.01", "score_out_of_range"),
        ("money", "1e16", "score_out_of_range"),
        ("month", "2024-01-02", "score_not_first_of_month"),
        ("currency", "US$", "score_not_a_code"),
        ("timestamp", "2030-01-02 00:00:01", "score_in_future"),
        ("timestamp", "1979-12-31", "score_out_of_range"),
        ("text", " ", "score_missing"),
    ],
)
def test_reasons(kind: str, text: str, reason: str | None) -> None:
    cell = judge_cell(
        "score",
        kind,
        text,
        is_required=True,
        accepted=(),
        timezone=ZoneInfo("UTC"),
        latest=datetime(2030, 1, 2),
    )
    assert cell.reason == reason


# ---------------------------------------------------------------------- rows, merges


def test_every_row_has_one_fate() -> None:
    orders = """
        order_id, account_id, ordered_at, amount, currency, load_id
        1, a, 2024-01-01, 5, , 1
        1, a, 2024-01-01, 6, , 1
        1, a, 2024-01-01, 5, , 1
        1, a, 2024-01-01, 9, , 2
        2, a, soon, 9, , 1
        3, a, 2024-01-03, 9, XXX, 1
    """
    marts = company(orders=orders)
    rows = {row["load_id"]: row for row in marts["load_reconciliation"]}
    names = ("rows_in", "rows_staged", "rows_quarantined", "rows_superseded")
    assert [rows["1"][name] for name in names] == [5, 0, 3, 2]
    assert [rows["2"][name] for name in names] == [1, 1, 0, 0]
    found = {(row["line_number"], row["reason"]) for row in marts["quarantined_rows"]}
    assert found == {(3, "duplicate_key"), (6, "ordered_at_not_a_date"), (7, "no_fx_rate")}
    assert marts["customer_lifetime_value"][0]["historical_value"] == 9


def test_merges_tests_and_inferred_customers() -> None:
    accounts = """
        account_id, merged_into_account_id, is_test, segment
        a, b, , small
        b, c, , middle
        c, c, , big
        d, gone, ,
        e, f, ,
        f, e, ,
        t, , true,
        u, t, ,
    """
    orders = """
        order_id, account_id, ordered_at, amount
        1, a, 2024-01-01, 5
        2, e, 2024-01-01, 6
        3, u, 2024-01-01, 7
        4, new, 2024-01-01, 8
        5, later, 2024-02-01, 8
    """
    marts = company({"as_of": date(2024, 2, 1)}, accounts=accounts, orders=orders)
    values = {row["account_id"]: row["historical_value"] for row in marts["customer_lifetime_value"]}
    assert values == {"c": 5, "gone": 0, "e": 6, "new": 8}
    assert {row["key_value"] for row in marts["quarantined_rows"]} == {"e", "f"}
    segments = {row["dimension_value"] for row in marts["churn_cohorts"] if row["dimension"] == "segment"}
    assert segments == {"big", "(unknown)"}


# ---------------------------------------------------------------------- contracts


def test_boundaries_of_contracts() -> None:
    contracts = """
        subscription_id, account_id, started_at, ended_at, mrr
        1, full month, 2024-01-01, 2024-02-01, 10
        2, within, 2024-01-05, 2024-01-20, 10
        3, nothing, 2024-01-07, 2024-01-07, 10
        4, until as_of, 2024-01-02, 2024-03-01, 10
        5, from as_of, 2024-03-01, , 10
    """
    marts = company({"as_of": date(2024, 3, 1)}, subscription_periods=contracts)
    assert months(marts["retention_rate"], *MOVED) == [(2, 0, 0, 0, 2), (0, 1, 0, 1, 0)]
    losses = {row["account_id"]: row["contract_closed_at"] for row in marts["customer_losses"]}
    assert losses == {
        "full month": datetime(2024, 2, 1),
        "within": datetime(2024, 1, 20),
        "nothing": datetime(2024, 1, 7),
        "until as_of": None,
    }


def test_an_overlap_ends_the_earlier_row() -> None:
    contracts = """
        subscription_id, account_id, started_at, ended_at, mrr, plan
        1, a, 2024-01-01, , 10, basic
        1, a, 2024-02-15, 2024-03-15, 30, pro
    """
    marts = company({"as_of": date(2024, 5, 1)}, subscription_periods=contracts)
    names = ("new_mrr", "expansion_mrr", "churned_mrr", "mrr_at_end")
    assert months(marts["revenue_retention"], *names) == [
        (10, 0, 0, 10),
        (0, 20, 0, 30),
        (0, 0, 30, 0),
        (0, 0, 0, 0),
    ]
    churned = [row for row in marts["retention_rate"] if row["churned_customers"] and row["dimension"] == "plan"]
    assert {(row["period_type"], row["dimension_value"]) for row in churned} == {("month", "pro")}
    # 31 days of January, 14 of February's 29, then 15 + 14 days at 30.
    value = Fraction(10) + Fraction(140, 29) + Fraction(450, 29) + Fraction(30 * 14, 31)
    assert marts["customer_lifetime_value"][0]["historical_value"] == pytest.approx(float(value), abs=1e-12)


def test_grace_bridges_short_gaps_only() -> None:
    contracts = """
        subscription_id, account_id, started_at, ended_at, mrr
        1, a, 2024-01-01, 2024-01-29, 10
        2, a, 2024-02-03, , 20
        3, b, 2024-01-01, 2024-01-29, 10
        4, b, 2024-02-04, , 20
    """
    marts = company({"as_of": date(2024, 3, 1), "grace_days": 5}, subscription_periods=contracts)
    assert months(marts["retention_rate"], *MOVED) == [(1, 0, 0, 0, 1), (0, 1, 1, 0, 0)]
    assert months(marts["revenue_retention"], "mrr_at_end") == [(10,), (40,)]
    curve = [(row["day"], row["churned"]) for row in marts["churn_survival"] if row["dimension"] == "all"]
    assert curve == [(0, 0), (28, 1), (60, 0)]


# ---------------------------------------------------------------------- purchases


def test_a_gap_of_exactly_the_window_is_no_churn() -> None:
    orders = """
        order_id, account_id, ordered_at, amount
        1, stays, 2024-01-01 23:00, 5
        2, stays, 2024-01-31 01:00, 5
        3, returns, 2024-01-01, 5
        4, returns, 2024-02-01, 5
    """
    marts = company({"as_of": date(2024, 3, 2), "inactivity_days": 30}, orders=orders)
    first, second, last = months(marts["retention_rate"], *MOVED)
    assert (first, second, last) == ((1, 0, 0, 0, 1), (0, 1, 1, 0, 0), (0, 1, 0, 1, 0))
    losses = {row["account_id"]: row["stopped_buying_at"] for row in marts["customer_losses"]}
    assert losses == {"stays": datetime(2024, 3, 1), "returns": None}


def test_learned_window() -> None:
    assert learned_window({}, date(2024, 1, 1)) == 180
    days = {str(n): [date(2023, 1, 1), date(2023, 2, 20)] for n in range(9)}
    days["one"] = [date(2023, 1, 1)]
    # Nine of ten come back after 50 days; the open gaps reach 365 days: nobody comes back after day 50.
    assert learned_window(days, date(2024, 1, 1)) == 50


def test_repeat_purchase() -> None:
    orders = """
        order_id, account_id, ordered_at, amount
        1, in time, 2024-01-01, 5
        2, in time, 2024-01-30, 5
        3, too late, 2024-01-01, 5
        4, too late, 2024-01-31, 5
        5, too young, 2024-01-12, 5
    """
    rows = company({"as_of": date(2024, 2, 10)}, orders=orders)["repeat_purchase_rate"]
    found = [(row["horizon_days"], row["customers"], row["repeaters"]) for row in rows if row["dimension"] == "all"]
    assert found == [(30, 2, 1)]


def test_segments() -> None:
    assert percent_rank({"a": Fraction(1), "b": Fraction(1), "c": Fraction(5)}) == {"a": 0, "b": 0, "c": 1}
    scores = rfm_scores({str(n): Fraction(n) for n in range(6)})
    assert [scores[str(n)] for n in range(6)] == [1, 2, 3, 4, 5, 5]
    assert [value_tier(Fraction(n, 3)) for n in range(4)] == ["low", "medium", "high", "high"]
    assert rfm_segment(5, 4, 3) == "loyal"
    assert rfm_segment(2, 3, 1) == "at_risk"
    assert rfm_segment(3, 2, 5) == "promising"
    assert rfm_segment(4, 3, 1) == "hibernating"
    assert gini([Fraction(1), Fraction(3)]) == Fraction(1, 4)
    assert median([Fraction(1), Fraction(2)]) == Fraction(3, 2)
    assert survival_quantile([(Fraction(1), True), (Fraction(2), True)], Fraction(1, 2)) == 1


# ---------------------------------------------------------------------- losses


def test_unsubscribed_is_when_the_last_contact_was_lost_for_good() -> None:
    contacts = """
        contact_id, account_id
        c1, a
        c2, a
        c3, b
        c4, b
    """
    preferences = """
        account_id, contact_id, action, occurred_at
        a, c1, unsubscribe, 2024-01-01
        a, c1, unsubscribe, 2024-01-09
        a, , unsubscribe, 2024-01-05
        b, c3, unsubscribe, 2024-01-01
        d, , unsubscribe, 2024-01-01
        d, , subscribe, 2024-01-01
        d, , subscribe, 2023-12-01
        e, , unsubscribe, 2024-01-01
        e, , subscribe, 2024-01-02
    """
    losses = company(contacts=contacts, email_preferences=preferences)["customer_losses"]
    found = {row["account_id"]: row["unsubscribed_at"] for row in losses}
    assert found == {"a": datetime(2024, 1, 5), "b": None, "d": datetime(2024, 1, 1), "e": None}


def test_churn_reasons_take_the_best_source() -> None:
    contracts = """
        subscription_id, account_id, started_at, ended_at, mrr, cancel_reason
        1, a, 2024-01-01, 2024-01-20, 1, too dear
        2, b, 2024-01-01, 2024-01-20, 1, strange words
        3, c, 2024-01-01, 2024-01-20, 1,
        4, d, 2023-01-01, 2024-01-20, 1,
        5, e, 2023-01-01, 2024-01-20, 1,
    """
    raw: Raw = {
        "subscription_periods": table("s", contracts.replace("2024-01-01", "2023-12-01")),
        "support_tickets": table("t", "ticket_id, account_id, opened_at, category\n1, c, 2024-04-19, Too Dear \n"),
        "deals": table(
            "d",
            "deal_id, account_id, stage, created_at, closed_at, deal_type, competitor\n"
            "1, d, Lost, 2024-01-01, 2024-01-05, renewal, Rival",
        ),
        "surveys": table("v", "survey_id, survey_type\nbye, exit"),
        "survey_responses": table(
            "r",
            "response_id, account_id, survey, responded_at, reason\n1, a, bye, 2024-04-19, broken\n"
            "2, e, bye, 2024-04-20, broken",
        ),
        "churn_reasons": [
            {"raw_wording": "too dear", "reason": "price"},
            {"raw_wording": "broken", "reason": "product"},
        ],
        "deal_stages": STAGES,
    }
    rows = recompute(raw, {"as_of": date(2024, 5, 1)})["churn_reasons"]
    january = {
        row["reason"]: (row["churned_customers"], row["coverage"])
        for row in rows
        if row["period_type"] == "month" and row["period_start"] == date(2024, 1, 1)
    }
    assert january == dict.fromkeys(("product", "other", "price", "competitor", "unknown"), (1, 0.8))


# ---------------------------------------------------------------------- deals


def test_funnel_credits_and_outcomes() -> None:
    deals = """
        deal_id, stage, created_at, closed_at, amount
        skips, Won, 2024-01-01, 2024-02-10, 100
        lost late, Lost, 2024-01-01, 2024-02-10, 10
        lost early, LOST, 2024-01-01, 2024-01-10, 10
        plan, Two, 2024-01-01, 2024-01-10, 10
        no close, Lost, 2024-01-01, , 10
        strange, Mystery, 2024-01-01, , 10
        undated, Won, , 2024-01-10, 50
    """
    history = """
        deal_id, stage, entered_at
        skips, one , 2024-01-01
        skips, THREE, 2024-01-11
        skips, Two, 2024-02-05
        lost late, Three, 2024-01-31
    """
    marts = company({"as_of": date(2024, 3, 1)}, deals=deals, deal_stage_history=history)
    names = ("stage", "entered", "advanced", "lost", "open", "reached", "first_stage_cohort_reached")
    january = months(marts["funnel_conversion"], *names, period_start=date(2024, 1, 1))
    assert january == [
        # skips, lost early, plan, no close and strange entered the first stage; lost late is credited.
        ("One", 5, 2, 1, 2, 6, 6),
        ("Two", 1, 0, 0, 1, 2, 3),
        ("Three", 2, 1, 1, 0, 2, 2),
        ("(unmapped)", 1, None, None, None, 1, None),
    ]
    february = months(marts["funnel_conversion"], *names, period_start=date(2024, 2, 1))
    assert [row[:2] + row[5:6] for row in february] == [
        ("One", 0, 0),
        ("Two", 1, 1),
        ("Three", 0, 0),
        ("(unmapped)", 0, 0),
    ]
    days = months(marts["funnel_conversion"], "median_days_in_stage", stage="Three", period_start=date(2024, 1, 1))
    assert days == [(10,)]
    year = [row for row in marts["sales_performance"] if row["period_type"] == "year" and row["dimension"] == "all"]
    measures = ("won", "lost", "open", "won_amount", "lost_amount", "mean_cycle_days")
    assert [year[0][name] for name in measures] == [2, 2, 3, 150, 20, 40]


def test_value_lost_and_bottleneck() -> None:
    lines = ["deal_id, stage, created_at, closed_at, amount"]
    lines += [f"w{n}, Won, 2024-01-01, 2024-01-10, {amount}" for n, amount in enumerate((100, 300, ""))]
    lines += [f"l{n}, Lost, 2024-01-01, 2024-01-10, 7" for n in range(2)]
    history = ["deal_id, stage, entered_at"]
    history += [f"w{n}, {stage}, 2024-01-0{day}" for n in range(3) for day, stage in ((1, "One"), (2, "Two"))]
    history += ["l0, One, 2024-01-01", "l1, One, 2024-01-01", "l1, Two, 2024-01-03"]
    rows = company({"bottleneck_minimum_decided": 4}, deals="\n".join(lines), deal_stage_history="\n".join(history))[
        "funnel_conversion"
    ]
    found = months(rows, "stage", "lost", "value_lost", "is_bottleneck")
    # Of those that reached Two three of four closed deals were won, worth 200 on average; Three: all of them.
    assert found == [("One", 1, 150, False), ("Two", 1, 200, True), ("Three", 0, 0, False)]


# ---------------------------------------------------------------------- answers


def test_one_answer_per_respondent_and_window() -> None:
    lines = ["response_id, account_id, survey, score, responded_at, respondent_id"]
    lines += [f"r{n}, , nps, 9, 2024-01-05, p{n}" for n in range(9)]
    lines += [
        "again, , nps, 3, 2024-01-05, p0",
        "blank, , nps, , 2024-01-20, p1",
        "odd, , nps, 11, 2024-01-20, p2",
    ]
    lines += ["x, acc, nps, 7, 2024-01-06,", "y, acc, nps, 8, 2024-01-07,", "z, , nps, 0, 2024-02-07, p9"]
    marts = company({"as_of": date(2024, 2, 10)}, survey_responses="\n".join(lines))
    names = ("responses", "promoters", "passives", "detractors", "nps", "sample_state")
    assert months(marts["nps"], *names) == [
        # `again` comes before `r0` by response_id at one instant: the last is r0.
        (10, 9, 1, 0, 90, "indicative"),
        (1, None, None, None, None, "suppressed"),
    ]
    rolling = [row for row in marts["nps"] if row["period_type"] == "rolling_90d" and row["dimension"] == "all"]
    assert [(row["period_start"], row["responses"]) for row in rolling] == [
        (date(2024, 2, 1), 10),
        (date(2024, 2, 10), 11),
    ]
    assert [row["reason"] for row in marts["quarantined_rows"]] == ["score_out_of_range"]


def test_invitations() -> None:
    invitations = """
        invitation_id, survey_id, respondent_id, sent_at, delivered
        1, nps, p1, 2024-01-01 10:00,
        2, nps, p2, 2024-01-01 10:00, true
        3, nps, p3, 2024-01-01 10:00, false
        4, nps, p4, 2024-01-01 10:00, yes
    """
    responses = """
        response_id, survey, score, responded_at, respondent_id
        1, nps, , 2024-01-31 10:00, p1
        2, nps, 9, 2024-01-31 10:01, p2
        3, nps, 9, 2024-01-02, p3
        4, enps, 9, 2024-01-02, p4
    """
    raw: Raw = {
        "survey_invitations": table("i", invitations),
        "survey_responses": table("r", responses),
    }
    rows = nps(Company(raw, {}))
    found = months(rows, "survey_type", "invited", "answered", "response_rate")
    assert found == [("enps", None, None, None), ("nps", 3, 1, 1 / 3)]
    waves = [(row["wave"], row["period_start"]) for row in rows if row["period_type"] == "wave"]
    assert set(waves) == {("nps", date(2024, 1, 1)), ("enps", date(2024, 1, 2))}


# ---------------------------------------------------------------------- tools


def test_seeds_hold_every_entity(tmp_path: Path) -> None:
    raw = random_company(7)
    write_seeds(raw, tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == {entity.seed for entity in entities().values()}
    for name, entity in entities().items():
        with (tmp_path / f"{entity.seed}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(raw[name])
        assert [row["line_number"] for row in rows if not entity.is_reference] == [
            row["line_number"] for row in raw[name] if not entity.is_reference
        ]
    assert random_company(7) == raw


def test_compare_says_what_differs() -> None:
    expected: list[dict[str, Any]] = [
        {"k": 1, "x": Decimal("0.5"), "d": date(2024, 1, 1)},
        {"k": 2, "x": None, "d": None},
    ]
    actual: list[dict[str, Any]] = [
        {"k": 1, "x": 0.5 + 1e-12, "d": datetime(2024, 1, 1), "more": 1},
        {"k": 3, "x": None, "d": None},
    ]
    assert compare(expected, actual, "mart", ("k",)) == ["mart: missing row k=2", "mart: unexpected row k=3"]
    actual[0]["x"] = 0.6
    assert compare(expected[:1], actual[:1], "mart", ("k",)) == ["mart: k=1: x expected 0.5, actual 0.6"]
    assert compare([{"k": 1, "x": True}], [{"k": 1, "x": 1}], "mart", ("k",)) != []
