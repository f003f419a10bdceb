"""Readable differences between the rows expected of a mart and the rows found in it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import isclose
from types import MappingProxyType
from typing import Any

MOST_DIFFERENCES = 40
NEAR_ZERO = 1e-9
NO_TOLERANCES: Mapping[str, float] = MappingProxyType({})


def plain(value: Any) -> Any:
    """Return a value that compares across engines: midnights as days, no time zones."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
        return value.date() if value == datetime(value.year, value.month, value.day) else value
    return value


def is_number(value: Any) -> bool:
    """True for numbers of any kind; a truth value is none."""
    return isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool)


def same(expected: Any, actual: Any, tolerance: float) -> bool:
    """True when two cells agree; numbers within the relative tolerance, or so near to 0 that it has no digits."""
    if is_number(expected) and is_number(actual):
        near = min(tolerance, NEAR_ZERO)
        return bool(expected == actual) or isclose(expected, actual, rel_tol=tolerance, abs_tol=near)
    expected, actual = plain(expected), plain(actual)
    return type(expected) is type(actual) and bool(expected == actual)


def by_grain(
    rows: Iterable[Mapping[str, Any]], grain: tuple[str, ...]
) -> tuple[dict[tuple[Any, ...], Mapping[str, Any]], list[tuple[Any, ...]]]:
    """Return rows by their grain, and the grains that occur more than once."""
    keyed = [(tuple(plain(row.get(column)) for column in grain), row) for row in rows]
    count = Counter(key for key, _ in keyed)
    return dict(keyed), [key for key, times in count.items() if times > 1]


def compare(
    expected: Iterable[Mapping[str, Any]],
    actual: Iterable[Mapping[str, Any]],
    mart: str,
    grain: tuple[str, ...],
    tolerance: float = 1e-9,
    tolerances: Mapping[str, float] = NO_TOLERANCES,
) -> list[str]:
    """Return one line per difference, at most MOST_DIFFERENCES and a count of the rest; [] when all agrees.

    Only the columns that the expected rows have are compared; the actual rows may have more. `tolerances` are those of
    single columns.
    """
    wanted, doubled = by_grain(expected, grain)
    found, doubled_found = by_grain(actual, grain)
    differences = [f"{mart}: expected rows repeat {shown(grain, key)}" for key in doubled]
    differences += [f"{mart}: actual rows repeat {shown(grain, key)}" for key in doubled_found]
    for key in sorted(wanted, key=repr):
        if key not in found:
            differences.append(f"{mart}: missing row {shown(grain, key)}")
            continue
        for column, value in wanted[key].items():
            if column not in found[key]:
                differences.append(f"{mart}: no column {column}")
            elif not same(value, found[key][column], tolerances.get(column, tolerance)):
                differences.append(
                    f"{mart}: {shown(grain, key)}: {column} expected {value!s}, actual {found[key][column]!s}"
                )
    differences += [
        f"{mart}: unexpected row {shown(grain, key)}" for key in sorted(found, key=repr) if key not in wanted
    ]
    if len(differences) > MOST_DIFFERENCES:
        rest = len(differences) - MOST_DIFFERENCES
        differences = [*differences[:MOST_DIFFERENCES], f"{mart}: … and {rest} more"]
    return differences


def shown(grain: tuple[str, ...], key: tuple[Any, ...]) -> str:
    """Return a grain as readable text."""
    return ", ".join(f"{column}={value!s}" for column, value in zip(grain, key, strict=True))
