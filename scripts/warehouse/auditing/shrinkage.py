"""Whether a mart lost more rows against the last published run than a good delivery explains."""

from collections.abc import Collection
from typing import Any

from warehouse.auditing.findings import ACCEPTED, FAILED, NOTED, PASSED, Finding

# A mart may lose this share of its rows (ours), and always this many; it may never become empty.
LARGEST_LOSS = 0.2
ALWAYS_ALLOWED_ROWS = 10
# One row whatever happens, a list that good deliveries make shorter, predictions that need enough to be known.
EXEMPT = ("mart_run", "quarantined_rows", "backtest")


def has_shrunk(before: int, now: int) -> bool:
    """Tell whether a mart of `before` rows may not come out with `now` rows."""
    lost = before - now
    return (before > 0 and now == 0) or lost > max(LARGEST_LOSS * before, ALWAYS_ALLOWED_ROWS)


def check_shrinkage(
    now: dict[str, int],
    published: dict[str, int] | None,
    exempt_because: str | None,
    is_accepted: bool,
    held_back: Collection[str] = (),
    erased_rows: int = 0,
) -> list[Finding]:
    """Return findings on the rows per mart `now` against those `published`.

    `exempt_because` says why the rule does not apply; `is_accepted` records losses as accepted by the user. Marts
    that the project holds back are empty on purpose, and one may shrink when landed rows were erased since.
    """
    if published is None or exempt_because:
        return [Finding("no mart shrank", "all marts", NOTED, exempt_because or "nothing was published before")]
    findings, told = [], []
    for name in sorted(published):
        if name in EXEMPT:
            continue
        before, after = published[name], now.get(name)
        if name in held_back and after == 0:
            if before:
                told.append(Finding("no mart shrank", name, NOTED, f"{before:,} rows published, now held back"))
        elif after is None:
            findings.append(_loss(name, f"published with {before:,} rows, now missing", is_accepted))
        elif has_shrunk(before, after) and erased_rows:
            erased = f"{erased_rows:,} landed row{'s'[: erased_rows != 1]} erased since"
            told.append(Finding("no mart shrank", name, NOTED, f"{before:,} rows published, now {after:,}: {erased}"))
        elif has_shrunk(before, after):
            findings.append(_loss(name, f"{before:,} rows published, now {after:,}", is_accepted))
    if findings:
        return findings + told
    bound = f"none lost more than {LARGEST_LOSS:.0%} of its rows" + (" otherwise" if told else "")
    return [Finding("no mart shrank", "all marts", PASSED, f"{len(published)} marts compared, {bound}"), *told]


def _loss(name: str, details: str, is_accepted: bool) -> Finding:
    if is_accepted:
        return Finding("no mart shrank", name, ACCEPTED, f"{details} (--accept-change)")
    return Finding("no mart shrank", name, FAILED, f"{details}; if that is right: --accept-change")


def row_counts(marts: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Return the rows per mart out of fingerprints."""
    return {name: int(mart["rows"]) for name, mart in marts.items()}
