"""Shaping of rows: several rows per parent, order by time, running numbers."""

import numpy as np

from warehouse.generator.draws import Floats, Integers


def repeated(counts: Integers) -> tuple[Integers, Integers]:
    """Return, for `counts` rows per parent.

    The position of each row's parent and the row's ordinal (from 0).
    """
    parents = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return parents, np.arange(len(parents)) - np.repeat(first, counts)


def counts_near(means: Floats, draws: Floats, highest: int) -> Integers:
    """Return whole counts with the given means (rounded up or down at random), at most `highest`."""
    return np.minimum((means + draws).astype(np.int64), highest)


def office_hours(instants: Integers, shares: Floats) -> Integers:
    """Return the same days at a time between 07:00 and 21:00, whole seconds."""
    return instants // 86_400 * 86_400 + 7 * 3_600 + (shares * 14 * 3_600).astype(np.int64)
