"""The size, the period and the densities of a synthetic company."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from warehouse.generator.draws import Draws, Integers

DAY = 86_400
MONTH = int(365.25 / 12 * DAY)
YEARS_OF_HISTORY = 3
# Customers per block: rows are sorted by time within a block, and a block is a row group of the Parquet
# files.
BLOCK_CUSTOMERS = 25_000


def seconds_of(day: date) -> int:
    """Return the midnight of a day as seconds since 1970 (local time)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def add_months(day: date, months: int) -> date:
    """Return the day a number of calendar months later, cut to the end of a shorter month."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True)
class Company:
    """What is to be generated. Densities are mean rows per account over the whole history."""

    customers: int
    seed: int
    as_of: date
    orders_per_account: float = 10.0
    activities_per_account: float = 20.0
    responses_per_account: float = 2.0
    # Rows with defects (unreadable values, unknown accounts) per row of clean data.
    defect_rate: float = 0.0003

    @property
    def draws(self) -> Draws:
        """The random draws of this company."""
        return Draws(self.seed)

    @property
    def first_day(self) -> date:
        """First day of the history."""
        return add_months(self.as_of.replace(day=1), -12 * YEARS_OF_HISTORY)

    @property
    def start(self) -> int:
        """Midnight of the first day, in seconds."""
        return seconds_of(self.first_day)

    @property
    def end(self) -> int:
        """Midnight of as_of, in seconds: no event at or after it."""
        return seconds_of(self.as_of)

    @property
    def months(self) -> list[date]:
        """First days of the months of the history."""
        return [add_months(self.first_day, number) for number in range(12 * YEARS_OF_HISTORY)]

    @property
    def representatives(self) -> int:
        """Number of sales representatives."""
        return min(max(12, self.customers // 500), 2_000)

    def blocks(self) -> Iterator[Integers]:
        """Yield the account numbers 1..customers in blocks."""
        for low in range(1, self.customers + 1, BLOCK_CUSTOMERS):
            yield np.arange(low, min(low + BLOCK_CUSTOMERS, self.customers + 1), dtype=np.int64)
