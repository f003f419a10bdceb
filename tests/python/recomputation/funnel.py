"""funnel_conversion (metric page §11)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from recomputation.company import UNMAPPED, Company, Deal, Stage
from recomputation.numbers import mean, money, optional, ratio, survival_quantile, wilson
from recomputation.periods import PERIOD_TYPES, Period, add_months, periods

Rows = list[dict[str, Any]]
FUNNEL_DIMENSIONS = ("owner_team", "owner_region", "lead_source", "deal_type")
MAPPED_ONLY = (
    "stage_order",
    "advanced",
    "lost",
    "open",
    "conversion_rate",
    "ci_low",
    "ci_high",
    "drop_off_rate",
    "first_stage_cohort",
    "first_stage_cohort_reached",
    "overall_conversion_rate",
    "median_days_in_stage",
    "p90_days_in_stage",
    "value_lost",
    "is_bottleneck",
    "is_mature",
)
DAY = Fraction(86_400 * 10**6)


def days_between(start: datetime, end: datetime) -> Fraction:
    """Return the exact number of days from one instant to another."""
    return Fraction((end - start) // timedelta(microseconds=1)) / DAY


@dataclass
class Journey:
    """What one deal did in the funnel of its pipeline, by stage order."""

    deal: Deal
    first_entry: dict[int, datetime]
    reached_at: dict[int, datetime]
    unmapped_at: datetime | None
    days_in_stage: dict[int, tuple[Fraction, bool]]

    def advanced(self, order: int) -> bool:
        """True when a higher open stage was seen, or the deal was won."""
        return self.deal.outcome == "won" or any(other > order for other in self.first_entry)


def journey(deal: Deal, as_of: datetime) -> Journey:
    """Follow a deal through the open stages of its pipeline."""
    first_entry: dict[int, datetime] = {}
    unmapped_at = None
    for entry in deal.entries:
        if entry.stage is None:
            unmapped_at = unmapped_at or entry.at
        elif entry.stage.is_open:
            first_entry.setdefault(entry.stage.order, entry.at)
    reached_at = dict(first_entry)
    if deal.has_cohort:
        for stage in deal.stages:
            if not stage.is_open or stage.order in first_entry:
                continue
            later = [at for order, at in first_entry.items() if order > stage.order]
            if later:
                reached_at[stage.order] = min(later)
            elif deal.outcome == "won" and deal.closed_at is not None:
                reached_at[stage.order] = deal.closed_at
    return Journey(deal, first_entry, reached_at, unmapped_at, days_in_stages(deal, as_of))


def days_in_stages(deal: Deal, as_of: datetime) -> dict[int, tuple[Fraction, bool]]:
    """Add up a deal's visits by stage: (days, True when the deal has left the stage for good)."""
    days: dict[int, Fraction] = defaultdict(Fraction)
    stands_in = None
    for entry, after in zip(deal.entries, [*deal.entries[1:], None], strict=False):
        if entry.stage is None or not entry.stage.is_open:
            continue
        if after is not None:
            left_at = after.at
        elif deal.closed_at is not None:
            left_at = deal.closed_at
        else:
            left_at, stands_in = as_of, entry.stage.order
        days[entry.stage.order] += max(Fraction(0), days_between(entry.at, left_at))
    return {order: (total, order != stands_in) for order, total in days.items()}


def funnel_conversion(company: Company) -> Rows:
    """One row per pipeline, period, stage and dimension value."""
    by_pipeline: dict[str, list[Deal]] = defaultdict(list)
    for deal in company.deals:
        by_pipeline[deal.pipeline].append(deal)
    rows: Rows = []
    for pipeline, deals in by_pipeline.items():
        journeys = [journey(deal, company.now) for deal in deals]
        first = min(deal.first_seen_at for deal in deals if deal.first_seen_at is not None)
        values = {("all", "all")}
        values |= {(name, deal.dimensions[name]) for deal in deals for name in FUNNEL_DIMENSIONS}
        has_unmapped = any(one.unmapped_at is not None for one in journeys)
        for value in sorted(values):
            group = [one for one in journeys if value[0] == "all" or one.deal.dimensions[value[0]] == value[1]]
            for kind in PERIOD_TYPES:
                for period in periods(first, company.now, kind):
                    own = period_rows(company, period, deals[0].stages, group)
                    own += [unmapped_row(period, group)] if has_unmapped else []
                    for row in own:
                        row.update(
                            pipeline=pipeline,
                            period_type=kind,
                            period_start=period.start.date(),
                            period_end=period.end.date(),
                            period_state=period.state,
                            dimension=value[0],
                            dimension_value=value[1],
                        )
                    rows += own
    return rows


