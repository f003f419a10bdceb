"""Work on long arrays block by block: blocks fit the processor's cache and spread over its cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from warehouse.value_models.sufficient_statistics import FloatArray


def dot(left: FloatArray, right: FloatArray) -> float:
    """Inner product of two vectors on the calling thread alone.

    Inside a block the linear algebra library must stay out: its own threads would fight with those of the
    blocks, and its result may depend on how many there are.
    """
    return float(np.einsum("i,i->", left, right))


def _slices(size: int, block_size: int) -> list[slice]:
    return [slice(start, min(start + block_size, size)) for start in range(0, size, block_size)]


def map_blocks(function: Callable[[slice], FloatArray], size: int, block_size: int) -> list[FloatArray]:
    """Apply `function` to consecutive slices of range(size); the results are in the order of the slices."""
    slices = _slices(size, block_size)
    workers = min(os.cpu_count() or 1, len(slices))
    if workers <= 1:
        return [function(part) for part in slices]
    # numpy releases the interpreter lock inside its loops, so threads are enough.
    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(function, slices))


def sum_blocks(function: Callable[[slice], FloatArray], size: int, block_size: int) -> FloatArray:
    """Add up the vectors that `function` returns for the slices.

    Slices and the order of the additions do not depend on the number of cores, so a repeated run gives the
    same bits.
    """
    total: FloatArray = np.sum(np.stack(map_blocks(function, size, block_size)), axis=0)
    return total


def concatenate_blocks(function: Callable[[slice], FloatArray], size: int, block_size: int) -> FloatArray:
    """Join the arrays that `function` returns for the slices along their first axis."""
    if size == 0:
        return function(slice(0, 0))
    joined: FloatArray = np.concatenate(map_blocks(function, size, block_size))
    return joined
