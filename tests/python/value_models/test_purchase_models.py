"""BG/NBD, MBG/NBD and Pareto/NBD: published answers, gradients, recovery, degenerate data."""

import warnings
from collections.abc import Callable
from dataclasses import astuple
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from value_models.customer_base import cdnow_calibration, read_cdnow, simulate
from warehouse.value_models import pareto_nbd, sufficient_statistics
from warehouse.value_models.bg_nbd import (
    BgNbdParameters,
    MbgNbdParameters,
    fit_bg_nbd,
    fit_mbg_nbd,
)
from warehouse.value_models.bg_nbd import (
    likelihood_function as beta_geometric_likelihood,
)
from warehouse.value_models.fitting import Fit, Likelihood, maximise
from warehouse.value_models.pareto_nbd import ParetoNbdParameters, fit_pareto_nbd
from warehouse.value_models.sufficient_statistics import (
    PurchaseHistories,
    group_histories,
    pilot_sample,
)

FITS: dict[str, Callable[[PurchaseHistories], Fit]] = {
    "bg_nbd": fit_bg_nbd,
    "mbg_nbd": fit_mbg_nbd,
    "pareto_nbd": fit_pareto_nbd,
}
MODELS = list(FITS)


def likelihood_of(model: str, histories: PurchaseHistories) -> Likelihood:
    if model == "pareto_nbd":
        return pareto_nbd.likelihood_function(histories)
    return beta_geometric_likelihood(BgNbdParameters if model == "bg_nbd" else MbgNbdParameters, histories)


@pytest.mark.parametrize(
    ("model", "parameters", "log_likelihood"),
    [
        ("bg_nbd", (0.243, 4.414, 0.793, 2.426), -9582.4),
        ("mbg_nbd", (0.525, 6.183, 0.891, 1.614), None),
        ("pareto_nbd", (0.553, 10.578, 0.606, 11.669), -9595.0),
    ],
)
def test_published_parameters_of_cdnow(model, parameters, log_likelihood):
    fit = FITS[model](cdnow_calibration().grouped)
    assert fit.is_converged
    assert fit.not_converged_reason is None
    assert fit.customers == 2357
    assert astuple(fit.parameters) == pytest.approx(parameters, abs=5.1e-4)
    if log_likelihood is not None:
        assert fit.log_likelihood == pytest.approx(log_likelihood, abs=0.05)


def test_bg_nbd_of_the_warehouse_end_to_end_figures():
    base = read_cdnow(date(1997, 9, 30), date(1997, 10, 1), with_zero_amounts=False)
    fit = fit_bg_nbd(base.grouped)
    assert fit.customers == 2349
    assert astuple(fit.parameters) == pytest.approx((0.2430, 4.4026, 0.8140, 2.4741), abs=5.1e-5)
    assert fit.log_likelihood == pytest.approx(-9585.66, abs=0.005)


