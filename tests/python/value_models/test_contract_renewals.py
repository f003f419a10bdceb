"""Shifted-beta-geometric: published answers, gradient, recovery, residual lifetime, degenerate data."""

import warnings
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.value_models.shifted_beta_geometric import (
    ShiftedBetaGeometricParameters,
    discounted_expected_residual_lifetime,
    fit_shifted_beta_geometric,
    likelihood_function,
    retention_rate,
    survival,
    survival_given_renewals,
)

HIGH_END = np.array([1000, 869, 743, 653, 593, 551, 517, 491])


def fit_high_end():
    return fit_shifted_beta_geometric(
        [*range(7), 7], [True] * 7 + [False], [*(HIGH_END[:-1] - HIGH_END[1:]), HIGH_END[-1]]
    )


def test_published_parameters_and_projection():
    fit = fit_high_end()
    assert fit.customers == 1000
    assert astuple(fit.parameters) == pytest.approx((0.668, 3.806), abs=5.1e-4)
    assert fit.log_likelihood == pytest.approx(-1611.158, abs=1e-3)
    assert survival(fit.parameters, range(8, 13)) == pytest.approx([0.460, 0.436, 0.414, 0.395, 0.378], abs=5.1e-4)


def test_single_customers_and_counts_are_the_same():
    losses = -np.diff(HIGH_END)
    renewals = np.concatenate((np.repeat(np.arange(7), losses), np.full(491, 7)))
    is_closed = np.arange(1000) < 509
    single, counted = fit_shifted_beta_geometric(renewals, is_closed), fit_high_end()
    assert astuple(single.parameters) == pytest.approx(astuple(counted.parameters), rel=1e-8)
    assert astuple(single.standard_errors) == pytest.approx(astuple(counted.standard_errors), rel=1e-6)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    logarithms=st.tuples(st.floats(-3, 4), st.floats(-3, 6)),
    rows=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 50), st.integers(0, 50)), min_size=1),
)
def test_gradient_equals_finite_differences(logarithms, rows):
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    likelihood = likelihood_function(*columns)
    parameters = np.exp(np.array(logarithms))
    value, gradient = likelihood(parameters)
    for index in range(2):
        step = np.zeros(2)
        step[index] = 1e-5 * parameters[index]
        slope = (likelihood(parameters + step)[0] - likelihood(parameters - step)[0]) / (2 * step[index])
        tolerance = 2e-6 * (1 + abs(slope)) + 1e-10 * (1 + abs(value)) * 1e5 / parameters[index]
        assert gradient[index] == pytest.approx(slope, abs=tolerance)


def test_parameters_of_simulated_contracts_are_recovered():
    generator = np.random.default_rng(5)
    truth = (0.8, 12.0)
    lifetime = generator.geometric(np.maximum(generator.beta(*truth, 30_000), 1e-9)) - 1
    observed = generator.integers(1, 48, 30_000)
    fit = fit_shifted_beta_geometric(np.minimum(lifetime, observed), lifetime < observed)
    distance = (np.array(astuple(fit.parameters)) - truth) / np.array(astuple(fit.standard_errors))
    assert np.abs(distance).max() < 3.5


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    logarithms=st.tuples(st.floats(-3, 3), st.floats(-3, 5)),
    renewals=st.integers(0, 200),
    rate=st.floats(0.004, 0.2),
)
def test_residual_lifetime_is_the_discounted_sum_of_survival(logarithms, renewals, rate):
    parameters = ShiftedBetaGeometricParameters(*np.exp(logarithms))
    months = np.arange(1, 12_001)
    given_renewals = survival(parameters, renewals + months) / survival(parameters, renewals)
    by_hand = (given_renewals * (1 + rate) ** (1.0 - months)).sum()
    several = discounted_expected_residual_lifetime(parameters, [renewals, 0, renewals], rate)
    assert several[0] == several[2] == pytest.approx(by_hand, rel=1e-9)
    assert 0 <= several[1] <= several[0] * (1 + 1e-12)
    # A contract that never closes is the ceiling.
    assert several[0] < (1 + rate) / rate


def test_survival_and_retention_fit_together():
    parameters = ShiftedBetaGeometricParameters(0.668, 3.806)
    n = np.arange(30)
    assert survival(parameters, 0) == pytest.approx(1.0)
    assert survival(parameters, n + 1) / survival(parameters, n) == pytest.approx(retention_rate(parameters, n))
    year = np.prod([retention_rate(parameters, n + month) for month in range(12)], axis=0)
    assert survival_given_renewals(parameters, n) == pytest.approx(year)
    assert (np.diff(survival_given_renewals(parameters, n)) > 0).all()


def test_no_discount_is_refused_and_nobody_is_fine():
    parameters = ShiftedBetaGeometricParameters(0.668, 3.806)
    for rate in (0.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="discount rate"):
            discounted_expected_residual_lifetime(parameters, [1], rate)
    assert discounted_expected_residual_lifetime(parameters, [], 0.01).shape == (0,)


@pytest.mark.parametrize(
    ("renewals", "is_closed", "reason"),
    [
        ([], [], "no_customers"),
        ([3, 4], [False, False], "no_closed_contracts"),
        ([0, 0, 0], [True, True, False], "no_survivors"),
        ([5], [True], "parameter_diverged"),
        ([5] * 300, [True] * 300, "parameter_diverged"),
        ([1, np.nan], [True, False], "invalid_input"),
        ([1, -1], [True, False], "invalid_input"),
        ([1, 0.5], [True, False], "invalid_input"),
        ([1, 2], [True], "invalid_input"),
    ],
)
def test_degenerate_data_give_a_reason_and_no_number(renewals, is_closed, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = fit_shifted_beta_geometric(renewals, is_closed)
    assert fit.not_converged_reason == reason
    assert fit.parameters is None
