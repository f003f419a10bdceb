"""Every row and number of a mart as two engines built it. Only doubles may differ, in the last digits."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isclose
from typing import Any

from recomputation.compare import by_grain, shown

MOST_DIFFERENCES = 20
RELATIVE, ABSOLUTE = 1e-9, 1e-12


# Decimals of this scale are sums of doubles that each engine rounds its own way (macro money_share): beyond the fifteen
# digits of a double their last place may differ.
ROUNDED_SCALE = -10


def same(left: Any, right: Any) -> bool:
    """True when two cells are equal: doubles within the tolerance, everything else exactly and of the same kind."""
    if isinstance(left, float) and isinstance(right, float):
        return left == right or isclose(left, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if isinstance(left, Decimal) and isinstance(right, Decimal) and left.as_tuple().exponent == ROUNDED_SCALE:
        return isclose(left, right, rel_tol=1e-14, abs_tol=1e-9)
    return kind(left) == kind(right) and bool(left == right)


def kind(value: Any) -> str:
    """Return what a value is, whatever the engine's client calls it."""
    names = {bool: "boolean", int: "integer", float: "double", Decimal: "decimal", datetime: "timestamp", date: "date"}
    return names.get(type(value), type(value).__name__)


def differences(
    mart: str, grain: tuple[str, ...], left: Iterable[Mapping[str, Any]], right: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return a line per difference of two builds of a mart, MOST_DIFFERENCES at most and a count of the rest."""
    ours, ours_doubled = by_grain(left, grain)
    theirs, theirs_doubled = by_grain(right, grain)
    found = [f"{mart}: repeated row {shown(grain, key)}" for key in (*ours_doubled, *theirs_doubled)]
    found += [f"{mart}: only in the first: {shown(grain, key)}" for key in ours if key not in theirs]
    found += [f"{mart}: only in the second: {shown(grain, key)}" for key in theirs if key not in ours]
    for key, row in ours.items():
        if key not in theirs:
            continue
        other = theirs[key]
        if list(row) != list(other):
            return [*found, f"{mart}: columns {list(row)} against {list(other)}"]
        found += [
            f"{mart}: {shown(grain, key)}: {column} is {value!r} against {other[column]!r}"
            for column, value in row.items()
            if not same(value, other[column])
        ]
    rest = len(found) - MOST_DIFFERENCES
    return found if rest <= 0 else [*found[:MOST_DIFFERENCES], f"{mart}: … and {rest} more"]
