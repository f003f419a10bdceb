"""The warehouse's own models against the recomputation, on random companies: every column of every mart."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.compiled_project import CompiledProject, compile_project
from recomputation.companies import Raw, random_company, random_variables, written_company
from recomputation.company import Company
from recomputation.compare import by_grain, compare
from recomputation.expectations import ValueModels
from recomputation.metamorphic import (
    ADDRESS_MARTS,
    delivered_twice,
    renamed_accounts,
    scaled_currency,
    shuffled,
    split_in_two,
    with_new_names,
)
from recomputation.personal import account_contacts, survey_comments
from recomputation.recompute import GRAINS, TOLERANCES, Marts, marts_of
from warehouse.contract import entities

# Every worker reads the compiled project at once; the companies are what takes long.
WORK_SHARES = 8
# Far from the defaults, so that every var matters to some number.
STRESSED = {
    "inactivity_days": 45,
    "grace_days": 5,
    "gross_margin_rate": 0.8,
    "reporting_timezone": "Asia/Kuala_Lumpur",
    "conversion_window_days": 30,
    "bottleneck_minimum_decided": 1,
    "velocity_minimum_won": 1,
    "clv_minimum_repeaters": 5,
    "clv_minimum_plan_customers": 6,
    "clv_horizon_months": 18,
    "clv_annual_discount_rate": 0.25,
    "clv_calibration_share": 0.5,
    "backtest_horizon_days": [60, 150],
    "loyalty_tiers": {"basic": 0, "vip": 1000},
}
# Few enough for the value models of a company of forty customers.
SMALL = {"clv_minimum_repeaters": 4, "clv_minimum_plan_customers": 4}
FITS = "int_value_model_fits"
MARTS = Path(__file__).resolve().parents[3] / "models" / "marts"
# Marts that are not recomputed, and why.
EXEMPT = {"mart_run": "describes the run (its id, time and versions), not the company"}
REFERENCES = {entity.name for entity in entities().values() if entity.is_reference}


@pytest.fixture(scope="module")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def small_project(default_project: CompiledProject) -> CompiledProject:
    project = default_project
    for name, minimum in SMALL.items():
        column = name.removeprefix("clv_")
        project = project.changed("int_value_model_settings", f"200 as {column}", f"{minimum} as {column}")
    return project


@pytest.fixture(scope="module")
def stressed_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("stressed"), STRESSED)


def company_of(seed: int) -> Raw:
    """Return a random company; most have customers on whom value models can be fitted."""
    return random_company(seed, regulars=30 if seed % 5 else 0)


def rows_of_companies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the rows about reference seeds: they are the project's own, not the company's."""
    return [row for row in rows if row.get("entity") not in REFERENCES]


def recomputed(raw: Raw, fits: list[dict[str, Any]], variables: dict[str, Any]) -> tuple[Marts, ValueModels | None]:
    """Return the marts of a company as its published fits make them, and its value models."""
    company = Company(raw, dict(variables))
    models = None if company.as_of is None else ValueModels(company, fits)
    return marts_of(company, models), models


def differences(project: CompiledProject, seed: int, variables: dict[str, Any]) -> list[str]:
    """Return what differs for a random company; see differences_of."""
    return differences_of(project, company_of(seed), variables)


def differences_of(project: CompiledProject, raw: Raw, variables: dict[str, Any]) -> list[str]:
    """Return one line per number on which the warehouse and the recomputation disagree, and per failing data test."""
    with project.built(raw, variables.get("as_of")) as connection:
        actual = project.tables(connection, also=[FITS])
        found = [f"{name}: {rows}" for name, rows in project.failing_tests(connection).items()]
    expected, models = recomputed(raw, actual[FITS], variables)
    found += list(models.differences()) if models else []
    for mart, grain in GRAINS.items():
        rows = rows_of_companies(actual[mart])
        found += compare(expected[mart], rows, mart, grain, tolerances=TOLERANCES.get(mart, {}))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_random_company(small_project: CompiledProject, seed: int) -> None:
    assert differences(small_project, seed, SMALL) == []


