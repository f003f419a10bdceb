"""Gamma–Gamma: published answers, gradient, recovery, degenerate data."""

import warnings
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from value_models.customer_base import cdnow_calibration
from warehouse.value_models.gamma_gamma import fit_gamma_gamma, likelihood_function


def test_published_parameters_of_cdnow():
    base = cdnow_calibration()
    fit = fit_gamma_gamma(base.histories.frequency, base.mean_value)
    assert fit.customers == 946
    assert astuple(fit.parameters) == pytest.approx((6.25, 3.74, 15.44), abs=5.1e-3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    logarithms=st.tuples(st.floats(-2, 3), st.floats(-2, 3), st.floats(-3, 8)),
    rows=st.lists(st.tuples(st.integers(1, 300), st.floats(0.01, 1e5), st.integers(1, 9)), min_size=1, max_size=6),
)
def test_gradient_equals_finite_differences(logarithms, rows):
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    likelihood = likelihood_function(*columns)
    parameters = np.exp(np.array(logarithms))
    value, gradient = likelihood(parameters)
    for index in range(3):
        step = np.zeros(3)
        step[index] = 1e-5 * parameters[index]
        slope = (likelihood(parameters + step)[0] - likelihood(parameters - step)[0]) / (2 * step[index])
        scale = abs(slope) + (1 + abs(value) + columns[0] @ columns[2]) / parameters[index]
        assert gradient[index] == pytest.approx(slope, abs=2e-6 * scale)


def test_parameters_of_simulated_orders_are_recovered():
    generator = np.random.default_rng(8)
    truth = np.array([5.0, 4.0, 40.0])
    frequency = generator.integers(1, 20, 30_000).astype(np.float64)
    scale = 1 / generator.gamma(truth[1], 1 / truth[2], 30_000)
    mean_value = generator.gamma(truth[0] * frequency, scale) / frequency
    fit = fit_gamma_gamma(frequency, mean_value)
    distance = (np.array(astuple(fit.parameters)) - truth) / np.array(astuple(fit.standard_errors))
    assert np.abs(distance).max() < 3.5
    # Rows that say nothing are left out; counts stand for repeated rows.
    again = fit_gamma_gamma(
        np.append(frequency, [0, 3, 2]), np.append(mean_value, [np.nan, 0.0, -5.0]), np.full(30_003, 2)
    )
    assert again.customers == 60_000
    assert astuple(again.parameters) == pytest.approx(astuple(fit.parameters), rel=1e-6)
    assert np.array(astuple(again.standard_errors)) * np.sqrt(2) == pytest.approx(
        astuple(fit.standard_errors), rel=1e-4
    )
    # Another currency is another gamma.
    other = fit_gamma_gamma(frequency, mean_value * 150)
    assert astuple(other.parameters) == pytest.approx(np.array(astuple(fit.parameters)) * [1, 1, 150], rel=1e-6)


@pytest.mark.parametrize(
    ("frequency", "mean_value", "reason"),
    [
        ([], [], "no_repeat_purchases"),
        ([0, 0], [np.nan, np.nan], "no_repeat_purchases"),
        ([2], [0.0], "no_repeat_purchases"),
        ([2], [30.0], "parameter_diverged"),
        ([2, 3, 4], [30.0, 30.0, 30.0], "parameter_diverged"),
        ([2, 3], [np.nan, 30.0], "invalid_input"),
        ([2, 3], [np.inf, 30.0], "invalid_input"),
        ([2, 3], [30.0], "invalid_input"),
    ],
)
def test_degenerate_data_give_a_reason_and_no_number(frequency, mean_value, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = fit_gamma_gamma(frequency, mean_value)
    assert fit.not_converged_reason == reason
    assert fit.parameters is None
    assert fit.log_likelihood is None


def test_a_population_without_a_mean_is_refused():
    generator = np.random.default_rng(9)
    frequency = generator.integers(1, 20, 5_000).astype(np.float64)
    mean_value = generator.gamma(5 * frequency, 1 / generator.gamma(0.7, 1 / 40, 5_000)) / frequency
    assert fit_gamma_gamma(frequency, mean_value).not_converged_reason == "infinite_mean_order_value"
