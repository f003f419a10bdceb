"""Counting how often each row has occurred so far, in memory that stays small at millions of rows."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]


class OccurrenceCounter:
    """Gives each digest its occurrence number within a file: 1 for the first, 2 for the second, and so on.

    Digests are told apart by their first 64 bits, about 16 bytes a distinct row. Two rows that agree in
    these by chance still get different keys, since a key holds the whole digest. Earlier digests are kept in
    sorted runs whose sizes double, so that each is merged a few times only.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._runs: list[tuple[Numbers, Counts]] = []

    def numbers(self, digests: list[bytes]) -> list[int]:
        """Return the occurrence number of each digest, in order, and remember them."""
        if not digests:
            return []
        hashes = np.frombuffer(b"".join(digest[:8] for digest in digests), dtype=np.uint64)
        distinct, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        before = np.zeros(len(distinct), dtype=np.int64)
        for known, known_counts in self._runs:
            places = np.minimum(np.searchsorted(known, distinct), len(known) - 1)
            before += np.where(known[places] == distinct, known_counts[places], 0)
        # The rank of each row among the equal rows of this block, in the order of the block.
        order = np.argsort(inverse, kind="stable")
        starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        ranks = np.empty(len(hashes), dtype=np.int64)
        ranks[order] = np.arange(len(hashes)) - np.repeat(starts, counts)
        self._remember(distinct, counts.astype(np.int64))
        return [int(number) for number in before[inverse] + ranks + 1]

    def _remember(self, distinct: Numbers, counts: Counts) -> None:
        while self._runs and len(self._runs[-1][0]) <= 2 * len(distinct):
            other, other_counts = self._runs.pop()
            merged, inverse = np.unique(np.concatenate((other, distinct)), return_inverse=True)
            summed = np.zeros(len(merged), dtype=np.int64)
            np.add.at(summed, inverse, np.concatenate((other_counts, counts)))
            distinct, counts = merged, summed
        self._runs.append((distinct, counts))
