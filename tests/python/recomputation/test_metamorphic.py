"""The recomputation on random companies: identities, and changes that must change nothing."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from recomputation.companies import random_company, random_variables
from recomputation.company import Company
from recomputation.compare import compare
from recomputation.metamorphic import (
    ADDRESS_MARTS,
    complete_rows,
    delivered_twice,
    renamed_accounts,
    scaled_currency,
    shuffled,
    split_in_two,
    with_later_rows,
    with_new_names,
)
from recomputation.recompute import GRAINS, Marts, marts_of, recompute

SEEDS = range(100, 106)


def differences(expected: Marts, actual: Marts, without: tuple[str, ...] = ()) -> list[str]:
    """Compare every mart but the named ones."""
    return [
        line
        for mart, grain in GRAINS.items()
        if mart not in without
        for line in compare(expected[mart], actual[mart], mart, grain)
    ]


def totals_by_dimension(rows: list[dict[str, Any]], grain: tuple[str, ...], measure: str) -> list[str]:
    """Return the grains at which the values of a dimension do not add up to `all`."""
    rest = [name for name in grain if name not in ("dimension", "dimension_value")]
    sums: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    for row in rows:
        group = sums[tuple(row[name] for name in rest)]
        group[row["dimension"]] = group.get(row["dimension"], 0) + (row[measure] or 0)
    return [str(key) for key, group in sums.items() if any(abs(one - group["all"]) > 1e-9 for one in group.values())]


@pytest.mark.parametrize("seed", SEEDS)
def test_identities(seed: int) -> None:
    company = Company(random_company(seed), random_variables(seed))
    marts = marts_of(company)
    for mart, grain in GRAINS.items():
        assert compare(marts[mart], marts[mart], mart, grain) == []
    for row in marts["retention_rate"]:
        kept, new, back = (row[f"{name}_customers"] for name in ("retained", "new", "reactivated"))
        assert row["customers_at_end"] == kept + new + back
        assert row["customers_at_start"] == kept + row["churned_customers"]
    for row in marts["revenue_retention"]:
        gained = row["new_mrr"] + row["reactivation_mrr"] + row["expansion_mrr"]
        assert row["mrr_at_start"] + gained - row["contraction_mrr"] - row["churned_mrr"] == row["mrr_at_end"]
    for row in marts["funnel_conversion"]:
        if row["advanced"] is not None:
            assert row["entered"] == row["advanced"] + row["lost"] + row["open"]
            assert (row["overall_conversion_rate"] or 0) <= 1
    for row in marts["load_reconciliation"]:
        assert row["rows_in"] == row["rows_staged"] + row["rows_quarantined"] + row["rows_superseded"]
    for mart, measure in (
        ("retention_rate", "customers_at_start"),
        ("retention_rate", "flash_customers"),
        ("revenue_retention", "churned_mrr"),
        ("churn_cohorts", "retained_customers"),
        ("funnel_conversion", "reached"),
        ("nps", "responses"),
        ("nps", "answered"),
    ):
        assert totals_by_dimension(marts[mart], GRAINS[mart], measure) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_end_of_a_period_is_the_start_of_the_next(seed: int) -> None:
    rows = recompute(random_company(seed), random_variables(seed))["retention_rate"]
    by_period = {tuple(row[name] for name in GRAINS["retention_rate"]): row for row in rows}
    for row in rows:
        following = by_period.get((row["basis"], row["period_type"], row["period_end"], *_value(row)))
        if following is not None and row["dimension"] != "plan":
            assert row["customers_at_end"] == following["customers_at_start"]


def _value(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["dimension"], row["dimension_value"]


@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_deliveries_change_nothing(seed: int) -> None:
    raw, variables = random_company(seed), random_variables(seed)
    marts = recompute(raw, variables)
    assert differences(marts, recompute(shuffled(raw, seed), variables)) == []
    assert differences(marts, recompute(delivered_twice(raw), variables), ADDRESS_MARTS) == []
    assert differences(marts, recompute(split_in_two(raw), variables), ADDRESS_MARTS) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_currencies_change_nothing(seed: int) -> None:
    raw, variables = random_company(seed), random_variables(seed)
    renamed = recompute(renamed_accounts(raw), variables)
    assert differences(with_new_names(recompute(raw, variables)), renamed, ("quarantined_rows",)) == []
    marts = recompute(raw, variables)
    # The scaled amounts are written plainly, so they need no repair.
    assert differences(marts, recompute(scaled_currency(raw), variables), ("load_repairs",)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_later_rows_change_nothing_before_as_of(seed: int) -> None:
    raw, variables = random_company(seed), random_variables(seed)
    as_of = Company(raw, variables).as_of or datetime(2023, 1, 1)
    variables["as_of"] = as_of
    marts = recompute(raw, variables)
    later = recompute(with_later_rows(raw, as_of, seed), variables)
    assert differences(marts, later, ADDRESS_MARTS) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_later_rows_change_no_complete_period(seed: int) -> None:
    raw = random_company(seed)
    as_of = Company(raw, {}).as_of or datetime(2023, 1, 1)
    variables = {"inactivity_days": 60, "velocity_minimum_won": 1}
    marts = complete_rows(recompute(raw, {**variables, "as_of": as_of}), as_of)
    later = recompute(with_later_rows(raw, as_of, seed), {**variables, "as_of": as_of + timedelta(days=75)})
    for mart, rows in complete_rows(later, as_of).items():
        known = {tuple(row[name] for name in GRAINS[mart]) for row in marts[mart]}
        # A customer who only comes later may bring a dimension value of its own, with zeros before.
        same_rows = [row for row in rows if tuple(row[name] for name in GRAINS[mart]) in known]
        assert compare(marts[mart], same_rows, mart, GRAINS[mart]) == []
