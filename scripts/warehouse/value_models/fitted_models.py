"""The table of fitted value models, from the grouped histories that the SQL models prepare."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from warehouse.value_models.choice import ModelChoice, ModelComparison, PurchaseFit, choose_model, fit_purchase_models
from warehouse.value_models.fitting import Fit
from warehouse.value_models.gamma_gamma import fit_gamma_gamma
from warehouse.value_models.scoring import holdout_prediction
from warehouse.value_models.shifted_beta_geometric import fit_shifted_beta_geometric
from warehouse.value_models.sufficient_statistics import PurchaseHistories

Columns = Mapping[str, Any]
# The histories of a cut by its name, ordered by history.
HistoriesAt = Callable[[str], Columns]

# Every contract that has no fit of its own plan is scored by all plans together.
ALL_PLANS = "(all plans)"
SCHEMA = pa.schema(
    [
        ("scope", pa.string()),
        ("cut_name", pa.string()),
        ("plan", pa.string()),
        ("model", pa.string()),
        ("parameter", pa.string()),
        ("value", pa.float64()),
        ("std_error", pa.float64()),
        ("log_likelihood", pa.float64()),
        ("customers", pa.int64()),
        ("holdout_actual", pa.float64()),
        ("holdout_predicted", pa.float64()),
        ("is_chosen", pa.bool_()),
        ("is_p_alive_model", pa.bool_()),
        ("not_converged_reason", pa.string()),
    ]
)


def purchase_histories(columns: Columns) -> PurchaseHistories:
    """Return the histories of one cut, days turned into weeks."""
    return PurchaseHistories.from_arrays(
        np.asarray(columns["frequency"], dtype=np.float64),
        np.asarray(columns["recency_days"], dtype=np.float64) / 7.0,
        np.asarray(columns["age_days"], dtype=np.float64) / 7.0,
        np.asarray(columns["customers"], dtype=np.float64),
    )


def fit_rows(fit: Fit[Any], **common: Any) -> Iterator[dict[str, Any]]:
    """Yield a row per parameter of a fit; one row without a parameter's value when it did not converge."""
    row = {
        "plan": "",
        "is_chosen": False,
        "is_p_alive_model": False,
        "model": fit.model,
        "log_likelihood": fit.log_likelihood,
        "customers": fit.customers,
        "not_converged_reason": fit.not_converged_reason,
        **common,
    }
    if fit.parameters is None:
        yield {**row, "parameter": "(none)"}
        return
    for field in fields(fit.parameters):
        yield {
            **row,
            "parameter": field.name,
            "value": getattr(fit.parameters, field.name),
            "std_error": None if fit.standard_errors is None else getattr(fit.standard_errors, field.name),
        }


def purchase_rows(cuts: Columns, histories_at: HistoriesAt, minimum_repeaters: int) -> Iterator[dict[str, Any]]:
    """Yield the fits of the purchase models at every cut; nothing when too few customers ever repeated.

    The model with the smallest |Σ predicted − Σ actual| in the holdout is chosen (models/marts/clv/_clv__docs.md).
    """
    latest = histories_at("all")
    is_repeater = np.asarray(latest["frequency"], dtype=np.int64) > 0
    repeaters = int(np.asarray(latest["customers"], dtype=np.int64)[is_repeater].sum())
    del latest
    if repeaters < minimum_repeaters:
        return
    horizons = dict(zip(cuts["cut_name"].tolist(), cuts["horizon_days"].tolist(), strict=True))
    fits: dict[str, tuple[PurchaseFit, ...]] = {}
    actual: dict[str, float] = {}
    predicted: dict[tuple[str, str], float | None] = {}
    for name, horizon_days in horizons.items():
        columns = histories_at(name)
        actual[name] = float(np.asarray(columns["later_days"], dtype=np.float64).sum())
        histories = purchase_histories(columns)
        fits[name] = fit_purchase_models(histories)
        for fit in fits[name]:
            predicted[name, fit.model] = (
                None if fit.parameters is None else holdout_prediction(fit.parameters, histories, horizon_days / 7.0)
            )
    comparisons = tuple(
        ModelComparison(before.model, before, after, actual["calibration"], predicted["calibration", before.model])
        for before, after in zip(fits["calibration"], fits["all"], strict=True)
    )
    choice: ModelChoice = choose_model(comparisons)
    for name in horizons:
        # What the calibration predicted for its holdout stands beside the parameters fitted on all data too.
        judged = "calibration" if name == "all" else name
        for fit in fits[name]:
            yield from fit_rows(
                fit,
                scope="purchases",
                cut_name=name,
                holdout_actual=actual[judged],
                holdout_predicted=predicted[judged, fit.model],
                is_chosen=fit.model == choice.model,
                is_p_alive_model=fit.model == choice.p_alive_model,
            )


def order_value_rows(order_values: Columns, minimum_repeaters: int) -> Iterator[dict[str, Any]]:
    """Yield the Gamma–Gamma fit on the repeat customers; nothing when they are too few."""
    if len(order_values["frequency"]) < minimum_repeaters:
        return
    fit = fit_gamma_gamma(
        np.asarray(order_values["frequency"], dtype=np.float64),
        np.asarray(order_values["mean_value"], dtype=np.float64),
    )
    yield from fit_rows(fit, scope="order_values", cut_name="all", is_chosen=fit.is_converged)


def contract_rows(contracts: Columns, minimum_customers: int) -> Iterator[dict[str, Any]]:
    """Yield the shifted-beta-geometric fit of each plan with enough customers, and of all plans together.

    The latter serves the small plans, however few customers they have: what its parameters are worth is told by their
    standard errors, and where there are none it does not converge.
    """
    plans = contracts["plan"].tolist()
    customers = np.asarray(contracts["customers"], dtype=np.float64)
    renewals = np.asarray(contracts["renewals"], dtype=np.float64)
    is_closed = np.asarray(contracts["is_closed"], dtype=bool)
    if not plans:
        return
    of_plan = {ALL_PLANS: np.ones(len(plans), dtype=bool)}
    for plan in sorted(set(plans)):
        chosen = np.array([name == plan for name in plans], dtype=bool)
        if customers[chosen].sum() >= minimum_customers:
            of_plan[plan] = chosen
    for plan, chosen in of_plan.items():
        fit = fit_shifted_beta_geometric(renewals[chosen], is_closed[chosen], customers[chosen])
        yield from fit_rows(fit, scope="contracts", cut_name="all", plan=plan, is_chosen=fit.is_converged)


def fitted_models(
    settings: Columns, cuts: Columns, histories_at: HistoriesAt, order_values: Columns, contracts: Columns
) -> pa.Table:
    """Return the fits as a table of SCHEMA; columns are numpy arrays by name, as the SQL models hold them.

    histories_at gives the histories of one cut: those of all cuts together need not fit into memory.
    """
    minimum_repeaters = int(settings["minimum_repeaters"][0])
    rows = [
        *purchase_rows(cuts, histories_at, minimum_repeaters),
        *order_value_rows(order_values, minimum_repeaters),
        *contract_rows(contracts, int(settings["minimum_plan_customers"][0])),
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
