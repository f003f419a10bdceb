"""The textbook formulas of the value models, on one row per customer: likelihoods and expectations.

Written from the papers and apart from warehouse.value_models: no grouping, no gradients, no shared code.
Fader, Hardie, Lee (2005) for BG/NBD; Batislam, Denizel, Filiztekin (2007) for MBG/NBD; Fader, Hardie (2005), A Note on
Deriving the Pareto/NBD Model; Fader, Hardie (2013) for Gamma-Gamma; Fader, Hardie (2007, 2010) for the shifted beta
geometric. Times are in weeks, those of contracts in months.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln, gammaln, hyp2f1

PURCHASE_MODELS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
PARAMETERS = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "mbg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
    "gamma_gamma": ("p", "q", "gamma"),
    "shifted_beta_geometric": ("alpha", "beta"),
}
MONTH_WEEKS = 365.25 / 12 / 7

Parameters = Sequence[float]
Array = Any


@dataclass(frozen=True)
class Histories:
    """One entry per customer: repeat days, weeks from the first to the last day, and from the first day to the cut."""

    frequency: Array
    recency: Array
    age: Array

    @classmethod
    def of(cls, rows: Sequence[tuple[int, float, float]]) -> "Histories":
        """Make histories of (frequency, recency, age)."""
        columns = np.array(rows, dtype=float).reshape(len(rows), 3).T
        return cls(columns[0], columns[1], columns[2])


def odds_of_loss(model: str, parameters: Parameters, histories: Histories) -> Array:
    """Return the odds that a customer is gone at the cut, given the history."""
    x, recency, age = histories.frequency, histories.recency, histories.age
    if model == "pareto_nbd":
        r, alpha, s, beta = parameters
        larger, power = max(alpha, beta), (s + 1 if alpha >= beta else r + x)
        still = (r + x) * np.log(alpha + age) + s * np.log(beta + age)

        def part(since: Array) -> Array:
            share = abs(alpha - beta) / (larger + since)
            return hyp2f1(r + s + x, power, r + s + x + 1, share) * np.exp(still - (r + s + x) * np.log(larger + since))

        return s / (r + s + x) * (part(recency) - part(age))
    r, alpha, a, b = parameters
    silence = np.exp((r + x) * np.log((alpha + age) / (alpha + recency)))
    if model == "mbg_nbd":
        return a / (b + x) * silence
    # To the BG/NBD a customer can only leave after a repeat purchase.
    return np.where(x > 0, a / np.where(x > 0, b + x - 1, 1) * silence, 0)


def log_likelihood(model: str, parameters: Parameters, histories: Histories) -> float:
    """Return the logarithm of the likelihood of all histories."""
    x, age = histories.frequency, histories.age
    if model == "pareto_nbd":
        r, alpha, s, beta = parameters
        stayed = s * np.log(beta / (beta + age))
    else:
        r, alpha, a, b = parameters
        stayed = betaln(a, b + x + (model == "mbg_nbd")) - betaln(a, b)
    bought = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
    return float(np.sum(bought + stayed + np.log1p(odds_of_loss(model, parameters, histories))))


def alive(model: str, parameters: Parameters, histories: Histories) -> Array:
    """Return the probability of each customer to be one still at the cut."""
    return 1 / (1 + odds_of_loss(model, parameters, histories))


def expected_purchases(model: str, parameters: Parameters, histories: Histories, weeks: float) -> Array:
    """Return how many purchases each customer is expected to make in the weeks after the cut."""
    x, age = histories.frequency, histories.age
    if model == "pareto_nbd":
        r, alpha, s, beta = parameters
        growth = np.expm1((s - 1) * np.log((beta + age) / (beta + age + weeks))) / (1 - s)
        while_alive = (r + x) * (beta + age) / (alpha + age) * growth
    else:
        r, alpha, a, b = parameters
        survived = b + x + (model == "mbg_nbd")
        shrink = np.exp((r + x) * np.log((alpha + age) / (alpha + age + weeks)))
        series = hyp2f1(r + x, survived, a + survived - 1, weeks / (alpha + age + weeks))
        while_alive = (a + survived - 1) / (a - 1) * (1 - shrink * series)
    return while_alive * alive(model, parameters, histories)


def discounted_purchases(
    model: str, parameters: Parameters, histories: Histories, months: int, annual_rate: float
) -> tuple[Array, Array]:
    """Return the purchases expected over all months, and Σ of those of month m ÷ (1 + i)^m, i the monthly rate."""
    rate = (1 + annual_rate) ** (1 / 12) - 1
    total, before = 0 * histories.age, 0 * histories.age
    for month in range(1, months + 1):
        until = expected_purchases(model, parameters, histories, month * MONTH_WEEKS)
        total = total + (until - before) / (1 + rate) ** month
        before = until
    return before, total


def order_values_log_likelihood(parameters: Parameters, frequency: Array, mean_value: Array) -> float:
    """Return the log-likelihood of the Gamma-Gamma; customers have a repeat purchase of a positive mean value."""
    p, q, gamma = parameters
    x, z = frequency, mean_value
    return float(
        np.sum(
            gammaln(p * x + q)
            - gammaln(p * x)
            - gammaln(q)
            + q * np.log(gamma)
            + (p * x - 1) * np.log(z)
            + p * x * np.log(x)
            - (p * x + q) * np.log(gamma + x * z)
        )
    )


def expected_order_value(parameters: Parameters, frequency: int, spent: float) -> float:
    """Return the expected value of an order: own repeat orders of `spent` in all, and those of the population."""
    p, q, gamma = parameters
    return (p * gamma + p * spent) / (p * frequency + q - 1)


def contracts_log_likelihood(parameters: Parameters, tenures: Sequence[tuple[int, bool]]) -> float:
    """Return the log-likelihood of (renewals, has closed) by Fader and Hardie's recursion over the periods."""
    alpha, beta = parameters
    longest = max(renewals for renewals, _ in tenures)
    # Of those who stand before renewal n + 1: the share that renews.
    kept = [(beta + n) / (alpha + beta + n) for n in range(longest + 1)]
    log_survival = np.concatenate([[0.0], np.cumsum(np.log(kept))])
    return float(
        sum(log_survival[renewals] + (np.log(1 - kept[renewals]) if closed else 0) for renewals, closed in tenures)
    )


def residual_months(parameters: Parameters, renewals: int, annual_rate: float) -> float:
    """Return the discounted expected residual lifetime of a contract in force, the next renewal undiscounted."""
    alpha, beta = parameters
    rate = (1 + annual_rate) ** (1 / 12) - 1
    months, kept, discount = 0.0, 1.0, 1.0
    for n in range(renewals, renewals + 6000):
        kept *= (beta + n) / (alpha + beta + n)
        months += kept * discount
        discount /= 1 + rate
    return months


def stays_a_year(parameters: Parameters, renewals: int) -> float:
    """Return the probability of a contract in force to be renewed twelve times more."""
    alpha, beta = parameters
    return float(np.prod([(beta + n) / (alpha + beta + n) for n in range(renewals, renewals + 12)]))