@pytest.mark.parametrize("model", MODELS)
def test_grouping_changes_nothing_but_the_size(model):
    base = cdnow_calibration()
    assert base.grouped.total_customers == base.histories.total_customers == 2357
    for each in (base.grouped, base.histories):
        assert each.customers[each.frequency > 0].sum() == 946
    assert len(base.grouped.frequency) < 1100
    loose, tight = FITS[model](base.histories), FITS[model](base.grouped)
    assert astuple(loose.parameters) == pytest.approx(astuple(tight.parameters), rel=1e-6)
    assert astuple(loose.standard_errors) == pytest.approx(astuple(tight.standard_errors), rel=1e-6)
    assert loose.log_likelihood == pytest.approx(tight.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("collide", [False, True])
def test_distinct_rows_survive_colliding_hashes_and_signed_zeros(collide, monkeypatch):
    if collide:
        monkeypatch.setattr(
            sufficient_statistics, "_row_hashes", lambda columns: np.zeros(len(columns[0]), dtype=np.uint64)
        )
    generator = np.random.default_rng(2)
    columns = [generator.integers(0, 4, 500).astype(np.float64) for _ in range(3)]
    columns[0][columns[0] == 0] *= -1.0
    columns[0][::2] = np.abs(columns[0][::2])
    first, inverse = sufficient_statistics.distinct_rows(columns)
    rows = np.column_stack(columns)
    assert len(first) == len(np.unique(rows + 0.0, axis=0))
    assert (rows[first][inverse] == rows).all()


@pytest.mark.parametrize("model", MODELS)
def test_days_instead_of_weeks_rescale_the_rates_only(model):
    histories = cdnow_calibration().grouped
    days = PurchaseHistories(histories.frequency, histories.recency * 7, histories.age * 7, histories.customers)
    in_weeks, in_days = FITS[model](histories), FITS[model](days)
    factor = np.array([1, 7, 1, 7 if model == "pareto_nbd" else 1])
    assert astuple(in_days.parameters) == pytest.approx(np.array(astuple(in_weeks.parameters)) * factor, rel=1e-6)
    purchases = histories.frequency @ histories.customers
    assert in_days.log_likelihood == pytest.approx(in_weeks.log_likelihood - purchases * np.log(7), rel=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_standard_errors_are_those_of_a_numerical_information_matrix(model):
    histories = cdnow_calibration().grouped
    fit = FITS[model](histories)
    likelihood = likelihood_of(model, histories)
    centre = np.array(astuple(fit.parameters))
    information = np.empty((4, 4))
    for index in range(4):
        shift = np.zeros(4)
        shift[index] = 1e-4 * centre[index]
        information[index] = (likelihood(centre - shift)[1] - likelihood(centre + shift)[1]) / (2 * shift[index])
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    assert astuple(fit.standard_errors) == pytest.approx(errors, rel=1e-4)


log_parameters = st.tuples(st.floats(-2.3, 2.0), st.floats(-0.7, 3.7), st.floats(-2.3, 2.0), st.floats(-0.7, 4.5))
history = st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0, 400))


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=120, deadline=None, derandomize=True)
@given(logarithms=log_parameters, rows=st.lists(history, min_size=1, max_size=6))
def test_gradient_equals_finite_differences(model, logarithms, rows):
    frequency, fraction, age = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    recency = np.where(frequency > 0, fraction * age, 0.0)
    likelihood = likelihood_of(model, PurchaseHistories.from_arrays(frequency, recency, age))
    parameters = np.exp(np.array(logarithms))
    value, gradient = likelihood(parameters)
    assert np.isfinite(value)
    for index in range(4):
        step = np.zeros(4)
        step[index] = 2e-5 * parameters[index]

        def at(multiple: int, step: np.ndarray = step) -> float:
            return likelihood(parameters + multiple * step)[0]

        slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / 12 / step[index]
        tolerance = 1e-6 * abs(slope) + 2e-10 * (1 + abs(value)) / step[index]
        assert gradient[index] == pytest.approx(slope, abs=tolerance)


@pytest.mark.parametrize(
    ("parameters", "row"),
    [
        ((0.553, 10.578, 0.606, 11.669), (2, 30.43, 38.86)),
        ((0.553, 10.578, 0.606, 11.669), (0, 0.0, 38.86)),
        ((3.0, 2.0, 0.3, 40.0), (60, 100.0, 150.0)),
        ((0.2, 40.0, 4.0, 1.5), (5, 10.0, 300.0)),
        ((0.9, 7.0, 1.0, 7.0), (25, 3.0, 90.0)),
        ((1.2, 0.8, 0.5, 30.0), (200, 210.0, 212.0)),
    ],
)
def test_pareto_nbd_likelihood_equals_adaptive_quadrature(parameters, row):
    r, alpha, s, beta = parameters
    frequency, recency, age = row

    def log_density(moment: float) -> float:
        return -(r + frequency) * np.log(alpha + moment) - (s + 1) * np.log(beta + moment) + np.log(s)

    top = log_density(recency)
    integral = integrate.quad(
        lambda moment: np.exp(log_density(moment) - top),
        recency,
        age,
        epsabs=0,
        epsrel=1e-12,
        limit=400,
        points=[recency + (age - recency) * share for share in (0.001, 0.01, 0.1)],
    )[0]
    alive = -(r + frequency) * np.log(alpha + age) - s * np.log(beta + age)
    lost = top + np.log(integral)
    front = special.gammaln(r + frequency) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    one = PurchaseHistories.from_arrays([frequency], [recency], [age])
    value, _ = pareto_nbd.likelihood_function(one)(np.array(parameters))
    assert value == pytest.approx(front + np.logaddexp(alive, lost), rel=1e-10)
    p_alive = pareto_nbd.probability_alive(ParetoNbdParameters(*parameters), one)[0]
    assert p_alive == pytest.approx(special.expit(alive - lost), rel=1e-9)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("bg_nbd", (0.8, 6.0, 0.7, 3.0)),
        ("mbg_nbd", (0.8, 6.0, 0.7, 3.0)),
        ("pareto_nbd", (0.8, 6.0, 0.7, 20.0)),
    ],
)
def test_parameters_of_simulated_customers_are_recovered(model, parameters):
    base = simulate(model, parameters, 40_000, seed=11)
    fit = FITS[model](group_histories(base.histories))
    assert fit.is_converged
    distance = (np.array(astuple(fit.parameters)) - parameters) / np.array(astuple(fit.standard_errors))
    assert np.abs(distance).max() < 3.5
    assert np.array(astuple(fit.standard_errors)) / parameters == pytest.approx(0.05, abs=0.049)