@pytest.mark.parametrize("seed", range(30, 55))
def test_random_company_under_other_vars_and_replays(stressed_project: CompiledProject, seed: int) -> None:
    variables = {**STRESSED, "as_of": random_variables(seed)["as_of"]}
    assert differences(stressed_project, seed, variables) == []


@pytest.mark.parametrize("seed", range(55, 58))
def test_random_company_too_small_for_value_models(default_project: CompiledProject, seed: int) -> None:
    assert differences(default_project, seed, {}) == []


CONTRACTS = """subscription_id,account_id,started_at,ended_at,mrr,plan
s1,a,2024-01-01,2024-01-31 09:00,100,pro
s1,a,2024-01-31 09:00,2024-01-31 18:00,40,basic
s2,a,2024-02-03,2024-03-05,40,basic
s3,b,2024-01-01,2024-01-31,10,pro
s4,b,2024-01-31,2024-01-31,50,basic
s5,b,2024-02-03,2024-03-05,10,pro
s6,c,2024-01-01,2024-01-31 08:00,10,pro
s7,c,2024-01-01,2024-01-31 20:00,20,pro
s8,c,2024-02-02,,30,pro
"""


def test_the_contracts_that_end_last_bridge_a_gap(stressed_project: CompiledProject) -> None:
    """Not what was replaced or ended earlier on the day on which the gap begins, nor what was never in force."""
    raw = written_company(subscription_periods=CONTRACTS)
    assert differences_of(stressed_project, raw, {**STRESSED, "as_of": date(2024, 3, 6)}) == []
    row = one_row(stressed_project.run(raw, date(2024, 3, 6))["revenue_retention"], "month", date(2024, 2, 1))
    assert [row["mrr_at_start"], row["contraction_mrr"], row["gross_revenue_retention"]] == [70, 0, 1]


OLDEST = """subscription_id,account_id,started_at,ended_at,mrr,plan
s0,a0,2023-04-28,,10,x
s1,a1,2023-07-27,,10,x
e0,b0,2023-01-28,2023-10-05,10,x
"""


def backtest_of_contracts(project: CompiledProject, raw: Raw, as_of: date, horizon: int) -> list[Any]:
    """Return how many customers were predicted at the cut before as_of, their predicted and their actual retention."""
    (row,) = (
        each
        for each in project.run(raw, as_of)["backtest"]
        if (each["model"], each["horizon_days"]) == ("kaplan_meier: contract", horizon)
    )
    return [row["customers"], row["predicted"], row["actual"]]


def test_the_age_that_was_observed_last_is_predicted(small_project: CompiledProject) -> None:
    raw, as_of = written_company(subscription_periods=OLDEST), date(2024, 6, 1)
    assert differences_of(small_project, raw, {**SMALL, "as_of": as_of}) == []
    assert backtest_of_contracts(small_project, raw, as_of, 90) == [1, 0.5, 1]


# The cut before 2024-06-01 is 2024-04-02, and the gap of a, of three days, is open there.
GAP_AT_THE_CUT = """subscription_id,account_id,started_at,ended_at,mrr,plan
x,x,2023-02-27,,10,x
y,y,2023-09-15,,10,x
a1,a,2023-09-15,2024-03-31,10,x
a2,a,2024-04-03,,10,x
"""


@pytest.mark.parametrize(("returns", "customers"), [("2024-04-01", 2), ("2024-04-02", 1), ("2024-04-03", 1)])
def test_a_gap_is_bridged_at_a_cut_by_what_began_before(
    stressed_project: CompiledProject, returns: str, customers: int
) -> None:
    raw = written_company(subscription_periods=GAP_AT_THE_CUT.replace("2024-04-03", returns))
    as_of = date(2024, 6, 1)
    assert differences_of(stressed_project, raw, {**STRESSED, "as_of": as_of}) == []
    assert backtest_of_contracts(stressed_project, raw, as_of, 60)[0] == customers


DEALS = """deal_id,stage,closed_at,amount
d,Won,2024-01-31,500
e,Lost,2024-03-03,7
"""
HISTORY = """deal_id,stage,entered_at
d,Won,2024-02-02 09:00
e,Demo,2024-02-20
"""


