"""The value columns of the CDNOW sample, recomputed from the published parameters by the formulas of the papers.

Written apart from warehouse.value_models: scalar formulas, quadrature for the Pareto/NBD, no shared code.
Fader, Hardie, Lee (2005) for BG/NBD; Hoppe, Wagner (2007) for MBG/NBD; Schmittlein, Morrison, Colombo (1987) for
Pareto/NBD; Fader, Hardie, Lee (2005b) for Gamma-Gamma.
"""

from math import isclose
from typing import Any

import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1

from known_answers.conftest import DATA_SETS, Query

# Tests of one data set share its build.
WORK_GROUPS = DATA_SETS
MONTH_WEEKS = 365.25 / 12 / 7
Parameters = dict[str, float]


def alive(model: str, p: Parameters, x: float, recency: float, age: float) -> float:
    """Probability that a customer is still a customer at the end of the observation."""
    if model == "pareto_nbd":
        still = (p["alpha"] + age) ** -(p["r"] + x) * (p["beta"] + age) ** -p["s"]
        gone, _ = quad(
            lambda at: (p["alpha"] + at) ** -(p["r"] + x) * (p["beta"] + at) ** -(p["s"] + 1),
            recency,
            age,
            epsabs=0,
            epsrel=1e-12,
        )
        return still / (still + p["s"] * gone)
    silence = ((p["alpha"] + age) / (p["alpha"] + recency)) ** (p["r"] + x)
    if model == "mbg_nbd":
        return 1 / (1 + p["a"] / (p["b"] + x) * silence)
    return 1 if x == 0 else 1 / (1 + p["a"] / (p["b"] + x - 1) * silence)


def purchases(model: str, p: Parameters, x: float, recency: float, age: float, weeks: float) -> float:
    """Purchases expected in the coming weeks."""
    if model == "pareto_nbd":
        growth = 1 - ((p["beta"] + age) / (p["beta"] + age + weeks)) ** (p["s"] - 1)
        rate = (p["r"] + x) * (p["beta"] + age) / ((p["alpha"] + age) * (p["s"] - 1))
        return rate * growth * alive(model, p, x, recency, age)
    shift = 1 if model == "mbg_nbd" else 0
    total = p["a"] + p["b"] + x - 1 + shift
    shrink = ((p["alpha"] + age) / (p["alpha"] + age + weeks)) ** (p["r"] + x)
    share = weeks / (p["alpha"] + age + weeks)
    growth = 1 - shrink * hyp2f1(p["r"] + x, p["b"] + x + shift, total, share)
    return total / (p["a"] - 1) * growth * alive(model, p, x, recency, age)


def parameters_of(query: Query, fitted_on: str) -> dict[str, Parameters]:
    found: dict[str, Parameters] = {}
    for model, parameter, value in query(
        f"select model, parameter, value from marts.clv_models where fitted_on = '{fitted_on}' and value is not null"
    ):
        found.setdefault(model, {})[parameter] = value
    return found


@pytest.fixture(scope="module")
def customers(cdnow_sample: Query) -> list[dict[str, Any]]:
    names = ["frequency", "recency_weeks", "age_weeks", "mean_order_value", "p_alive", "expected_purchases"]
    names += ["expected_order_value"]
    names += ["residual_value", "horizon_months", "annual_discount_rate", "historical_value", "lifetime_value", "model"]
    rows = cdnow_sample(
        f"select {', '.join(names)} from marts.customer_lifetime_value where frequency is not null order by account_id"
    )
    return [dict(zip(names, row, strict=True)) for row in rows][::12]


def test_every_buyer_is_valued_by_the_chosen_model(
    cdnow_sample: Query,
    customers: list[dict[str, Any]],
) -> None:
    [(chosen,)] = cdnow_sample(
        "select distinct model from marts.clv_models where is_chosen and fitted_on = 'all' and model <> 'gamma_gamma'"
    )
    [(alive_model,)] = cdnow_sample("select distinct model from marts.clv_models where is_p_alive_model")
    fitted = parameters_of(cdnow_sample, "all")
    gamma_gamma = fitted["gamma_gamma"]
    assert len(customers) > 150
    for row in customers:
        history = (row["frequency"], row["recency_weeks"], row["age_weeks"])
        months, rate = row["horizon_months"], 1.10 ** (1 / 12) - 1
        assert (row["model"], months, row["annual_discount_rate"]) == (chosen, 36, 0.10)
        assert isclose(row["p_alive"], alive(alive_model, fitted[alive_model], *history), rel_tol=1e-6)
        expected = [purchases(chosen, fitted[chosen], *history, month * MONTH_WEEKS) for month in range(months + 1)]
        assert isclose(row["expected_purchases"], expected[-1], rel_tol=1e-6)
        spent = row["frequency"] * (row["mean_order_value"] or 0)
        order_value = (
            gamma_gamma["p"]
            * (gamma_gamma["gamma"] + spent)
            / (gamma_gamma["p"] * row["frequency"] + gamma_gamma["q"] - 1)
        )
        assert isclose(row["expected_order_value"], order_value, rel_tol=1e-6)
        residual = order_value * sum(
            (expected[month] - expected[month - 1]) / (1 + rate) ** month for month in range(1, months + 1)
        )
        assert isclose(float(row["residual_value"]), residual, rel_tol=1e-5, abs_tol=1e-6)
        assert row["lifetime_value"] == row["historical_value"] + row["residual_value"]


def test_the_holdout_decides(cdnow_sample: Query) -> None:
    judged = cdnow_sample(
        "select distinct model, holdout_predicted, holdout_actual, not_converged_reason from marts.clv_models"
        " where fitted_on = 'calibration'"
    )
    assert {model for model, *_ in judged} == {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    # What did not converge states why, and is no candidate.
    assert all((predicted is None) == (reason is not None) for _, predicted, _, reason in judged)
    errors = {model: abs(predicted - actual) for model, predicted, actual, reason in judged if reason is None}
    chosen = cdnow_sample(
        "select distinct model from marts.clv_models where is_chosen and fitted_on = 'all' and model <> 'gamma_gamma'"
    )
    assert chosen == [(min(errors, key=lambda model: errors[model]),)]
    backtests = cdnow_sample(
        "select predicted, actual, error from marts.backtest where quantity = 'purchases' and predicted is not null"
    )
    assert backtests
    assert all(isclose(error, predicted - actual) for predicted, actual, error in backtests)
