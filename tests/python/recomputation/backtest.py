"""The mart `backtest`: what was predicted at days of the past, and what came (interface §3, metric page §7 and §9)."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from recomputation.company import Company
from recomputation.dimensions import BASES, members
from recomputation.expectations import ValueModels
from recomputation.numbers import kaplan_meier, mean, ratio
from recomputation.periods import midnight

Rows = list[dict[str, Any]]


def first_churn(company: Company, basis: str, customer: str, known_at: date) -> date | None:
    """Return the day of the first churn before a day, by what was known then; NULL when there is none."""
    now = midnight(known_at)
    churns = company.contract_churns(customer, now) if basis == "contract" else company.purchase_churns(customer)
    # A datetime is a date too.
    days = [day for day in (date(churn.year, churn.month, churn.day) for churn in churns) if day < known_at]
    return days[0] if days else None


def backtest_of_retention(company: Company) -> Rows:
    """One row per basis and horizon at whose beginning somebody's future could be predicted.

    Predicted is the mean of S(age + horizon) ÷ S(age) over the customers active at the cut, S being the survival curve
    known then; ages that nobody had been observed for the whole horizon are left out.
    """
    rows = []
    for basis in BASES:
        starts = {customer: started.date() for customer, started in members(company, basis).items()}
        for horizon in company.variables["backtest_horizon_days"]:
            cut = company.now.date() - timedelta(days=horizon)
            known = {customer: start for customer, start in starts.items() if start < cut}
            churns = {customer: first_churn(company, basis, customer, cut) for customer in known}
            lengths = {
                customer: (Fraction(((churns[customer] or cut) - start).days), churns[customer] is not None)
                for customer, start in known.items()
            }
            curve = [(day, survival) for day, _, _, _, survival, _ in kaplan_meier(list(lengths.values()))]
            predictions, retained = [], 0
            for customer, (age, gone) in lengths.items():
                if gone or age + horizon > curve[-1][0]:
                    continue
                now, later = ([s for day, s in curve if day <= at][-1] for at in (age, age + horizon))
                predictions.append(later / now)
                retained += first_churn(company, basis, customer, company.now.date()) is None
            if predictions:
                predicted, actual = float(mean(predictions) or 0), ratio(retained, len(predictions))
                rows.append(
                    {
                        "quantity": "retention",
                        "cut_date": cut,
                        "horizon_days": horizon,
                        "model": f"kaplan_meier: {basis}",
                        "customers": len(predictions),
                        "predicted": predicted,
                        "actual": actual,
                        "error": predicted - (actual or 0),
                    }
                )
    return rows


def backtest(company: Company, models: ValueModels) -> Rows:
    """One row per quantity, cut date, horizon and model."""
    return backtest_of_retention(company) + models.backtest_of_purchases()
