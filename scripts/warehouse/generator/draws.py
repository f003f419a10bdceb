"""Random draws as pure functions of (seed, stream name, key): neither order of calls nor chunk size matters.

The bits come from the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
generators, 2014). Distributions go through tables of quantiles and plain arithmetic, because the last bit
of a vectorised logarithm differs between processors and the files must not.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_TABLE_STEPS = 4096
# A customer, deal or wave has fewer rows of one kind than this; keys of rows are parent × ROWS_PER_PARENT +
# ordinal.
ROWS_PER_PARENT = 1 << 16


def _mix_scalar(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _quantile_table(quantile: Callable[[float], float]) -> Floats:
    """Return the quantiles at 4,096 equal steps; the ends are cut at half a step, nine digits are kept."""
    points = [min(max(step, 0.5), _TABLE_STEPS - 0.5) / _TABLE_STEPS for step in range(_TABLE_STEPS + 1)]
    return np.array([float(f"{quantile(point):.9g}") for point in points])


@cache
def _exponential_table() -> Floats:
    return _quantile_table(lambda share: -math.log1p(-share))


@cache
def _lognormal_table(sigma: float) -> Floats:
    return _quantile_table(lambda share: math.exp(sigma * NormalDist().inv_cdf(share)))


def _interpolate(table: Floats, shares: Floats) -> Floats:
    position = shares * _TABLE_STEPS
    low = position.astype(np.int64)
    fraction = position - low
    return table[low] * (1.0 - fraction) + table[low + 1] * fraction


def row_keys(parents: Integers, ordinals: Integers) -> Integers:
    """Return one key per row from the key of its parent and its ordinal within the parent (both int64)."""
    return parents * ROWS_PER_PARENT + ordinals


@dataclass(frozen=True)
class Draws:
    """The draws of one company. `stream` names what is drawn, `keys` (int64) say for which rows."""

    seed: int

    def bits(self, stream: str, keys: Integers) -> NDArray[np.uint64]:
        """Return 64 random bits per key."""
        base = _mix_scalar((_mix_scalar(self.seed * _GOLDEN & _MASK) + zlib.crc32(stream.encode()) * _GOLDEN) & _MASK)
        return _mix(_mix(keys.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(base)))

    def uniform(self, stream: str, keys: Integers) -> Floats:
        """Return numbers in [0, 1)."""
        return (self.bits(stream, keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def happens(self, stream: str, keys: Integers, probability: float | Floats) -> Booleans:
        """Return True with the given probability."""
        return self.uniform(stream, keys) < probability

    def whole(self, stream: str, keys: Integers, low: int, high: int) -> Integers:
        """Return whole numbers in [low, high]."""
        return low + (self.uniform(stream, keys) * (high - low + 1)).astype(np.int64)

    def choice(self, stream: str, keys: Integers, weights: Sequence[float]) -> Integers:
        """Return positions in `weights`, each as often as its weight says."""
        limits = np.cumsum(np.array(weights, dtype=np.float64))
        found = np.searchsorted(limits / limits[-1], self.uniform(stream, keys), side="right")
        return np.minimum(found, len(limits) - 1).astype(np.int64)

    def exponential(self, stream: str, keys: Integers) -> Floats:
        """Return exponential waiting times with mean 1 (cut at the 8,191/8,192 quantile, about 9)."""
        return _interpolate(_exponential_table(), self.uniform(stream, keys))

    def lognormal(self, stream: str, keys: Integers, sigma: float) -> Floats:
        """Return log-normal factors with median 1 and standard deviation `sigma` of the logarithm."""
        return _interpolate(_lognormal_table(sigma), self.uniform(stream, keys))
