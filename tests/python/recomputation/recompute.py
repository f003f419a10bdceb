"""Every mart from the raw rows, in plain Python."""

from typing import Any

from recomputation.backtest import backtest
from recomputation.cohorts import churn_cohorts
from recomputation.company import Company
from recomputation.expectations import ValueModels
from recomputation.funnel import funnel_conversion
from recomputation.lifetime_value import customer_lifetime_value, worths
from recomputation.losses import customer_losses
from recomputation.nps import nps
from recomputation.raw import Raw, Variables
from recomputation.reasons import churn_reasons
from recomputation.reconciliation import load_reconciliation, load_repairs, quarantined_rows
from recomputation.repeat_purchase import repeat_purchase_rate
from recomputation.retention import churn_dialects, retention_rate
from recomputation.revenue import revenue_retention
from recomputation.sales import sales_performance
from recomputation.segments import customer_360, customer_segments, revenue_concentration, value_at_risk
from recomputation.survival import churn_survival

Marts = dict[str, list[dict[str, Any]]]

PERIOD = ("period_type", "period_start")
DIMENSION = ("dimension", "dimension_value")
GRAINS: dict[str, tuple[str, ...]] = {
    "retention_rate": ("basis", *PERIOD, *DIMENSION),
    "revenue_retention": (*PERIOD, *DIMENSION),
    "churn_dialects": ("basis", *PERIOD, "dialect"),
    "churn_cohorts": ("basis", "cohort_type", "cohort_start", "periods_since_start", *DIMENSION),
    "churn_survival": ("basis", *DIMENSION, "day"),
    "churn_reasons": ("basis", *PERIOD, "reason"),
    "customer_losses": ("account_id",),
    "customer_lifetime_value": ("account_id",),
    "clv_models": ("model", "fitted_on", "parameter"),
    "backtest": ("quantity", "cut_date", "horizon_days", "model"),
    "customer_segments": ("account_id",),
    "revenue_concentration": PERIOD,
    "funnel_conversion": ("pipeline", *PERIOD, "stage", *DIMENSION),
    "sales_performance": (*PERIOD, *DIMENSION),
    "nps": ("survey_type", "scale", *PERIOD, "wave", *DIMENSION),
    "repeat_purchase_rate": ("horizon_days", "cohort_start", *DIMENSION),
    "customer_360": ("account_id",),
    "value_at_risk": ("value_tier", "risk_tier"),
    "load_reconciliation": ("load_id", "entity", "file"),
    "load_repairs": ("load_id", "entity", "file", "repaired_columns"),
    "quarantined_rows": ("load_id", "file", "line_number", "record_number", "entity", "reason"),
}
# The curvature of a likelihood by differences has fewer digits than the rest.
TOLERANCES = {"clv_models": {"std_error": 1e-3}}


def recompute(raw: Raw, variables: Variables) -> Marts:
    """Return mart name -> rows, of a company too small for a value model.

    Without any event at all only the quality marts have rows.
    """
    return marts_of(Company(raw, variables))


def marts_of(company: Company, models: ValueModels | None = None) -> Marts:
    """Return every mart of a company; `models` holds the published fits where there are any."""
    marts: Marts = {name: [] for name in GRAINS}
    marts["load_reconciliation"] = load_reconciliation(company)
    marts["load_repairs"] = load_repairs(company)
    marts["quarantined_rows"] = quarantined_rows(company)
    if company.as_of is None:
        return marts
    models = models or ValueModels(company, [])
    worth = worths(company, models)
    marts["retention_rate"] = retention_rate(company)
    marts["revenue_retention"] = revenue_retention(company)
    marts["churn_dialects"] = churn_dialects(marts["retention_rate"])
    marts["churn_cohorts"] = churn_cohorts(company)
    marts["churn_survival"] = churn_survival(company)
    marts["churn_reasons"] = churn_reasons(company)
    marts["customer_losses"] = customer_losses(company)
    marts["customer_lifetime_value"] = customer_lifetime_value(company, worth)
    marts["clv_models"] = models.clv_models()
    marts["backtest"] = backtest(company, models)
    marts["customer_segments"] = customer_segments(company, worth)
    marts["revenue_concentration"] = revenue_concentration(company)
    marts["funnel_conversion"] = funnel_conversion(company)
    marts["sales_performance"] = sales_performance(company)
    marts["nps"] = nps(company)
    marts["repeat_purchase_rate"] = repeat_purchase_rate(company)
    marts["customer_360"] = customer_360(company, worth, marts["customer_segments"])
    marts["value_at_risk"] = value_at_risk(company, worth, marts["customer_segments"])
    return marts
