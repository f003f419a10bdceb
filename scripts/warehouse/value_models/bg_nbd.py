"""BG/NBD and MBG/NBD: purchases at a gamma-distributed rate, dropout with a beta-distributed probability.

BG/NBD: a customer may drop out after each repeat purchase.
  Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model,
  Marketing Science 24(2).
MBG/NBD: already the first purchase may be the last.
  Batislam, Denizel, Filiztekin (2007), Empirical validation and comparison of models for customer base
  analysis, International Journal of Research in Marketing 24(3); Hoppe, Wagner (2007), Customer base
  analysis: The case for a central variant of the betageometric/NBD model, Marketing Journal of Research and
  Management 3(2).

One form serves both. With x, t, T = frequency, recency, age and m = 0 for BG/NBD, 1 for MBG/NBD,

  L = Γ(r+x)/Γ(r) · α^r (α+T)^−(r+x) · B(a, b+x+m)/B(a, b) · (1 + exp z),
  z = ln(a / (b+x+m−1)) + (r+x) ln((α+T)/(α+t)),

where exp z are the odds of having dropped out (BG/NBD: 0 at x = 0). What depends on x alone is computed once
for each distinct x; a history costs two logarithms and one exponential.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy import special

from warehouse.value_models.blocks import concatenate_blocks, dot, sum_blocks
from warehouse.value_models.fitting import Fit, Likelihood, failed_fit, maximise, to_fit
from warehouse.value_models.sufficient_statistics import (
    FloatArray,
    IntegerArray,
    PurchaseHistories,
    distinct_rows,
    pilot_sample,
    total_by_group,
    unusable_reason,
)

BLOCK_SIZE = 16_384
PILOT_SIZE = 20_000


@dataclass(frozen=True)
class BgNbdParameters:
    """Purchase rate ~ Gamma(shape r, rate alpha in weeks), dropout probability ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True)
class MbgNbdParameters:
    """As for BG/NBD, with a chance to drop out right after the first purchase too."""

    r: float
    alpha: float
    a: float
    b: float


BetaGeometricT = TypeVar("BetaGeometricT", BgNbdParameters, MbgNbdParameters)


def _extra_survival(model: type[BgNbdParameters] | type[MbgNbdParameters]) -> float:
    """Return m: how many chances to drop out beyond the repeat purchases a living customer has survived."""
    return 1.0 if model is MbgNbdParameters else 0.0


