"""What the fitted value models say about each distinct history, as tables for the SQL models."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from warehouse.value_models.bg_nbd import BgNbdParameters, MbgNbdParameters
from warehouse.value_models.fitted_models import ALL_PLANS, Columns, purchase_histories
from warehouse.value_models.pareto_nbd import ParetoNbdParameters
from warehouse.value_models.scoring import PurchaseParameters, monthly_rate, score
from warehouse.value_models.shifted_beta_geometric import (
    ShiftedBetaGeometricParameters,
    discounted_expected_residual_lifetime,
    survival_given_renewals,
)

PURCHASE_PARAMETERS: Mapping[str, type[Any]] = {
    "bg_nbd": BgNbdParameters,
    "mbg_nbd": MbgNbdParameters,
    "pareto_nbd": ParetoNbdParameters,
}
PURCHASE_SCHEMA = pa.schema(
    [
        ("frequency", pa.int64()),
        ("recency_days", pa.int64()),
        ("age_days", pa.int64()),
        ("model", pa.string()),
        ("p_alive", pa.float64()),
        ("expected_purchases", pa.float64()),
        ("discounted_purchases", pa.float64()),
    ]
)
CONTRACT_SCHEMA = pa.schema(
    [
        ("plan", pa.string()),
        ("renewals", pa.int64()),
        ("model", pa.string()),
        ("residual_months", pa.float64()),
        ("twelve_month_survival", pa.float64()),
    ]
)


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """Return columns of numpy arrays as rows; masked values as None."""
    names = list(columns)
    values = [np.ma.asarray(columns[name]).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def chosen_parameters(fits: list[dict[str, Any]], flag: str) -> tuple[str, PurchaseParameters] | None:
    """Return the name and parameters of the purchase model that `flag` marks; None when none is marked."""
    marked = [row for row in fits if row["scope"] == "purchases" and row["cut_name"] == "all" and row[flag]]
    if not marked:
        return None
    model = marked[0]["model"]
    return model, PURCHASE_PARAMETERS[model](**{row["parameter"]: row["value"] for row in marked})


def purchase_scores(settings: Columns, fits: Columns, histories: Columns) -> pa.Table:
    """Return a row of PURCHASE_SCHEMA per history; no row when no model was chosen."""
    fitted = rows_of(fits)
    chosen = chosen_parameters(fitted, "is_chosen")
    if chosen is None:
        return PURCHASE_SCHEMA.empty_table()
    alive = chosen_parameters(fitted, "is_p_alive_model")
    scores = score(
        chosen[1],
        None if alive is None else alive[1],
        purchase_histories(histories),
        int(settings["horizon_months"][0]),
        monthly_rate(float(settings["annual_discount_rate"][0])),
    )
    return pa.table(
        {
            "frequency": np.asarray(histories["frequency"], dtype=np.int64),
            "recency_days": np.asarray(histories["recency_days"], dtype=np.int64),
            "age_days": np.asarray(histories["age_days"], dtype=np.int64),
            "model": pa.repeat(chosen[0], len(scores.p_alive)),
            "p_alive": pa.array(scores.p_alive, from_pandas=True),
            "expected_purchases": scores.expected_purchases,
            "discounted_purchases": scores.discounted_purchases,
        },
        schema=PURCHASE_SCHEMA,
    )


def contract_scores(settings: Columns, fits: Columns, tenures: Columns) -> pa.Table:
    """Return a row of CONTRACT_SCHEMA per plan and number of renewals that a fit covers."""
    parameters: dict[str, dict[str, float]] = {}
    for row in rows_of(fits):
        if row["scope"] == "contracts" and row["value"] is not None:
            parameters.setdefault(row["plan"], {})[row["parameter"]] = row["value"]
    rate = monthly_rate(float(settings["annual_discount_rate"][0]))
    scored = []
    for row in rows_of(tenures):
        fitted_plan = row["plan"] if row["plan"] in parameters else ALL_PLANS
        if fitted_plan not in parameters:
            continue
        fit = ShiftedBetaGeometricParameters(**parameters[fitted_plan])
        renewals = np.array([row["renewals"]])
        scored.append(
            {
                "plan": row["plan"],
                "renewals": row["renewals"],
                "model": f"shifted_beta_geometric: {fitted_plan}",
                "residual_months": float(discounted_expected_residual_lifetime(fit, renewals, rate)[0]),
                "twelve_month_survival": float(survival_given_renewals(fit, renewals, 12)[0]),
            }
        )
    return pa.Table.from_pylist(scored, schema=CONTRACT_SCHEMA)
