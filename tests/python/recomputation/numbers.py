"""Numbers of the marts: ratios divided once, money kept exact, intervals by their published formulas."""

from collections import Counter
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import exp, log, sqrt

NORMAL_QUANTILE = 1.959964


def money(amount: Fraction) -> Decimal | float:
    """Return an amount exactly; as a float where no decimal number is exact."""
    denominator = amount.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return float(amount)
    with localcontext(Context(prec=400)):
        return Decimal(amount.numerator) / Decimal(amount.denominator)


def ratio(numerator: Fraction | int, denominator: Fraction | int) -> float | None:
    """Divide once; a denominator of 0 gives NULL."""
    return None if denominator == 0 else float(Fraction(numerator) / Fraction(denominator))


def mean(values: list[Fraction]) -> Fraction | None:
    """Return the mean, NULL of nothing."""
    return sum(values, Fraction(0)) / len(values) if values else None


def median(values: list[Fraction]) -> Fraction | None:
    """Return the middle value, or the mean of the two middle ones."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def optional(value: Fraction | None) -> float | None:
    """Return a fraction as a float."""
    return None if value is None else float(value)


def wilson(successes: int, trials: int) -> tuple[float | None, float | None]:
    """Return the Wilson 95 % interval of a share."""
    if trials == 0:
        return None, None
    z, share = NORMAL_QUANTILE, successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return (centre - spread) / scale, (centre + spread) / scale


def percent_rank(values: dict[str, Fraction]) -> dict[str, Fraction]:
    """Return (smallest rank − 1)/(n − 1) of every key, 0 when there is one."""
    count = len(values)
    if count == 1:
        return dict.fromkeys(values, Fraction(0))
    return {key: Fraction(sum(other < value for other in values.values()), count - 1) for key, value in values.items()}


def kaplan_meier(
    durations: list[tuple[Fraction, bool]],
) -> list[tuple[Fraction, int, int, int, Fraction, Fraction]]:
    """Estimate survival from (duration, is event).

    Returns by distinct duration: (duration, at risk, events, censored, survival, Greenwood sum); events come
    before censorings of the same duration. The Greenwood sum is Σ d/(n(n−d)), 0 where nobody is left.
    """
    rows = []
    survival, greenwood = Fraction(1), Fraction(0)
    at_risk = len(durations)
    count = Counter(durations)
    for duration in sorted({duration for duration, _ in durations}):
        events, censored = count[duration, True], count[duration, False]
        survival *= 1 - Fraction(events, at_risk)
        if events and events < at_risk:
            greenwood += Fraction(events, at_risk * (at_risk - events))
        rows.append((duration, at_risk, events, censored, survival, greenwood))
        at_risk -= events + censored
    return rows


def survival_quantile(durations: list[tuple[Fraction, bool]], level: Fraction) -> Fraction | None:
    """Return the first duration at which survival has come down to the level."""
    for duration, _, events, _, survival, _ in kaplan_meier(durations):
        if events and survival <= level + Fraction("1e-9"):
            return duration
    return None


def log_log_interval(survival: Fraction, greenwood: Fraction) -> tuple[float | None, float | None]:
    """Return the 95 % log-log interval of a survival; NULL at 0 and 1."""
    if survival in (0, 1):
        return None, None
    spread = NORMAL_QUANTILE * sqrt(greenwood) / log(survival)
    low, high = (float(survival) ** exp(sign * spread) for sign in (-1, 1))
    return min(low, high), max(low, high)
