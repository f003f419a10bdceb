"""How much memory a build may use, and how it is shared out between the engine and what runs beside it."""

import os
import re

MEMORY_LIMIT = "WAREHOUSE_MEMORY_LIMIT"
# As in profiles.yml.
DEFAULT_MEMORY_LIMIT = "4GB"
# What dbt, Python and the value models hold beside the engine, and what the engine gets at least.
_BESIDE_THE_ENGINE_BYTES = 350e6
_LEAST_SHARE_OF_THE_ENGINE = 0.65
# What two nodes at a time want at least, and for every delivered row.
_SMALL_MEMORY_BYTES = 2e9
_MEMORY_PER_ROW = 100
_PREFIXES = "KMGT"


def memory_limit() -> str:
    """Return the limit that a build keeps to, as the user wrote it."""
    return os.environ.get(MEMORY_LIMIT) or DEFAULT_MEMORY_LIMIT


def bytes_of(limit: str) -> float | None:
    """Return the bytes of a limit as DuckDB writes them (900MB, 1.5 GiB), None of anything else (80%)."""
    read = re.fullmatch(rf"\s*(\d+(?:\.\d+)?)\s*([{_PREFIXES}])(i?)B?\s*", limit, flags=re.IGNORECASE)
    if read is None:
        return None
    return float(read[1]) * float(1024 if read[3] else 1000) ** (1 + _PREFIXES.index(read[2].upper()))


def limit_of_engine(limit: str) -> str:
    """Return the part of a limit that the engine gets, so that the whole process stays near the limit.

    A limit that does not say bytes is the engine's alone.
    """
    whole = bytes_of(limit)
    if whole is None:
        return limit
    return f"{max(whole - _BESIDE_THE_ENGINE_BYTES, whole * _LEAST_SHARE_OF_THE_ENGINE) / 1e6:.0f}MB"


def threads_of(limit: str, rows: int | None) -> list[str]:
    """Return dbt's option for one node at a time where two might not fit into the memory side by side.

    rows are those of the deliveries, None where nobody counted them; a limit that does not say bytes leaves the threads
    of the profile. Two nodes that share too little memory spill what each alone would keep: a million customers under
    4 GB took 1.8 times as long.
    """
    whole = bytes_of(limit)
    if whole is None:
        return []
    is_enough = rows is not None and whole >= max(_SMALL_MEMORY_BYTES, rows * _MEMORY_PER_ROW)
    return [] if is_enough else ["--threads", "1"]