def test_a_close_dated_before_anything_else_counts(small_project: CompiledProject) -> None:
    raw = written_company(deals=DEALS, deal_stage_history=HISTORY)
    assert differences_of(small_project, raw, SMALL) == []
    row = one_row(small_project.run(raw)["sales_performance"], "month", date(2024, 1, 1))
    assert [row["won"], row["won_amount"]] == [1, 500]


WON_AGAIN = """deal_id,stage,entered_at
r,Prospecting,2024-01-01
r,Won,2024-01-05
r,Demo,2024-02-01
r,Won,2024-05-05
"""


def test_a_deal_that_is_won_again_later_is_open_in_between(small_project: CompiledProject) -> None:
    raw = written_company(
        deals="deal_id,stage,created_at,amount\nr,Won,2024-01-01,1000\n", deal_stage_history=WON_AGAIN
    )
    replay = date(2024, 3, 1)
    assert differences_of(small_project, raw, {**SMALL, "as_of": replay}) == []
    assert differences_of(small_project, raw, SMALL) == []
    marts = small_project.run(raw, replay)
    january, february = (one_row(marts["sales_performance"], "month", date(2024, month, 1)) for month in (1, 2))
    assert [january["won"], february["open"]] == [0, 1]
    demo = next(
        row
        for row in marts["funnel_conversion"]
        if (row["stage"], row["period_type"], row["dimension"]) == ("Demo", "year", "all")
    )
    assert [demo["entered"], demo["advanced"], demo["open"]] == [1, 0, 1]


CLOSED_BY_HISTORY = """deal_id,stage,created_at,closed_at,amount,currency
d,Won,2023-05-01,,100,EUR
e,Won,2023-05-01,2024-02-10,100,EUR
f,Won,,,100,EUR
g,Won,2021-01-02,,100,EUR
"""
CLOSES = """deal_id,stage,entered_at
d,Won,2024-02-10
f,Won,2024-02-10
g,Won,2020-12-31
"""
RATES = [
    {"currency": "EUR", "valid_from": "2021-01-01", "rate": "1"},
    {"currency": "EUR", "valid_from": "2024-01-01", "rate": "2"},
]


def test_a_deal_that_only_its_history_closes_takes_the_rate_of_that_day(small_project: CompiledProject) -> None:
    """Or, where that day is older than any rate, the one of its creation."""
    raw = {**written_company(deals=CLOSED_BY_HISTORY, deal_stage_history=CLOSES), "fx_rates": RATES}
    assert differences_of(small_project, raw, SMALL) == []
    rows = small_project.run(raw)["sales_performance"]
    assert one_row(rows, "month", date(2024, 2, 1))["won_amount"] == 600
    assert one_row(rows, "month", date(2020, 12, 1))["won_amount"] == 100


def test_a_contact_takes_its_choice_to_another_account(small_project: CompiledProject) -> None:
    raw = written_company(
        accounts="account_id,account_name\nA,Acme\nB,Globex\n",
        contacts="contact_id,account_id\nK,B\n",
        email_preferences="account_id,action,occurred_at,contact_id\nA,unsubscribe,2024-02-01,K\n",
    )
    assert differences_of(small_project, raw, SMALL) == []
    losses = {row["account_id"]: row for row in small_project.run(raw)["customer_losses"]}
    assert [losses["B"]["is_reachable"], losses["B"]["unsubscribed_at"]] == [False, datetime(2024, 2, 1)]
    assert losses["A"]["is_reachable"]


def test_contacts_that_nobody_delivered_are_those_of_each_account(small_project: CompiledProject) -> None:
    raw = written_company(
        accounts="account_id,account_name\nA,Acme\nB,Globex\n",
        email_preferences=(
            "account_id,action,occurred_at,contact_id\n"
            "A,unsubscribe,2024-02-01,primary\nB,subscribe,2024-01-05,primary\n"
        ),
    )
    assert differences_of(small_project, raw, SMALL) == []
    reachable = {row["account_id"]: row["is_reachable"] for row in small_project.run(raw)["customer_losses"]}
    assert reachable == {"A": False, "B": True}


