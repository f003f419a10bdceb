"""What the value models see of a company, what they expect of it, and whether the published fits are right (§9).

A fit is not repeated here: on forty customers two honest optimisers may stop at different digits. The published
parameters are taken, the second implementation proves that they are a maximum, and everything that follows from them
is computed anew.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property, partial
from math import floor, isclose
from typing import Any

import numpy as np
from scipy.optimize import minimize

from recomputation.company import Company, gaps
from recomputation.dimensions import first_plan, plan_at
from recomputation.periods import add_months, midnight
from recomputation.value_models import (
    PARAMETERS,
    PURCHASE_MODELS,
    Histories,
    Parameters,
    alive,
    contracts_log_likelihood,
    discounted_purchases,
    expected_order_value,
    expected_purchases,
    log_likelihood,
    order_values_log_likelihood,
    residual_months,
    stays_a_year,
)

Rows = list[dict[str, Any]]
# scope, cut, plan, model
Key = tuple[str, str, str, str]
ALL_PLANS = "(all plans)"
ORDER_VALUES: Key = ("order_values", "all", "", "gamma_gamma")
# Why a fit may fail that could be tried.
FAILURES = ("parameter_diverged", "not_converged", "information_not_positive_definite", "infinite_mean_order_value")
# Beyond this the likelihood is so flat in one direction that its curvature has no digits to compare.
LARGEST_CONDITION = 1e6
# Relative standard errors below this belong to a maximum, not to a ridge on the way to zero or infinity.
KNOWN = 2.0


@dataclass(frozen=True)
class Cut:
    """A day at which the past is cut off, and what the purchase models see then."""

    day: date
    horizon_days: int
    customers: list[str]
    histories: Histories
    later_days: int


@dataclass(frozen=True)
class Tenure:
    """The contracts of a customer: renewals and outcome of the first run; renewals and plan of the run in force."""

    plan: str
    renewals: int
    is_closed: bool
    current_plan: str | None
    current_renewals: int
    monthly_margin: Fraction


@dataclass(frozen=True)
class Trial:
    """A fit that is tried: on how many customers, its log-likelihood, and why it must fail, if it must."""

    customers: int
    log_likelihood: Callable[[Parameters], float]
    impossible: str | None = None


@dataclass(frozen=True)
class Expectation:
    """What is expected of a customer; `reason` says why there is no residual value."""

    reason: str | None = None
    model: str | None = None
    p_alive: float | None = None
    purchases: float | None = None
    order_value: float | None = None
    residual: float | None = None
    stay: float | None = None


def renewals(started: date, ended: date) -> int:
    """Count the monthly anniversaries of the start that lie before the end."""
    count = 0
    while add_months(midnight(started), count + 1) < midnight(ended):
        count += 1
    return count


def tenure_of(company: Company, customer: str) -> Tenure:
    """Return the tenure of a customer with contracts."""
    own = company.contracts_of[customer]
    losses = [
        (before.date(), after)
        for before, after in gaps(own)
        if after is None or (after.date() - before.date()).days > company.variables["grace_days"]
    ]
    starts = [own[0].started_at.date(), *(after.date() for _, after in losses if after is not None)]
    today = company.now.date()
    first_end = losses[0][0] if losses else today
    held = [contract for contract in own if contract.in_force(company.now)]
    return Tenure(
        plan=first_plan(own),
        renewals=renewals(starts[0], min(first_end, today)),
        is_closed=first_end < today,
        current_plan=plan_at(own, company.now) if held else None,
        current_renewals=renewals(starts[-1], today),
        monthly_margin=sum((contract.mrr * contract.margin for contract in held), Fraction(0)),
    )


class ValueModels:
    """The data of the value models, and the published fits of one company."""

    def __init__(self, company: Company, fits: Rows) -> None:
        """`fits`: scope, cut_name, plan, model, parameter, value and the columns of `clv_models`."""
        self.company = company
        self.today = company.now.date()
        self.published: dict[Key, Rows] = defaultdict(list)
        for row in fits:
            self.published[row["scope"], row["cut_name"], row["plan"], row["model"]].append(row)

    # ------------------------------------------------------------------ what the models see

    def _cut(self, day: date) -> Cut:
        """Return the customers acquired before a day, by their order days before it."""
        rows, later = {}, 0
        for customer, days in self.company.order_days.items():
            before = [each for each in days if each < day]
            if before:
                weeks = [(each - before[0]).days / 7 for each in (before[-1], day)]
                rows[customer] = (len(before) - 1, weeks[0], weeks[1])
                later += len(days) - len(before)
        return Cut(day, (self.today - day).days, list(rows), Histories.of(list(rows.values())), later)

    @cached_property
    def cuts(self) -> dict[str, Cut]:
        """The whole past, the calibration and the backtests, when the purchase models are tried."""
        if len(self.repeat_spending) < self.company.variables["clv_minimum_repeaters"]:
            return {}
        first = min(days[0] for days in self.company.order_days.values())
        span = floor((self.today - first).days * Fraction(str(self.company.variables["clv_calibration_share"])))
        days = {"all": self.today, "calibration": first + timedelta(days=span)}
        for horizon in self.company.variables["backtest_horizon_days"]:
            days[f"backtest_{horizon}"] = self.today - timedelta(days=horizon)
        return {name: self._cut(day) for name, day in days.items()}

    @cached_property
    def repeat_spending(self) -> dict[str, Fraction]:
        """Net amount of all order days but the first, of customers with more than one."""
        return {
            customer: sum(
                (order.net for order in self.company.qualifying_orders[customer] if order.at.date() != days[0]),
                Fraction(0),
            )
            for customer, days in self.company.order_days.items()
            if len(days) > 1
        }

    @cached_property
    def tenures(self) -> dict[str, Tenure]:
        """The tenure of every customer with a contract."""
        return {one: tenure_of(self.company, one) for one, own in self.company.contracts_of.items() if own}

    @cached_property
    def plans(self) -> dict[str, list[Tenure]]:
        """The tenures behind each contract model: of all plans together, and of each plan with enough customers."""
        minimum = self.company.variables["clv_minimum_plan_customers"]
        by_plan: dict[str, list[Tenure]] = defaultdict(list)
        for tenure in self.tenures.values():
            by_plan[ALL_PLANS].append(tenure)
            by_plan[tenure.plan].append(tenure)
        return {plan: own for plan, own in by_plan.items() if plan == ALL_PLANS or len(own) >= minimum}

    @cached_property
    def trials(self) -> dict[Key, Trial]:
        """Every fit that is tried."""
        found: dict[Key, Trial] = {}
        for name, cut in self.cuts.items():
            impossible = None if cut.histories.frequency.any() else "no_repeat_purchases"
            for model in PURCHASE_MODELS:
                found["purchases", name, "", model] = Trial(
                    len(cut.customers),
                    partial(log_likelihood, model, histories=cut.histories),
                    impossible if cut.customers else "no_customers",
                )
        if self.cuts:
            size = np.array([len(self.company.order_days[one]) - 1 for one in self.repeat_spending], dtype=float)
            mean = np.array([float(spent) for spent in self.repeat_spending.values()]) / size
            found[ORDER_VALUES] = Trial(
                len(size), partial(order_values_log_likelihood, frequency=size, mean_value=mean)
            )
        for plan, own in self.plans.items():
            outcomes = [(tenure.renewals, tenure.is_closed) for tenure in own]
            impossible = None if any(done for done, _ in outcomes) else "no_survivors"
            if not any(closed for _, closed in outcomes):
                impossible = "no_closed_contracts"
            found["contracts", "all", plan, "shifted_beta_geometric"] = Trial(
                len(own), partial(contracts_log_likelihood, tenures=outcomes), impossible
            )
        return found

    # ------------------------------------------------------------------ what they expect

    def parameters(self, key: Key) -> tuple[float, ...] | None:
        """Return the published parameters of a fit in the order of the papers; None when it did not converge."""
        found = {row["parameter"]: row["value"] for row in self.published.get(key, ())}
        names = PARAMETERS[key[3]]
        return tuple(found[name] for name in names) if set(found) == set(names) else None

    def failure(self, key: Key) -> str | None:
        """Return the published reason of a fit that failed; NULL when there is none."""
        return next((str(row["not_converged_reason"]) for row in self.published.get(key, ())), None)

    @cached_property
    def predicted(self) -> dict[tuple[str, str], float | None]:
        """(cut, model) → the purchases expected of all its customers from the cut to as_of."""
        found: dict[tuple[str, str], float | None] = {}
        for name, cut in self.cuts.items():
            for model in PURCHASE_MODELS:
                parameters = self.parameters(("purchases", name, "", model))
                found[name, model] = (
                    None
                    if parameters is None
                    else float(np.sum(expected_purchases(model, parameters, cut.histories, cut.horizon_days / 7)))
                )
        return found

    def best(self, candidates: tuple[str, ...]) -> str | None:
        """Return the model with the smallest error in the holdout, of those that converged before and after."""
        errors = {}
        for model in candidates:
            predicted = self.predicted.get(("calibration", model))
            if predicted is not None and self.parameters(("purchases", "all", "", model)) is not None:
                errors[model] = abs(predicted - self.cuts["calibration"].later_days)
        return min(errors, key=lambda model: errors[model]) if errors else None

    @cached_property
    def chosen(self) -> str | None:
        """The model of the expected purchases."""
        return self.best(PURCHASE_MODELS)

    @cached_property
    def chosen_for_alive(self) -> str | None:
        """The model of p_alive: the BG/NBD cannot tell for customers with one purchase."""
        return self.best(("mbg_nbd", "pareto_nbd")) if self.chosen else None

    @cached_property
    def purchases(self) -> dict[str, tuple[float, float, float | None]]:
        """Customer → purchases expected over the horizon, the same discounted, p_alive."""
        parameters = self.parameters(("purchases", "all", "", str(self.chosen))) if self.chosen else None
        if self.chosen is None or parameters is None:
            return {}
        cut, variables = self.cuts["all"], self.company.variables
        months, rate = variables["clv_horizon_months"], float(variables["clv_annual_discount_rate"])
        total, discounted = discounted_purchases(self.chosen, parameters, cut.histories, months, rate)
        alive_parameters = (
            self.parameters(("purchases", "all", "", str(self.chosen_for_alive))) if self.chosen_for_alive else None
        )
        living: Any = (
            [None] * len(cut.customers)
            if alive_parameters is None
            else alive(str(self.chosen_for_alive), alive_parameters, cut.histories).tolist()
        )
        return dict(zip(cut.customers, zip(total.tolist(), discounted.tolist(), living, strict=True), strict=True))

    @cached_property
    def margins(self) -> dict[str, Fraction | None]:
        """Σ net × margin ÷ Σ net of the qualifying orders of each buyer."""
        return {
            customer: sum((order.net * order.margin for order in orders), Fraction(0))
            / sum((order.net for order in orders), Fraction(0))
            for customer, orders in self.company.qualifying_orders.items()
        }

    def contract_model(self, tenure: Tenure) -> str | None:
        """Return the plan whose fit speaks for a contract in force: its own, else all together."""
        for plan in (str(tenure.current_plan), ALL_PLANS):
            if self.parameters(("contracts", "all", plan, "shifted_beta_geometric")) is not None:
                return plan
        return None

    def expectation(self, customer: str) -> Expectation:
        """Return what is expected of a customer."""
        is_buyer, tenure = customer in self.company.order_days, self.tenures.get(customer)
        if not is_buyer and tenure is None:
            return Expectation(reason="never_bought")
        rate = float(self.company.variables["clv_annual_discount_rate"])
        reason, models = None, []
        residual, order_value, stay = 0.0, None, None
        purchases, discounted, p_alive = self.purchases.get(customer, (None, 0.0, None))
        if is_buyer:
            values = self.parameters(ORDER_VALUES)
            if purchases is not None and values is not None:
                days = self.company.order_days[customer]
                spent = float(self.repeat_spending.get(customer, 0))
                order_value = expected_order_value(values, len(days) - 1, spent)
                residual += discounted * order_value * float(self.margins[customer] or 0)
                models.append(str(self.chosen))
            elif not self.cuts:
                reason = "too_few_repeat_customers"
            else:
                reason = (
                    "purchase_model_did_not_converge" if purchases is None else "order_value_model_did_not_converge"
                )
            stay = p_alive
        if tenure is not None and tenure.current_plan is not None:
            plan, stay = self.contract_model(tenure), None
            if plan is not None:
                parameters = self.parameters(("contracts", "all", plan, "shifted_beta_geometric"))
                assert parameters is not None
                stay = stays_a_year(parameters, tenure.current_renewals)
                residual += float(tenure.monthly_margin) * residual_months(parameters, tenure.current_renewals, rate)
                models.append(f"shifted_beta_geometric: {plan}")
            elif reason is None:
                reason = "contract_model_did_not_converge"
        if reason is not None:
            return Expectation(reason, None, p_alive, purchases, order_value, None, stay)
        return Expectation(None, " + ".join(models) or None, p_alive, purchases, order_value, residual, stay)

    # ------------------------------------------------------------------ the marts of the models

    def clv_models(self) -> Rows:
        """Return the mart: the published estimates, and all that follows from them or from the data."""
        rows = []
        for key, trial in self.trials.items():
            scope, cut, plan, model = key
            if cut.startswith("backtest"):
                continue
            parameters = self.parameters(key)
            row: dict[str, Any] = {
                "model": f"{model}: {plan}" if scope == "contracts" else model,
                "fitted_on": cut,
                "log_likelihood": None if parameters is None else trial.log_likelihood(parameters),
                "customers": trial.customers,
                "holdout_actual": self.cuts["calibration"].later_days if scope == "purchases" else None,
                "holdout_predicted": self.predicted["calibration", model] if scope == "purchases" else None,
                "is_chosen": model == self.chosen if scope == "purchases" else parameters is not None,
                "is_p_alive_model": scope == "purchases" and model == self.chosen_for_alive,
                "not_converged_reason": None if parameters is not None else self.failure(key),
            }
            if parameters is None:
                rows.append({**row, "parameter": "(none)", "value": None, "std_error": None})
                continue
            errors = self.standard_errors(trial, parameters)
            for number, name in enumerate(PARAMETERS[model]):
                estimate = {"parameter": name, "value": parameters[number]}
                # A curvature without digits is left to the warehouse.
                estimate |= {} if errors is None else {"std_error": errors[number]}
                rows.append({**row, **estimate})
        return rows

    def backtest_of_purchases(self) -> Rows:
        """Return the rows of the mart `backtest` about purchases."""
        rows = {}
        for name, cut in self.cuts.items():
            for model in PURCHASE_MODELS:
                predicted = self.predicted[name, model]
                if name != "all":
                    rows[cut.day, model] = {
                        "quantity": "purchases",
                        "cut_date": cut.day,
                        "horizon_days": cut.horizon_days,
                        "model": model,
                        "customers": len(cut.customers),
                        "predicted": predicted,
                        "actual": cut.later_days,
                        "error": None if predicted is None else predicted - cut.later_days,
                    }
        return list(rows.values())

    # ------------------------------------------------------------------ whether the fits are right

    @staticmethod
    def curvature(trial: Trial, parameters: Parameters) -> tuple[Any, Any]:
        """Return gradient and Hessian of the log-likelihood in the logarithms of the parameters, by differences."""
        centre = np.log(parameters)
        size = len(centre)
        steps = np.eye(size)

        def at(shift: Any) -> float:
            return trial.log_likelihood(tuple(np.exp(centre + shift)))

        middle = at(np.zeros(size))

        def differences(step: float) -> tuple[Any, Any]:
            up, down = ([at(sign * step * each) for each in steps] for sign in (1, -1))
            gradient = (np.array(up) - np.array(down)) / (2 * step)
            hessian = np.diag((np.array(up) + np.array(down) - 2 * middle) / step**2)
            for one in range(size):
                for other in range(one):
                    both, across = step * (steps[one] + steps[other]), step * (steps[one] - steps[other])
                    mixed = (at(both) + at(-both) - at(across) - at(-across)) / (4 * step**2)
                    hessian[one, other] = hessian[other, one] = mixed
            return gradient, hessian

        with np.errstate(all="ignore"):
            (near, near_bend), (far, far_bend) = differences(4e-3), differences(8e-3)
            return (4 * near - far) / 3, (4 * near_bend - far_bend) / 3

    def standard_errors(self, trial: Trial, parameters: Parameters) -> Any | None:
        """Return the standard errors, from the curvature; None where it has no digits."""
        _, hessian = self.curvature(trial, parameters)
        if not np.isfinite(hessian).all():
            return None
        eigenvalues = np.linalg.eigvalsh(-hessian)
        if not eigenvalues[0] * LARGEST_CONDITION > eigenvalues[-1]:
            return None
        return np.array(parameters) * np.sqrt(np.diag(np.linalg.inv(-hessian)))

    def differences(self) -> Iterator[str]:
        """Yield what is wrong with the published fits."""
        for key in set(self.published) - set(self.trials):
            yield f"{key}: fitted without reason"
        for key, trial in self.trials.items():
            rows = self.published.get(key)
            if rows is None:
                yield f"{key}: not fitted"
                continue
            parameters, reasons = self.parameters(key), {row["not_converged_reason"] for row in rows}
            if {row["customers"] for row in rows} != {trial.customers}:
                yield f"{key}: customers {rows[0]['customers']}, expected {trial.customers}"
            if parameters is None:
                if len(rows) > 1 or any(rows[0][name] is not None for name in ("value", "std_error", "log_likelihood")):
                    yield f"{key}: neither an estimate nor none"
                if reasons != {trial.impossible} and (trial.impossible or not reasons <= set(FAILURES)):
                    yield f"{key}: {reasons}, expected {trial.impossible or FAILURES}"
                continue
            if reasons != {None} or trial.impossible:
                yield f"{key}: estimated, {reasons}, expected {trial.impossible}"
            reached = trial.log_likelihood(parameters)
            if not isclose(reached, rows[0]["log_likelihood"], rel_tol=1e-9, abs_tol=1e-9):
                yield f"{key}: log-likelihood {rows[0]['log_likelihood']}, expected {reached} at {parameters}"
            gradient, hessian = self.curvature(trial, parameters)
            eigenvalues = np.linalg.eigvalsh(-hessian)
            gain = abs(gradient @ np.linalg.solve(-hessian, gradient)) / 2
            if eigenvalues[0] <= 0 or gain > 1e-6:
                yield f"{key}: no maximum at {parameters}: curvature {eigenvalues}, a step gains {gain}"

    def better_points(self) -> Iterator[str]:
        """Yield fits that a search without gradients from several starts betters, and those that need not have failed.

        A failure is right where the search ends far away or on a ridge: there is no maximum to publish.
        """
        for key, trial in self.trials.items():
            if trial.impossible or key[1].startswith("backtest"):
                continue
            parameters = self.parameters(key)
            reached, best = self.search(trial, key[3], parameters)
            if parameters is not None:
                if reached > trial.log_likelihood(parameters) + 1e-4:
                    yield f"{key}: {reached} at {best}, published {trial.log_likelihood(parameters)} at {parameters}"
                continue
            errors = self.standard_errors(trial, best)
            is_infinite = key == ORDER_VALUES and best[1] <= 1
            if errors is not None and max(errors / best) < KNOWN and not is_infinite:
                yield f"{key}: not fitted, but there is a maximum {reached} at {best}"

    @staticmethod
    def search(trial: Trial, model: str, parameters: Parameters | None) -> tuple[float, Any]:
        """Return the highest log-likelihood that is found from several starts, and where."""

        def negative(logarithms: Any) -> float:
            with np.errstate(all="ignore"):
                value = trial.log_likelihood(tuple(np.exp(np.clip(logarithms, -12, 12))))
            return -value if np.isfinite(value) else 1e12

        size = len(PARAMETERS[model])
        starts = [np.zeros(size), np.array([0.0, 3.0, 1.0, 3.0])[:size]]
        if parameters is not None:
            starts.append(np.log(parameters) + 0.3)
        options = {"xatol": 1e-3, "fatol": 1e-6, "maxfev": 700}
        found = [minimize(negative, start, method="Nelder-Mead", options=options) for start in starts]
        best = min(found, key=lambda outcome: float(outcome.fun))
        return -float(best.fun), np.exp(best.x)
