"""Which model speaks for the customers: fitted on the past of a cut, judged by what came after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.value_models.bg_nbd import BgNbdParameters, MbgNbdParameters, fit_bg_nbd, fit_mbg_nbd
from warehouse.value_models.fitting import Fit
from warehouse.value_models.pareto_nbd import ParetoNbdParameters, fit_pareto_nbd
from warehouse.value_models.sufficient_statistics import PurchaseHistories

# BG/NBD cannot answer for p_alive: to it, every one-time buyer is certainly alive.
P_ALIVE_MODELS = ("mbg_nbd", "pareto_nbd")

PurchaseFit = Fit[BgNbdParameters] | Fit[MbgNbdParameters] | Fit[ParetoNbdParameters]


@dataclass(frozen=True)
class ModelComparison:
    """One model before and after the cut. holdout_predicted is None when the calibration did not converge."""

    model: str
    calibration: PurchaseFit
    all_data: PurchaseFit
    holdout_actual: float
    holdout_predicted: float | None

    @property
    def holdout_error(self) -> float | None:
        """|Σ predicted − Σ actual|, in purchases; None without a prediction or without a fit on all data."""
        if self.holdout_predicted is None or not self.all_data.is_converged:
            return None
        return abs(self.holdout_predicted - self.holdout_actual)


@dataclass(frozen=True)
class ModelChoice:
    """The chosen models: both None when none converged, p_alive_model when neither MBG/NBD nor Pareto/NBD did."""

    model: str | None
    p_alive_model: str | None


def fit_purchase_models(histories: PurchaseHistories) -> tuple[PurchaseFit, ...]:
    """Fit BG/NBD, MBG/NBD and Pareto/NBD, in this order, on grouped histories."""
    return fit_bg_nbd(histories), fit_mbg_nbd(histories), fit_pareto_nbd(histories)


def _smallest_error(comparisons: Sequence[ModelComparison]) -> str | None:
    judged = [
        (comparison.holdout_error, position, comparison.model)
        for position, comparison in enumerate(comparisons)
        if comparison.holdout_error is not None
    ]
    return min(judged)[2] if judged else None


def choose_model(comparisons: Sequence[ModelComparison]) -> ModelChoice:
    """Choose the model with the smallest holdout error, and the better of MBG/NBD and Pareto/NBD for p_alive.

    A model takes part when it converged both on the calibration data and on all data. On a tie the earlier one wins.
    """
    candidates = [comparison for comparison in comparisons if comparison.model in P_ALIVE_MODELS]
    return ModelChoice(_smallest_error(comparisons), _smallest_error(candidates))
