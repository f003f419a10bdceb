"""Shifted-beta-geometric: contracts that are renewed, or not, period after period.

Fader, Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21(1): likelihood,
survival, retention. Fader, Hardie (2010), Customer-Base Valuation in a Contractual Setting: The Perils of
Ignoring Heterogeneity, Marketing Science 29(1): discounted expected residual lifetime.

Every customer closes at each renewal with a probability of their own, distributed Beta(alpha, beta) over
customers:

  S(n) = B(alpha, beta+n) / B(alpha, beta)             renewed at least n times,
  P(n) = B(alpha+1, beta+n) / B(alpha, beta)           renewed exactly n times, then closed.

Here a period is a month.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from warehouse.value_models.blocks import dot
from warehouse.value_models.fitting import Fit, Likelihood, failed_fit, maximise, to_fit
from warehouse.value_models.sufficient_statistics import FloatArray, total_by_group

MODEL = "shifted_beta_geometric"
# Terms of the residual lifetime beyond a discount of exp(−40) are below the last digit.
NEGLIGIBLE_DISCOUNT = 40.0
SMALLEST_MONTHLY_RATE = 1e-5


@dataclass(frozen=True)
class ShiftedBetaGeometricParameters:
    """Probability to close at a renewal ~ Beta(alpha, beta)."""

    alpha: float
    beta: float


def likelihood_function(renewals: FloatArray, closed: FloatArray, still_open: FloatArray) -> Likelihood:
    """Prepare the log-likelihood and gradient in (alpha, beta); customers by number of renewals."""

    def evaluate(values: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta = (float(value) for value in values)
        everyone = closed + still_open
        later = beta + renewals
        # B(alpha+1, later) = B(alpha, later) · alpha / (alpha + later)
        log_hazard = np.log(alpha) - np.log(alpha + later)
        log_survival = special.betaln(alpha, later) - special.betaln(alpha, beta)
        sum_digamma = special.digamma(alpha + later) - special.digamma(alpha + beta)
        gradient = np.array(
            [
                -dot(everyone, sum_digamma) + dot(closed, 1.0 / alpha - 1.0 / (alpha + later)),
                dot(everyone, special.digamma(later) - special.digamma(beta) - sum_digamma)
                - dot(closed, 1.0 / (alpha + later)),
            ]
        )
        return dot(everyone, log_survival) + dot(closed, log_hazard), gradient

    return evaluate


def fit_shifted_beta_geometric(
    renewals: ArrayLike, is_closed: ArrayLike, customers: ArrayLike | None = None
) -> Fit[ShiftedBetaGeometricParameters]:
    """Fit by maximum likelihood. Never raises on data: see `Fit.not_converged_reason`.

    renewals: renewals so far in months, whole numbers ≥ 0, shape (n,). is_closed: whether the customer closed
    instead of renewing once more; an open customer is censored. customers: how many share both (1 when
    absent).
    `no_closed_contracts`: nobody closed yet. `no_survivors`: nobody ever renewed.
    """
    months = np.asarray(renewals, dtype=np.float64)
    closed = np.asarray(is_closed, dtype=bool)
    count = np.ones_like(months) if customers is None else np.asarray(customers, dtype=np.float64)
    if months.ndim != 1 or closed.shape != months.shape or count.shape != months.shape:
        return failed_fit(MODEL, 0, "invalid_input")
    if months.size == 0:
        return failed_fit(MODEL, 0, "no_customers")
    if not (np.isfinite(months).all() and np.isfinite(count).all()):
        return failed_fit(MODEL, 0, "invalid_input")
    if (months < 0).any() or (months != np.floor(months)).any() or (count <= 0).any():
        return failed_fit(MODEL, 0, "invalid_input")
    total = int(count.sum())
    if not closed.any():
        return failed_fit(MODEL, total, "no_closed_contracts")
    if not (months > 0).any():
        return failed_fit(MODEL, total, "no_survivors")
    levels, inverse = np.unique(months, return_inverse=True)
    closed_customers = total_by_group(inverse, count * closed, len(levels))
    open_customers = total_by_group(inverse, count * ~closed, len(levels))
    # The mean closing rate per renewal opportunity, with one pseudo-customer of each kind spread over it.
    rate = dot(count, closed.astype(np.float64)) / (dot(count, months) + float(count.sum()))
    start = np.array([1.0, 1.0 / rate])
    maximum = maximise(likelihood_function(levels, closed_customers, open_customers), start)
    return to_fit(
        MODEL,
        total,
        maximum,
        lambda values: ShiftedBetaGeometricParameters(*(float(value) for value in values)),
    )


def survival(parameters: ShiftedBetaGeometricParameters, renewals: ArrayLike) -> FloatArray:
    """Probability S(n) that a new customer renews at least n times; shape of `renewals`."""
    months = np.asarray(renewals, dtype=np.float64)
    probability: FloatArray = np.exp(
        special.betaln(parameters.alpha, parameters.beta + months) - special.betaln(parameters.alpha, parameters.beta)
    )
    return probability


def retention_rate(parameters: ShiftedBetaGeometricParameters, renewals: ArrayLike) -> FloatArray:
    """Probability that an open customer with n renewals renews once more: (beta+n) / (alpha+beta+n)."""
    months = np.asarray(renewals, dtype=np.float64)
    probability: FloatArray = (parameters.beta + months) / (parameters.alpha + parameters.beta + months)
    return probability


def survival_given_renewals(
    parameters: ShiftedBetaGeometricParameters, renewals: ArrayLike, months: int = 12
) -> FloatArray:
    """Probability that an open customer with n renewals renews `months` more times: S(n+months) / S(n)."""
    done = np.asarray(renewals, dtype=np.float64)
    probability: FloatArray = np.exp(
        special.betaln(parameters.alpha, parameters.beta + done + months)
        - special.betaln(parameters.alpha, parameters.beta + done)
    )
    return probability


def discounted_expected_residual_lifetime(
    parameters: ShiftedBetaGeometricParameters, renewals: ArrayLike, monthly_rate: float
) -> FloatArray:
    """Discount and add up the renewals still to come of an open customer with n renewals, in months.

    Σ over m ≥ 1 of S(n+m)/S(n) · (1+rate)^−(m−1): the next renewal is due now and not discounted, as in Fader
    and Hardie (2010). Seen from one month before it is due the value is this divided by 1 + rate.
    renewals: whole numbers ≥ 0. monthly_rate: at least 0.00001 (without a discount the sum may be infinite),
    else ValueError. Younger contracts follow from D(n) = ρ(n) (1 + D(n+1)/(1+rate)), ρ the retention rate.
    """
    if not monthly_rate >= SMALLEST_MONTHLY_RATE:
        raise ValueError(f"the monthly discount rate must be at least {SMALLEST_MONTHLY_RATE}")
    months = np.asarray(renewals, dtype=np.int64)
    if months.size == 0:
        return np.zeros(months.shape)
    discount = 1.0 / (1.0 + monthly_rate)
    highest = int(months.max())
    terms = int(np.ceil(NEGLIGIBLE_DISCOUNT / -np.log(discount)))
    # The infinite sum is taken for the oldest contract only; the recursion gives all younger ones.
    rates = retention_rate(parameters, np.arange(highest + 1))
    ahead = np.cumsum(np.log(retention_rate(parameters, highest + np.arange(terms))))
    current = float(np.exp(ahead + np.arange(terms) * np.log(discount)).sum())
    lifetimes = np.empty(highest + 1)
    lifetimes[highest] = current
    for month in range(highest - 1, -1, -1):
        current = float(rates[month]) * (1.0 + discount * current)
        lifetimes[month] = current
    result: FloatArray = lifetimes[months]
    return result