@pytest.mark.parametrize("model", MODELS)
def test_the_pilot_sample_does_not_move_the_result(model):
    histories = group_histories(simulate("pareto_nbd", (0.8, 6.0, 0.7, 20.0), 60_000, seed=3).histories)
    sample = pilot_sample(histories, 5_000)
    assert sample is not None
    assert len(sample.frequency) < 12_000
    assert sample.customers.sum() == pytest.approx(histories.customers.sum(), rel=1e-9)
    start = np.array([1.0, 20.0, 1.0, 40.0 if model == "pareto_nbd" else 2.0])
    likelihood = likelihood_of(model, histories)
    plain = maximise(likelihood, start)
    helped = maximise(likelihood, start, likelihood_of(model, sample))
    assert plain.reason is None
    assert helped.values == pytest.approx(plain.values, rel=1e-5)
    assert helped.standard_errors == pytest.approx(plain.standard_errors, rel=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_the_same_data_give_the_same_bits(model):
    histories = group_histories(simulate("pareto_nbd", (0.8, 6.0, 0.7, 20.0), 30_000, seed=4).histories)
    assert FITS[model](histories) == FITS[model](histories)


DEGENERATE = {
    "nobody": (([], [], []), "no_customers"),
    "one customer, one purchase": (([0], [0], [5]), "no_repeat_purchases"),
    "no repeaters": (([0] * 50, [0] * 50, list(range(50))), "no_repeat_purchases"),
    "one repeater": (([3], [4.0], [9.0]), "parameter_diverged"),
    "two customers": (([1, 0], [1.0, 0], [5.0, 5.0]), "parameter_diverged"),
    "all the same": (([2] * 500, [4.0] * 500, [9.0] * 500), "parameter_diverged"),
    "nobody ever leaves": (([3] * 99 + [4] * 99, [9.0] * 198, [9.0] * 198), "parameter_diverged"),
    "no time has passed": (([1, 0, 2], [0, 0, 0], [0, 0, 0]), "parameter_diverged"),
    "not a number": (([1, 2], [np.nan, 1.0], [3.0, 3.0]), "invalid_input"),
    "infinite age": (([1], [1.0], [np.inf]), "invalid_input"),
    "negative frequency": (([-1], [0], [1.0]), "invalid_input"),
    "half a purchase": (([0.5], [1.0], [2.0]), "invalid_input"),
    "recency beyond age": (([1], [5.0], [3.0]), "invalid_input"),
    "recency without repeat": (([0], [1.0], [2.0]), "invalid_input"),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_data_give_a_reason_and_no_number(model, case):
    columns, reason = DEGENERATE[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = FITS[model](PurchaseHistories.from_arrays(*columns))
    assert fit.not_converged_reason == reason
    assert not fit.is_converged
    assert (fit.parameters, fit.standard_errors, fit.log_likelihood) == (None, None, None)


def test_counts_must_be_positive_and_columns_equally_long():
    uneven = PurchaseHistories(np.zeros(2), np.zeros(3), np.zeros(2), np.ones(2))
    assert fit_bg_nbd(uneven).not_converged_reason == "invalid_input"
    nobody = PurchaseHistories.from_arrays([1, 0], [1, 0], [2, 2], [3, 0])
    assert fit_bg_nbd(nobody).not_converged_reason == "invalid_input"


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows=st.lists(history, min_size=0, max_size=12))
def test_any_small_data_give_finite_numbers_or_a_reason(model, rows):
    columns = [np.array([row[index] for row in rows], dtype=np.float64) for index in range(3)]
    recency = np.where(columns[0] > 0, columns[1] * columns[2], 0.0)
    fit = FITS[model](PurchaseHistories.from_arrays(columns[0], recency, columns[2]))
    if fit.is_converged:
        assert np.isfinite([*astuple(fit.parameters), *astuple(fit.standard_errors)]).all()
        assert np.isfinite(fit.log_likelihood)
        assert min(astuple(fit.standard_errors)) > 0
    else:
        assert fit.not_converged_reason
