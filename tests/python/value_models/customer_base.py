"""Customer bases for the tests: the published CDNOW sample and simulated ones."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from warehouse.value_models.sufficient_statistics import FloatArray, PurchaseHistories, group_histories

CDNOW_SAMPLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "cdnow" / "CDNOW_sample.txt"


@dataclass(frozen=True)
class CustomerBase:
    """Ungrouped histories by customer id, and the mean values of their repeat days (NaN without)."""

    histories: PurchaseHistories
    mean_value: FloatArray
    purchase_days: list[list[date]]

    @property
    def grouped(self) -> PurchaseHistories:
        return group_histories(self.histories)


def read_cdnow(last_day: date, end: date, with_zero_amounts: bool = True) -> CustomerBase:
    """Customers with a purchase up to `last_day`; their age runs to `end`. `purchase_days` holds all days."""
    if not CDNOW_SAMPLE.exists():
        pytest.skip("the CDNOW sample is not beside the repository")
    amounts: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for line in CDNOW_SAMPLE.read_text().splitlines():
        _, customer, day, _, amount = line.split()
        if with_zero_amounts or float(amount) > 0:
            amounts[customer][datetime.strptime(day, "%Y%m%d").date()] += float(amount)
    rows, means, purchase_days = [], [], []
    for customer in sorted(amounts):
        all_days = sorted(amounts[customer])
        days = [day for day in all_days if day <= last_day]
        if not days:
            continue
        rows.append((len(days) - 1, (days[-1] - days[0]).days / 7, (end - days[0]).days / 7))
        means.append(np.mean([amounts[customer][day] for day in days[1:]]) if len(days) > 1 else np.nan)
        purchase_days.append(all_days)
    frequency, recency, age = np.array(rows, dtype=np.float64).T
    return CustomerBase(PurchaseHistories.from_arrays(frequency, recency, age), np.array(means), purchase_days)


def cdnow_calibration() -> CustomerBase:
    """The published summary: 2,357 customers observed to 1997-09-30, zero amounts kept."""
    return read_cdnow(date(1997, 9, 30), date(1997, 9, 30))


@dataclass(frozen=True)
class SimulatedBase:
    """Simulated histories, ungrouped, with the truth that a real company never sees."""

    histories: PurchaseHistories
    is_alive: FloatArray
    holdout_purchases: FloatArray


def simulate(
    model: str,
    parameters: tuple[float, float, float, float],
    customers: int,
    seed: int,
    holdout: float = 52.0,
) -> SimulatedBase:
    """Simulate continuous-time customers of `bg_nbd`, `mbg_nbd` or `pareto_nbd`, aged 20 to 150 weeks."""
    generator = np.random.default_rng(seed)
    shape, rate, third, fourth = parameters
    age = generator.uniform(20, 150, customers)
    purchase_rate = generator.gamma(shape, 1 / rate, customers)
    if model == "pareto_nbd":
        dropout = np.zeros(customers)
        lifetime = generator.exponential(1 / generator.gamma(third, 1 / fourth, customers))
    else:
        dropout = generator.beta(third, fourth, customers)
        lifetime = np.full(customers, np.inf)
        if model == "mbg_nbd":
            lifetime[generator.random(customers) < dropout] = 0.0
    frequency, recency, later = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    clock = np.zeros(customers)
    active = np.arange(customers)
    while len(active):
        clock[active] += generator.exponential(1 / np.maximum(purchase_rate[active], 1e-12))
        active = active[clock[active] < np.minimum(lifetime[active], age[active] + holdout)]
        is_past = clock[active] <= age[active]
        frequency[active] += is_past
        later[active] += ~is_past
        recency[active[is_past]] = clock[active[is_past]]
        leaves = generator.random(len(active)) < dropout[active]
        lifetime[active[leaves]] = clock[active[leaves]]
        active = active[~leaves]
    return SimulatedBase(
        PurchaseHistories.from_arrays(frequency, recency, age),
        (lifetime > age).astype(np.float64),
        later,
    )
