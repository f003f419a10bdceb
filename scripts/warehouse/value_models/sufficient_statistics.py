"""What purchase models need to know of customers: distinct histories and how many share each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntegerArray = NDArray[np.int64]


@dataclass(frozen=True)
class PurchaseHistories:
    """Distinct purchase histories; the four arrays have shape (histories,) and type float64.

    frequency: repeat purchases (distinct days with a purchase − 1), whole numbers ≥ 0.
    recency: weeks from the first to the last purchase, 0 where frequency is 0.
    age: weeks from the first purchase to the end of the observation, ≥ recency.
    customers: how many customers have this history, > 0.
    """

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray
    customers: FloatArray

    @classmethod
    def from_arrays(
        cls, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, customers: ArrayLike | None = None
    ) -> Self:
        """Wrap four equally long sequences; `customers` is one each when absent. Nothing is checked here."""
        frequencies = np.ascontiguousarray(frequency, dtype=np.float64)
        return cls(
            frequencies,
            np.ascontiguousarray(recency, dtype=np.float64),
            np.ascontiguousarray(age, dtype=np.float64),
            np.ones_like(frequencies) if customers is None else np.ascontiguousarray(customers, dtype=np.float64),
        )

    @property
    def total_customers(self) -> int:
        """Customers over all histories."""
        return int(self.customers.sum())

    def take(self, index: IntegerArray | slice) -> "PurchaseHistories":
        """Return the histories at `index`."""
        return PurchaseHistories(self.frequency[index], self.recency[index], self.age[index], self.customers[index])


def _row_hashes(columns: Sequence[FloatArray]) -> NDArray[np.uint64]:
    """Mix the bits of each row into one integer; equal rows have equal integers."""
    hashes = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        # Adding zero turns −0.0 into 0.0, the one pair of equal numbers with different bits.
        hashes ^= (column + 0.0).view(np.uint64)
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    return hashes


def _starts(columns: Sequence[FloatArray], order: IntegerArray) -> NDArray[np.bool_]:
    """Mark the rows that, in this order, differ from the one before."""
    is_new = np.zeros(len(order), dtype=bool)
    is_new[:1] = True
    for column in columns:
        ordered = column[order]
        is_new[1:] |= ordered[1:] != ordered[:-1]
    return is_new


def distinct_rows(columns: Sequence[FloatArray]) -> tuple[IntegerArray, IntegerArray]:
    """Find the distinct rows of some equally long columns.

    Returns (first, inverse): the index of one representative of each distinct row, shape (distinct,), and for
    each row the position of its representative in `first`, shape (rows,). The order is always the same.
    """
    # One sort by a hash is several times faster than a sort by all columns.
    hashes = _row_hashes(columns)
    order: IntegerArray = np.argsort(hashes)
    is_new = _starts(columns, order)
    ordered = hashes[order]
    if (is_new[1:] & (ordered[1:] == ordered[:-1])).any():
        # Two different rows share a hash and may lie interleaved.
        order = np.lexsort(tuple(columns))
        is_new = _starts(columns, order)
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.cumsum(is_new) - 1
    return order[is_new], inverse


def total_by_group(group: IntegerArray, amount: FloatArray, groups: int) -> FloatArray:
    """Add up `amount` over the rows of each group 0 … groups − 1; shape (groups,)."""
    totals: FloatArray = np.bincount(group, weights=amount, minlength=groups).astype(np.float64)
    return totals


def group_histories(histories: PurchaseHistories) -> PurchaseHistories:
    """Merge equal histories and add up their customers; the likelihood is the same, its cost falls."""
    first, inverse = distinct_rows((histories.frequency, histories.recency, histories.age))
    customers = total_by_group(inverse, histories.customers, len(first))
    return PurchaseHistories(histories.frequency[first], histories.recency[first], histories.age[first], customers)


def unusable_reason(histories: PurchaseHistories) -> str | None:
    """Say why no purchase model can be fitted to these histories, or None.

    `invalid_input`: unequal lengths, a value that is not finite, a negative or fractional frequency, a
    recency beyond the age or different from 0 without a repeat purchase, a count that is not positive.
    `no_customers`, `no_repeat_purchases`: nothing to learn from.
    """
    columns = (histories.frequency, histories.recency, histories.age, histories.customers)
    if any(column.ndim != 1 or column.shape != histories.frequency.shape for column in columns):
        return "invalid_input"
    if histories.frequency.size == 0:
        return "no_customers"
    if not all(np.isfinite(column).all() for column in columns):
        return "invalid_input"
    frequency, recency, age, customers = columns
    is_valid = (
        (frequency >= 0).all()
        and (frequency == np.floor(frequency)).all()
        and (recency >= 0).all()
        and (recency <= age).all()
        and (recency[frequency == 0] == 0).all()
        and (customers > 0).all()
    )
    if not is_valid:
        return "invalid_input"
    if not (frequency > 0).any():
        return "no_repeat_purchases"
    return None


def pilot_sample(histories: PurchaseHistories, size: int) -> PurchaseHistories | None:
    """Draw about `size` weighted histories that stand for all, without randomness; None when all are few.

    Histories shared by many customers are kept with their weight, of the others every stride-th is kept and
    stands for its neighbours. The optimum on the sample is only a start for the fit on everything.
    """
    stride = len(histories.frequency) // size
    if stride < 2:
        return None
    is_common = histories.customers >= stride
    common = np.flatnonzero(is_common)
    rare = np.flatnonzero(~is_common)
    sampled = rare[stride // 2 :: stride]
    weight = histories.customers[rare].sum() / max(histories.customers[sampled].sum(), 1.0)
    sample = histories.take(np.concatenate((common, sampled)))
    sample.customers[len(common) :] *= weight
    return sample
