"""Maximum likelihood for positive parameters: optimiser, standard errors and the verdict on convergence.

Everything happens on the logarithms of the parameters. There, a change of the unit of time or money is a
shift of the starting point and nothing else, so starting values in proportion to the data replace a rescaling
of the data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from scipy import linalg, optimize

from warehouse.value_models.sufficient_statistics import FloatArray

Likelihood = Callable[[FloatArray], tuple[float, FloatArray]]
"""Maps natural parameters, shape (k,), to the log-likelihood and its gradient, shape (k,)."""

ParametersT = TypeVar("ParametersT")

# A parameter a million times larger or smaller than its start has left for zero or infinity.
LARGEST_LOG_CHANGE = float(np.log(1e6))
# Failing so far from the start means being on that way.
FAR_LOG_CHANGE = float(np.log(1e3))
HESSIAN_STEP = 3e-6
# Below this Newton step (in log parameters) the information matrix of all data is computed, once.
NEAR_STEP = 1e-4
FINAL_STEP = 1e-7
NEWTON_STEPS = 40
# A standard error of a log parameter beyond this means that not even its order of magnitude is known.
LARGEST_LOG_STANDARD_ERROR = 10.0


@dataclass(frozen=True)
class Fit(Generic[ParametersT]):
    """The outcome of a fit. Without convergence there is a reason and there are no numbers.

    parameters, standard_errors: the same dataclass, natural scale (the second by the delta method).
    log_likelihood: of all customers at the optimum. customers: how many were used.
    not_converged_reason: None when converged, else one of `invalid_input`, `no_customers`,
    `no_repeat_purchases`, `no_closed_contracts`, `no_survivors`, `parameter_diverged`, `not_converged`,
    `information_not_positive_definite`, `infinite_mean_order_value`.
    """

    model: str
    parameters: ParametersT | None
    standard_errors: ParametersT | None
    log_likelihood: float | None
    customers: int
    not_converged_reason: str | None

    @property
    def is_converged(self) -> bool:
        """Whether there are parameters to use."""
        return self.parameters is not None


@dataclass(frozen=True)
class Maximum:
    """A maximum, natural scale. `values`, `standard_errors`: shape (k,); None without convergence."""

    values: FloatArray | None
    standard_errors: FloatArray | None
    log_likelihood: float | None
    reason: str | None


def to_fit(model: str, customers: int, maximum: Maximum, make: Callable[[FloatArray], ParametersT]) -> Fit[ParametersT]:
    """Give a maximum its names: `make` builds the parameter dataclass from a vector."""
    if maximum.values is None or maximum.standard_errors is None:
        return failed_fit(model, customers, maximum.reason or "not_converged")
    return Fit(
        model,
        make(maximum.values),
        make(maximum.standard_errors),
        maximum.log_likelihood,
        customers,
        None,
    )


def failed_fit(model: str, customers: int, reason: str) -> Fit[ParametersT]:
    """Return a fit that holds a reason only."""
    return Fit(model, None, None, None, customers, reason)


def _on_log_scale(likelihood: Likelihood) -> Likelihood:
    def evaluate(logarithms: FloatArray) -> tuple[float, FloatArray]:
        values = np.exp(logarithms)
        with np.errstate(all="ignore"):
            log_likelihood, gradient = likelihood(values)
        return log_likelihood, gradient * values

    return evaluate


def _climb(objective: Likelihood, start: FloatArray, centre: FloatArray) -> FloatArray:
    """Walk from `start` to near the maximum by L-BFGS-B, within the bounds around `centre`."""
    scale = max(abs(objective(start)[0]), 1.0)

    def negative(logarithms: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = objective(logarithms)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e3, np.zeros_like(logarithms)
        return -value / scale, -gradient / scale

    bounds = list(zip(centre - LARGEST_LOG_CHANGE, centre + LARGEST_LOG_CHANGE, strict=True))
    outcome = optimize.minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "maxfun": 600, "ftol": 1e-14, "gtol": 1e-9},
    )
    climbed: FloatArray = np.asarray(outcome.x, dtype=np.float64)
    return climbed


def _information(objective: Likelihood, logarithms: FloatArray, gradient: FloatArray) -> FloatArray:
    """Observed information (k, k): minus the Hessian, from differences of the analytic gradient.

    One-sided differences against the known gradient cost half of central ones; at this step they are good for
    four digits of a standard error and more, even where parameters are nearly exchangeable.
    """
    size = len(logarithms)
    information = np.empty((size, size))
    for index in range(size):
        shift = np.zeros(size)
        shift[index] = HESSIAN_STEP
        information[index] = (gradient - objective(logarithms + shift)[1]) / HESSIAN_STEP
    return (information + information.T) / 2


def _is_positive_definite(information: FloatArray) -> bool:
    if not np.isfinite(information).all():
        return False
    eigenvalues = np.linalg.eigvalsh(information)
    return bool(eigenvalues[0] > 1e-12 * eigenvalues[-1] > 0)


def _failure(reason: str) -> Maximum:
    return Maximum(None, None, None, reason)


def _newton(
    objective: Likelihood, start: FloatArray, centre: FloatArray, information: FloatArray, is_exact: bool
) -> Maximum:
    """Finish by Newton steps. `is_exact`: the information is of `objective` at `start`, not of a sample."""
    logarithms = start
    value, gradient = objective(logarithms)
    for _ in range(NEWTON_STEPS):
        step = np.asarray(linalg.solve(information, gradient, assume_a="pos"), dtype=np.float64)
        size = float(np.max(np.abs(step)))
        if not is_exact and size < NEAR_STEP:
            information, is_exact = _information(objective, logarithms, gradient), True
            if not _is_positive_definite(information):
                return _failure("information_not_positive_definite")
            continue
        if is_exact and size < FINAL_STEP:
            errors = np.sqrt(np.diag(linalg.inv(information)))
            if not np.isfinite(errors).all() or errors.max() > LARGEST_LOG_STANDARD_ERROR:
                return _failure("parameter_diverged")
            values = np.exp(logarithms)
            return Maximum(values, values * errors, value, None)
        if is_exact and size > 10 * NEAR_STEP:
            # The information was taken too far from here to serve for the standard errors.
            is_exact = False
        step *= min(1.0, 2.0 / size)
        # Near the top the likelihood is flat to its last digits: a loss within rounding is no reason to step
        # back.
        tolerance = 1e-11 * abs(value)
        for _ in range(12):
            candidate = logarithms + step
            next_value, next_gradient = objective(candidate)
            if np.isfinite(next_value) and next_value >= value - tolerance:
                break
            step /= 2
        else:
            return _failure("not_converged")
        logarithms, value, gradient = candidate, next_value, next_gradient
        if np.max(np.abs(logarithms - centre)) > LARGEST_LOG_CHANGE - 0.1:
            return _failure("parameter_diverged")
        if not is_exact and size > 0.05:
            information = _information(objective, logarithms, gradient)
            if not _is_positive_definite(information):
                return _failure("information_not_positive_definite")
    return _failure("not_converged")


def maximise(likelihood: Likelihood, start: FloatArray, pilot: Likelihood | None = None) -> Maximum:
    """Find the maximum of `likelihood` from `start` (natural parameters, shape (k,), positive).

    `pilot` is the likelihood of a sample on the scale of the whole. Its optimum and curvature make the fit on
    all data a matter of a few Newton steps; the result does not depend on it. A pilot that fails is ignored.
    """
    objective = _on_log_scale(likelihood)
    centre = np.log(np.asarray(start, dtype=np.float64))
    if pilot is not None:
        sampled = _on_log_scale(pilot)
        near = _climb(sampled, centre, centre)
        information = _information(sampled, near, sampled(near)[1])
        if _is_positive_definite(information):
            maximum = _newton(objective, near, centre, information, is_exact=False)
            if maximum.reason is None:
                return maximum
    climbed = _climb(objective, centre, centre)
    if np.max(np.abs(climbed - centre)) > LARGEST_LOG_CHANGE - 0.1:
        return _failure("parameter_diverged")
    information = _information(objective, climbed, objective(climbed)[1])
    if _is_positive_definite(information):
        maximum = _newton(objective, climbed, centre, information, is_exact=True)
    else:
        maximum = _failure("information_not_positive_definite")
    # On the flat way to zero or infinity the digits run out in many ways; the cause is the same.
    if maximum.reason is not None and np.max(np.abs(climbed - centre)) > FAR_LOG_CHANGE:
        return _failure("parameter_diverged")
    return maximum
