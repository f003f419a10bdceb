"""Gamma–Gamma: order values vary around the mean of a customer, and these means over customers.

Fader, Hardie, Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of
Marketing Research 42(4); Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value, equations 1a
(likelihood) and 5 (conditional expectation).

With x values of mean z per customer, value ~ Gamma(p, ν) and ν ~ Gamma(q, γ),

  L = Γ(px+q) / (Γ(px) Γ(q)) · γ^q z^(px−1) x^(px) / (γ + xz)^(px+q).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from warehouse.value_models.blocks import dot, sum_blocks
from warehouse.value_models.fitting import Fit, Likelihood, failed_fit, maximise, to_fit
from warehouse.value_models.sufficient_statistics import FloatArray, total_by_group

BLOCK_SIZE = 16_384
MODEL = "gamma_gamma"


@dataclass(frozen=True)
class GammaGammaParameters:
    """Shapes p and q (no unit) and gamma in the currency of the order values."""

    p: float
    q: float
    gamma: float


def likelihood_function(frequency: FloatArray, mean_value: FloatArray, customers: FloatArray) -> Likelihood:
    """Prepare the log-likelihood and gradient in (p, q, gamma); all inputs are positive."""
    levels, inverse = np.unique(frequency, return_inverse=True)
    level_customers = total_by_group(inverse, customers, len(levels))
    total = float(customers.sum())
    log_value = np.log(mean_value)
    # Σ x ln(xz) and Σ ln z do not depend on the parameters.
    weighted_log = dot(customers, frequency * (log_value + np.log(frequency)))
    plain_log = dot(customers, log_value)
    total_value = frequency * mean_value

    def evaluate(values: FloatArray) -> tuple[float, FloatArray]:
        p, q, gamma = (float(value) for value in values)
        high, low = p * levels + q, p * levels
        digamma_high = special.digamma(high)
        constant = (
            dot(level_customers, special.gammaln(high) - special.gammaln(low))
            + total * (q * np.log(gamma) - special.gammaln(q))
            + p * weighted_log
            - plain_log
        )

        def block(part: slice) -> FloatArray:
            count = customers[part]
            size = frequency[part]
            spread = gamma + total_value[part]
            log_spread = np.log(spread)
            per_customer = dot(count, log_spread)
            per_purchase = dot(count, size * log_spread)
            return np.array([per_customer, per_purchase, dot(count, (p * size + q) / spread)])

        per_customer, per_purchase, pull = sum_blocks(block, len(frequency), BLOCK_SIZE)
        gradient = np.array(
            [
                dot(level_customers, levels * (digamma_high - special.digamma(low))) + weighted_log - per_purchase,
                dot(level_customers, digamma_high) - total * (special.digamma(q) - np.log(gamma)) - per_customer,
                total * q / gamma - pull,
            ]
        )
        return float(constant - p * per_purchase - q * per_customer), gradient

    return evaluate


def fit_gamma_gamma(
    frequency: ArrayLike, mean_value: ArrayLike, customers: ArrayLike | None = None
) -> Fit[GammaGammaParameters]:
    """Fit the Gamma–Gamma by maximum likelihood. Never raises on data: see `Fit.not_converged_reason`.

    frequency: repeat purchases; mean_value: their mean value; customers: how many share both (1 when absent).
    Rows without a repeat purchase or without a positive mean value say nothing about spending and are left
    out; `Fit.customers` counts the others.
    """
    size = np.asarray(frequency, dtype=np.float64)
    value = np.asarray(mean_value, dtype=np.float64)
    count = np.ones_like(size) if customers is None else np.asarray(customers, dtype=np.float64)
    if size.ndim != 1 or value.shape != size.shape or count.shape != size.shape:
        return failed_fit(MODEL, 0, "invalid_input")
    with np.errstate(invalid="ignore"):
        is_used = (size > 0) & ~(value <= 0)
    size, value, count = size[is_used], value[is_used], count[is_used]
    if not (np.isfinite(size).all() and np.isfinite(value).all() and np.isfinite(count).all()):
        return failed_fit(MODEL, 0, "invalid_input")
    if (count <= 0).any():
        return failed_fit(MODEL, 0, "invalid_input")
    if size.size == 0:
        return failed_fit(MODEL, 0, "no_repeat_purchases")
    total = int(count.sum())
    mean = dot(count, value) / float(count.sum())
    # p γ / (q − 1) is the population mean: start there.
    start = np.array([2.0, 3.0, mean])
    maximum = maximise(likelihood_function(size, value, count), start)
    if maximum.values is not None and maximum.values[1] <= 1.0:
        return failed_fit(MODEL, total, "infinite_mean_order_value")
    return to_fit(MODEL, total, maximum, lambda values: GammaGammaParameters(*(float(value) for value in values)))