def likelihood_function(
    model: type[BgNbdParameters] | type[MbgNbdParameters], histories: PurchaseHistories
) -> Likelihood:
    """Prepare the log-likelihood and gradient in (r, alpha, a, b) of some histories."""
    extra = _extra_survival(model)
    levels, inverse = np.unique(histories.frequency, return_inverse=True)
    level_customers = total_by_group(inverse, histories.customers, len(levels))
    frequency, recency, age = histories.frequency, histories.recency, histories.age
    # A BG/NBD customer without repeat purchase cannot have dropped out.
    can_be_lost = np.ones(len(frequency)) if extra else (frequency > 0).astype(np.float64)
    customers = histories.customers

    def evaluate(values: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = (float(value) for value in values)
        survived = b + levels + extra
        level_part = (
            special.gammaln(r + levels) - special.gammaln(r) + special.betaln(a, survived) - special.betaln(a, b)
        )
        common_digamma = special.digamma(a + survived) - special.digamma(a + b)
        level_sums = np.array(
            [
                dot(level_customers, level_part),
                dot(level_customers, special.digamma(r + levels) - special.digamma(r)),
                0.0,
                -dot(level_customers, common_digamma),
                dot(level_customers, special.digamma(survived) - special.digamma(b) - common_digamma),
            ]
        )
        log_alpha = np.log(alpha)

        def block(part: slice) -> FloatArray:
            count = customers[part]
            shape = r + frequency[part]
            old = alpha + age[part]
            recent = alpha + recency[part]
            log_old = np.log(old)
            log_ratio = np.log(old / recent)
            chances = frequency[part] + (b + extra - 1.0)
            # Histories without odds get a chance of 1 in the place of a possibly negative b − 1.
            np.copyto(chances, 1.0, where=can_be_lost[part] == 0)
            log_odds = np.log(a / chances) + shape * log_ratio
            small = np.exp(-np.abs(log_odds))
            softplus = np.maximum(log_odds, 0.0) + np.log1p(small)
            lost = np.where(log_odds > 0, 1.0, small) / (1.0 + small)
            lost *= can_be_lost[part]
            softplus *= can_be_lost[part]
            weighted_lost = count * lost
            inverse_old = 1.0 / old
            return np.array(
                [
                    dot(count, r * log_alpha - shape * log_old + softplus),
                    dot(count, log_alpha - log_old) + dot(weighted_lost, log_ratio),
                    dot(count, r / alpha - shape * inverse_old)
                    + dot(weighted_lost, shape * (inverse_old - 1.0 / recent)),
                    weighted_lost.sum() / a,
                    -dot(weighted_lost, 1.0 / chances),
                ]
            )

        sums = level_sums + sum_blocks(block, len(frequency), BLOCK_SIZE)
        return float(sums[0]), sums[1:]

    return evaluate


def _fit(model: type[BetaGeometricT], name: str, histories: PurchaseHistories) -> Fit[BetaGeometricT]:
    reason = unusable_reason(histories)
    if reason is not None:
        return failed_fit(name, 0 if reason == "invalid_input" else histories.total_customers, reason)
    sample = pilot_sample(histories, PILOT_SIZE)
    weeks = max(dot(histories.customers, histories.age), 1e-9)
    purchases = dot(histories.customers, histories.frequency)
    maximum = maximise(
        likelihood_function(model, histories),
        np.array([1.0, weeks / purchases, 1.0, 2.0]),
        None if sample is None else likelihood_function(model, sample),
    )
    return to_fit(name, histories.total_customers, maximum, lambda values: model(*(float(value) for value in values)))


def fit_bg_nbd(histories: PurchaseHistories) -> Fit[BgNbdParameters]:
    """Fit the BG/NBD by maximum likelihood. Never raises on data: see `Fit.not_converged_reason`."""
    return _fit(BgNbdParameters, "bg_nbd", histories)


def fit_mbg_nbd(histories: PurchaseHistories) -> Fit[MbgNbdParameters]:
    """Fit the MBG/NBD by maximum likelihood. Never raises on data: see `Fit.not_converged_reason`."""
    return _fit(MbgNbdParameters, "mbg_nbd", histories)


def probability_alive(parameters: BgNbdParameters | MbgNbdParameters, histories: PurchaseHistories) -> FloatArray:
    """Probability, shape (histories,), that a customer has not dropped out by the end of the observation.

    1 / (1 + exp z) of the module's form; BG/NBD answers 1 for every customer without a repeat purchase.
    """
    extra = _extra_survival(type(parameters))

    def block(part: slice) -> FloatArray:
        frequency = histories.frequency[part]
        is_certain = (frequency == 0) & (extra == 0)
        chances = np.where(is_certain, 1.0, frequency + (parameters.b + extra - 1.0))
        log_odds = np.log(parameters.a / chances) + (parameters.r + frequency) * np.log(
            (parameters.alpha + histories.age[part]) / (parameters.alpha + histories.recency[part])
        )
        alive: FloatArray = np.where(is_certain, 1.0, special.expit(-log_odds))
        return alive

    return concatenate_blocks(block, len(histories.frequency), BLOCK_SIZE)


def beta_quadrature(a: float, b: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss quadrature for expectations under Beta(a, b): (points, weights), each of shape (len(b), nodes).

    Points and weights come from the eigenvectors of the Jacobi matrix (Golub, Welsch 1969, Calculation of
    Gauss quadrature rules) of the shifted Jacobi polynomials on [0, 1]; each row of weights adds up to 1.
    """
    left, right = a - 1.0, (b - 1.0)[:, None]
    order = np.arange(nodes, dtype=np.float64)[None, :]
    total = left + right
    step = 2.0 * order + total
    with np.errstate(divide="ignore", invalid="ignore"):
        diagonal = 0.5 + 0.5 * (left - right) * total / (step * (step + 2.0))
        squares = order * (order + left) * (order + right) * (order + total) / (step**2 * (step + 1.0) * (step - 1.0))
    diagonal[:, 0] = a / (a + b)
    # At order 1 numerator and denominator share the factor 1 + total, which may be zero.
    squares[:, 1] = ((1.0 + left) * (1.0 + right) / ((2.0 + total) ** 2 * (3.0 + total)))[:, 0]
    matrices = np.zeros((len(b), nodes, nodes))
    index = np.arange(nodes)
    matrices[:, index, index] = diagonal
    # eigh reads the lower triangle only.
    matrices[:, index[1:], index[:-1]] = np.sqrt(squares[:, 1:])
    points, vectors = np.linalg.eigh(matrices)
    return np.clip(points, 0.0, 1.0), vectors[:, 0, :] ** 2


def _nodes_needed(relative_rate: FloatArray, shape: FloatArray) -> FloatArray:
    """Choose nodes for ten digits of the expectation, from a few sizes.

    The integrand (1 + p / relative_rate)^−shape is singular at −relative_rate, beside [0, 1]: the
    nearer and the stronger, the more nodes. Checked against the closed form in fifty digits.
    """
    centre = 1.0 + 2.0 * relative_rate
    log_radius = np.log(centre + np.sqrt(centre**2 - 1.0))
    needed = 6.0 + 10.0 * (1.0 + 0.12 * np.log1p(shape / relative_rate)) / log_radius
    sizes = np.array([9.0, 12.0, 16.0, 20.0, 26.0, 34.0, 46.0, 64.0, 96.0, 160.0, 256.0])
    chosen: FloatArray = sizes[np.minimum(np.searchsorted(sizes, needed), len(sizes) - 1)]
    return chosen


def purchases_if_alive(
    parameters: BgNbdParameters | MbgNbdParameters,
    frequency: FloatArray,
    age: FloatArray,
    horizons: FloatArray,
    weights: FloatArray,
) -> FloatArray:
    """Expect purchases in the coming weeks of customers alive at the end of the observation.

    frequency, age: shape (n,). horizons: weeks > 0, shape (h,). weights: shape (h, k).
    Returns Σ_h E[Y(horizon h) | alive] · weights[h, k], shape (n, k).

    Alive, the purchase rate is Gamma(r+x, α+T) and the dropout probability p is Beta(a, b+x+m). Given p, the
    expected purchases are (1 − (1 + p t/(α+T))^−(r+x)) / p; the expectation over p is taken by Gauss
    quadrature. The closed form with ₂F₁ divides by a − 1 and loses all digits near a = 1; this one has no
    such place.
    """
    extra = _extra_survival(type(parameters))
    result = np.zeros((len(frequency), weights.shape[1]))
    sizes = _nodes_needed((parameters.alpha + age) / horizons.max(), parameters.r + frequency)
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        levels, inverse = np.unique(frequency[members], return_inverse=True)
        points, point_weights = beta_quadrature(parameters.a, parameters.b + levels + extra, int(size))
        # A beta with nearly all its mass at 0 may put a point exactly there; the limit is reached well
        # before.
        points = np.maximum(points, 1e-12)
        point_weights = point_weights / points

        def block(
            part: slice,
            members: IntegerArray = members,
            inverse: IntegerArray = inverse,
            points: FloatArray = points,
            point_weights: FloatArray = point_weights,
        ) -> FloatArray:
            rows = members[part]
            level = inverse[part]
            scaled = points[level] / (parameters.alpha + age[rows])[:, None]
            shape = -(parameters.r + frequency[rows])[:, None]
            level_weights = point_weights[level]
            expected = np.empty((len(rows), len(horizons)))
            for column, horizon in enumerate(horizons):
                gone = np.expm1(shape * np.log1p(scaled * horizon))
                expected[:, column] = -np.einsum("ij,ij->i", gone, level_weights)
            weighted: FloatArray = np.einsum("ih,hk->ik", expected, weights)
            return weighted

        result[members] = concatenate_blocks(block, len(members), max(1, 32_768 // int(size)))
    return result


def weighted_expected_purchases(
    parameters: BgNbdParameters | MbgNbdParameters,
    histories: PurchaseHistories,
    horizons: FloatArray,
    weights: FloatArray,
) -> FloatArray:
    """Σ_h E[Y(horizon h) | x, t, T] · weights[h, k], shape (histories, k); horizons in weeks, shape (h,)."""
    # What a living customer will do depends on frequency and age alone: far fewer pairs than histories.
    first, inverse = distinct_rows((histories.frequency, histories.age))
    alive = purchases_if_alive(parameters, histories.frequency[first], histories.age[first], horizons, weights)
    return alive[inverse] * probability_alive(parameters, histories)[:, None]
