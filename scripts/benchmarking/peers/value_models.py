"""Fits BG/NBD and Gamma-Gamma on the same histories, with `lifetimes` or with the warehouse; seconds and parameters."""

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

Histories = dict[str, Any]
Fitted = dict[str, Any]


def fitted_by_lifetimes(histories: Histories) -> Fitted:
    """Fit with lifetimes, without penalties."""
    import pandas as pd
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    table = pd.DataFrame(histories)
    repeat = table[table["frequency"] > 0]
    begun = time.perf_counter()
    purchases = BetaGeoFitter(penalizer_coef=0.0).fit(table["frequency"], table["recency"], table["age"])
    between = time.perf_counter()
    values = GammaGammaFitter(penalizer_coef=0.0).fit(repeat["frequency"], repeat["mean_value"])
    done = time.perf_counter()
    r, alpha, a, b = (float(purchases.params_[name]) for name in ("r", "alpha", "a", "b"))
    p, q, gamma = (float(values.params_[name]) for name in ("p", "q", "v"))
    return _fitted((r, alpha, a, b), between - begun, (p, q, gamma), done - between)


def fitted_by_warehouse(histories: Histories) -> Fitted:
    """Fit with the functions that the warehouse's models call, grouping of equal histories included."""
    from warehouse.value_models.bg_nbd import fit_bg_nbd
    from warehouse.value_models.gamma_gamma import fit_gamma_gamma
    from warehouse.value_models.sufficient_statistics import PurchaseHistories, group_histories

    begun = time.perf_counter()
    given = PurchaseHistories.from_arrays(histories["frequency"], histories["recency"], histories["age"])
    purchases = fit_bg_nbd(group_histories(given)).parameters
    between = time.perf_counter()
    values = fit_gamma_gamma(histories["frequency"], histories["mean_value"]).parameters
    done = time.perf_counter()
    if purchases is None or values is None:
        raise SystemExit("the models of the warehouse did not converge on these histories")
    return _fitted(
        (purchases.r, purchases.alpha, purchases.a, purchases.b),
        between - begun,
        (values.p, values.q, values.gamma),
        done - between,
    )


def _fitted(
    purchases: tuple[float, ...], purchase_seconds: float, values: tuple[float, ...], value_seconds: float
) -> Fitted:
    return {
        "bg_nbd": dict(zip(("r", "alpha", "a", "b"), purchases, strict=True)),
        "bg_nbd_seconds": purchase_seconds,
        "gamma_gamma": dict(zip(("p", "q", "gamma"), values, strict=True)),
        "gamma_gamma_seconds": value_seconds,
    }


def main() -> None:
    """Read library, histories and output file from the command line."""
    library, source, out = sys.argv[1:4]
    warnings.simplefilter("ignore")
    table = parquet.read_table(source)
    histories = {name: table[name].to_numpy() for name in table.column_names}
    fit = {"lifetimes": fitted_by_lifetimes, "warehouse": fitted_by_warehouse}[library]
    Path(out).write_text(json.dumps(fit(histories)), encoding="utf-8")


if __name__ == "__main__":
    main()
