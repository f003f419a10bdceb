"""The choice by holdout: the smallest error wins, p_alive has its own judge, reasons instead of numbers."""

from datetime import date

import pytest

from value_models.customer_base import cdnow_calibration, read_cdnow
from warehouse.value_models.choice import ModelChoice, ModelComparison, choose_model, fit_purchase_models
from warehouse.value_models.fitting import Fit, failed_fit
from warehouse.value_models.scoring import holdout_prediction
from warehouse.value_models.sufficient_statistics import PurchaseHistories

CONVERGED: Fit = Fit("any", (1.0,), (0.1,), -10.0, 500, None)
FAILED: Fit = failed_fit("any", 500, "parameter_diverged")


def comparisons(bg=90.0, mbg=85.0, pareto=120.0, failed=(), failed_on_all=()):
    predictions = {"bg_nbd": bg, "mbg_nbd": mbg, "pareto_nbd": pareto}
    return [
        ModelComparison(
            model,
            FAILED if model in failed else CONVERGED,
            FAILED if model in failed_on_all else CONVERGED,
            100.0,
            None if model in failed else predicted,
        )
        for model, predicted in predictions.items()
    ]


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (comparisons(), ("bg_nbd", "mbg_nbd")),
        (comparisons(pareto=114.0), ("bg_nbd", "pareto_nbd")),
        (comparisons(mbg=101.0), ("mbg_nbd", "mbg_nbd")),
        (comparisons(pareto=99.0), ("pareto_nbd", "pareto_nbd")),
        (comparisons(bg=100.0, mbg=90.0, pareto=110.0), ("bg_nbd", "mbg_nbd")),
        (comparisons(failed=("bg_nbd",)), ("mbg_nbd", "mbg_nbd")),
        (comparisons(failed_on_all=("bg_nbd",)), ("mbg_nbd", "mbg_nbd")),
        (comparisons(failed=("mbg_nbd",), failed_on_all=("pareto_nbd",)), ("bg_nbd", None)),
    ],
)
def test_the_smallest_holdout_error_wins(cases, expected):
    assert choose_model(cases) == ModelChoice(*expected)


def test_nothing_is_chosen_where_nothing_converged():
    everyone = ("bg_nbd", "mbg_nbd", "pareto_nbd")
    assert choose_model(comparisons(failed=everyone)) == ModelChoice(None, None)
    assert choose_model([]) == ModelChoice(None, None)


def test_cdnow_is_compared_and_chosen():
    calibration = cdnow_calibration()
    everything = read_cdnow(date(1998, 6, 30), date(1998, 6, 30))
    actual = float(sum(day > date(1997, 9, 30) for days in calibration.purchase_days for day in days))
    fits = zip(fit_purchase_models(calibration.grouped), fit_purchase_models(everything.grouped), strict=True)
    compared = [
        ModelComparison(
            before.model, before, after, actual, holdout_prediction(before.parameters, calibration.grouped, 39.0)
        )
        for before, after in fits
    ]
    errors = {each.model: each.holdout_error for each in compared}
    assert errors == pytest.approx({"bg_nbd": 228.6, "mbg_nbd": 305.3, "pareto_nbd": 216.5}, abs=0.1)
    assert choose_model(compared) == ModelChoice("pareto_nbd", "pareto_nbd")


def test_an_empty_past_gives_no_parameters():
    nobody = PurchaseHistories.from_arrays([], [], [])
    assert [fit.parameters for fit in fit_purchase_models(nobody)] == [None, None, None]