def unmapped_row(period: Period, group: list[Journey]) -> dict[str, Any]:
    """Return the row of stages that `deal_stages` does not know."""
    seen = sum(1 for one in group if one.unmapped_at is not None and period.holds(one.unmapped_at))
    return {**dict.fromkeys(MAPPED_ONLY), "stage": UNMAPPED, "entered": seen, "reached": seen}


def period_rows(company: Company, period: Period, stages: list[Stage], group: list[Journey]) -> Rows:
    """Return the rows of every open stage for one period and one dimension value."""
    open_stages = [stage for stage in stages if stage.is_open]
    if not open_stages:
        return []
    first_stage = open_stages[0].order
    cohort = [one for one in group if first_stage in one.reached_at and period.holds(one.reached_at[first_stage])]
    rows: Rows = []
    for stage, following in zip(open_stages, [*open_stages[1:], None], strict=True):
        order = stage.order
        entered = [one for one in group if order in one.first_entry and period.holds(one.first_entry[order])]
        advanced = [one for one in entered if one.advanced(order)]
        stuck = [one for one in entered if not one.advanced(order)]
        lost = [one for one in stuck if one.deal.outcome == "lost"]
        still_open = [one for one in stuck if one.deal.outcome == "open"]
        reached = [one for one in group if order in one.reached_at and period.holds(one.reached_at[order])]
        through = [one for one in cohort if order in one.reached_at]
        decided = len(advanced) + len(lost)
        conversion = ratio(len(advanced), decided)
        low, high = wilson(len(advanced), decided)
        durations = [one.days_in_stage[order] for one in entered]
        value_lost = lost_value(len(lost), group, period, following)
        rows.append(
            {
                "stage": stage.name,
                "stage_order": order,
                "entered": len(entered),
                "advanced": len(advanced),
                "lost": len(lost),
                "open": len(still_open),
                "conversion_rate": conversion,
                "ci_low": low,
                "ci_high": high,
                "drop_off_rate": ratio(len(lost), decided),
                "reached": len(reached),
                "first_stage_cohort": len(cohort),
                "first_stage_cohort_reached": len(through),
                "overall_conversion_rate": ratio(len(through), len(cohort)),
                "median_days_in_stage": optional(survival_quantile(durations, Fraction(1, 2))),
                "p90_days_in_stage": optional(survival_quantile(durations, Fraction(1, 10))),
                "value_lost": value_lost,
                "is_bottleneck": False,
                "is_mature": period.end + timedelta(days=company.variables["conversion_window_days"]) <= company.now,
            }
        )
    mark_bottleneck(rows, company.variables["bottleneck_minimum_decided"])
    for row in rows:
        row["value_lost"] = None if row["value_lost"] is None else money(row["value_lost"])
    return rows


def lost_value(lost: int, group: list[Journey], period: Period, following: Stage | None) -> Fraction | None:
    """Value the deals lost in a stage by what deals that got further were worth in the trailing 12 months."""
    since = add_months(period.cut, -12)
    closed = [
        one
        for one in group
        if one.deal.outcome != "open" and one.deal.closed_at is not None and since <= one.deal.closed_at < period.cut
    ]
    closed = [one for one in closed if one.deal.has_cohort]
    if following is not None:
        closed = [one for one in closed if following.order in one.reached_at]
    won = [one for one in closed if one.deal.outcome == "won"]
    mean_won = mean([one.deal.amount for one in won if one.deal.amount is not None])
    if mean_won is None:
        return None
    share = Fraction(1) if following is None else Fraction(len(won), len(closed))
    return lost * share * mean_won


def mark_bottleneck(rows: Rows, minimum: int) -> None:
    """Mark the stage with the largest value lost; ties: the earlier stage; never at 0."""
    candidates = [
        row for row in rows if row["value_lost"] and row["value_lost"] > 0 and row["advanced"] + row["lost"] >= minimum
    ]
    if candidates:
        max(candidates, key=lambda row: (row["value_lost"], -row["stage_order"]))["is_bottleneck"] = True
