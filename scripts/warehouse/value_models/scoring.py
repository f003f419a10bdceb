"""What a fitted purchase model says about each customer, for any of the three models."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from warehouse.value_models import bg_nbd, pareto_nbd
from warehouse.value_models.bg_nbd import BgNbdParameters, MbgNbdParameters
from warehouse.value_models.blocks import dot
from warehouse.value_models.pareto_nbd import ParetoNbdParameters
from warehouse.value_models.sufficient_statistics import FloatArray, PurchaseHistories

PurchaseParameters = BgNbdParameters | MbgNbdParameters | ParetoNbdParameters

MONTH_WEEKS = 365.25 / 12 / 7


@dataclass(frozen=True)
class Scores:
    """One value per history, shape (histories,).

    expected_purchases: over all months of the horizon. discounted_purchases: Σ over months m of the purchases
    expected in month m / (1 + monthly rate)^m; times expected order value and margin it is the residual
    value.
    """

    p_alive: FloatArray
    expected_purchases: FloatArray
    discounted_purchases: FloatArray


def monthly_rate(annual_rate: float) -> float:
    """Discount rate of a month that compounds to the annual rate."""
    return float((1.0 + annual_rate) ** (1 / 12) - 1.0)


def probability_alive(parameters: PurchaseParameters, histories: PurchaseHistories) -> FloatArray:
    """Probability, shape (histories,), that a customer is still alive at the end of the observation."""
    if isinstance(parameters, ParetoNbdParameters):
        return pareto_nbd.probability_alive(parameters, histories)
    return bg_nbd.probability_alive(parameters, histories)


def _weighted(
    parameters: PurchaseParameters, histories: PurchaseHistories, horizons: FloatArray, weights: FloatArray
) -> FloatArray:
    if len(histories.frequency) == 0 or not (horizons > 0).any():
        return np.zeros((len(histories.frequency), weights.shape[1]))
    if isinstance(parameters, ParetoNbdParameters):
        return pareto_nbd.weighted_expected_purchases(parameters, histories, horizons, weights)
    return bg_nbd.weighted_expected_purchases(parameters, histories, horizons, weights)


def expected_purchases(parameters: PurchaseParameters, histories: PurchaseHistories, horizons: ArrayLike) -> FloatArray:
    """E[Y(h) | x, t, T]: expected purchases within the next h weeks, shape (histories, horizons)."""
    weeks = np.atleast_1d(np.asarray(horizons, dtype=np.float64))
    return _weighted(parameters, histories, weeks, np.eye(len(weeks)))


def score(
    parameters: PurchaseParameters,
    p_alive_parameters: PurchaseParameters | None,
    histories: PurchaseHistories,
    months: int,
    rate: float,
    month_weeks: float = MONTH_WEEKS,
) -> Scores:
    """Score every history in one pass over the months, without a histories × months matrix.

    parameters: of the chosen model. p_alive_parameters: of the model that answers for p_alive; None gives
    NaN.
    months: the horizon. rate: the monthly discount rate. month_weeks: the length of a month in weeks.
    """
    count = np.arange(1.0, months + 1.0, dtype=np.float64)
    discount = (1.0 + rate) ** -count
    # Σ_m d_m (Y_m − Y_{m−1}) = Σ_m Y_m (d_m − d_{m+1}), with d beyond the horizon 0.
    change = discount - np.append(discount[1:], 0.0)[:months]
    weights = np.column_stack(((count == months).astype(np.float64), change))
    weighted = _weighted(parameters, histories, count * month_weeks, weights)
    alive = (
        np.full(len(histories.frequency), np.nan)
        if p_alive_parameters is None
        else probability_alive(p_alive_parameters, histories)
    )
    return Scores(alive, weighted[:, 0].copy(), weighted[:, 1].copy())


def holdout_prediction(parameters: PurchaseParameters, histories: PurchaseHistories, weeks: float) -> float:
    """Add up what all customers are expected to purchase in the `weeks` after the observation."""
    expected = expected_purchases(parameters, histories, [weeks])[:, 0]
    return dot(expected, histories.customers)