def test_a_company_without_any_event_has_empty_marts(small_project: CompiledProject) -> None:
    raw = written_company(accounts="account_id,account_name\nA1,Acme\nA2,Globex\n")
    assert differences_of(small_project, raw, SMALL) == []
    assert small_project.run(raw)["customer_360"] == []


def one_row(rows: list[dict[str, Any]], period_type: str, start: date) -> dict[str, Any]:
    """Return the row of all customers of a period."""
    (row,) = (
        each
        for each in rows
        if (each["period_type"], each["period_start"], each["dimension"]) == (period_type, start, "all")
    )
    return row


@pytest.mark.parametrize("seed", [2, 4])
def test_no_better_fit_is_found(small_project: CompiledProject, seed: int) -> None:
    raw = company_of(seed)
    _, models = recomputed(raw, small_project.run(raw, also=[FITS])[FITS], SMALL)
    assert models is not None
    assert list(models.better_points()) == []


def spoiled(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value + (value or 1) / 100
    if isinstance(value, int | Decimal):
        return value + 1
    if isinstance(value, date):
        return value.replace(year=value.year + 1, day=1)
    return f"{value} " if value is not None else 0


def test_a_wrong_cell_is_seen(small_project: CompiledProject) -> None:
    raw = company_of(11)
    actual = small_project.run(raw, also=[FITS])
    expected, _ = recomputed(raw, actual[FITS], SMALL)
    for mart, grain in GRAINS.items():
        rows = rows_of_companies(actual[mart])
        tolerances = TOLERANCES.get(mart, {})
        assert compare(expected[mart], rows, mart, grain, tolerances=tolerances) == []
        wanted, found = by_grain(expected[mart], grain)[0], by_grain(rows, grain)[0]
        key = next(iter(wanted))
        for column in wanted[key]:
            wrong = {**found[key], column: spoiled(found[key][column])}
            assert compare([wanted[key]], [wrong], mart, grain, tolerances=tolerances), (mart, column)


def test_every_column_of_every_mart_is_recomputed() -> None:
    published = {
        model["name"]: {column["name"] for column in model["columns"]}
        for file in MARTS.rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", ())
    }
    covered: dict[str, set[str]] = defaultdict(set)
    for seed in (4, 11):
        company = Company(company_of(seed), SMALL)
        # A fit that failed has the same columns as one that did not.
        personal = {"survey_comments": survey_comments(company), "account_contacts": account_contacts(company)}
        for mart, rows in {**marts_of(company), **personal}.items():
            covered[mart].update(*rows)
    assert {mart: columns - covered[mart] for mart, columns in published.items() if columns - covered[mart]} == {
        mart: published[mart] for mart in EXEMPT
    }


def test_every_model_is_run(default_project: CompiledProject) -> None:
    models = {
        path.stem
        for path in (Path(__file__).resolve().parents[3] / "models").rglob("*.*")
        if path.suffix in (".sql", ".py")
    }
    assert {model.name for model in default_project.models} == models


@pytest.mark.parametrize("seed", range(60, 64))
def test_changes_that_change_nothing(small_project: CompiledProject, seed: int) -> None:
    raw = company_of(seed)
    marts = small_project.run(raw)

    def changed_by(changed: Raw, expected: Marts, without: tuple[str, ...] = ()) -> list[str]:
        actual = small_project.run(changed)
        return [
            line
            for mart, grain in GRAINS.items()
            if mart not in without
            for line in compare(expected[mart], actual[mart], mart, grain)
        ]

    assert changed_by(delivered_twice(raw), marts, ADDRESS_MARTS) == []
    assert changed_by(split_in_two(raw), marts, ADDRESS_MARTS) == []
    assert changed_by(renamed_accounts(shuffled(raw, seed)), with_new_names(marts), ("quarantined_rows",)) == []
    # Ten times the amounts at a tenth of the rate. Between them these two leave no mart out of a new order of rows.
    assert changed_by(scaled_currency(shuffled(raw, seed)), marts, ("load_repairs",)) == []
