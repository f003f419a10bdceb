"""The reference entities that ship with the repo: deal stages, exchange rates, churn reasons."""

from warehouse.generator.vocabulary import CHURN_WORDINGS

Row = dict[str, str | None]

LIFECYCLE_STAGES = ("prospecting", "research", "qualification", "demo", "objection_handling", "closing")
# The stages of the second pipeline with the lifecycle stage that each stands for.
PARTNER_STAGES = (
    ("registration", "prospecting"),
    ("validation", "qualification"),
    ("joint_demo", "demo"),
    ("contracting", "closing"),
)
PIPELINES: dict[str, tuple[str, ...]] = {
    "default": LIFECYCLE_STAGES,
    "partner": tuple(stage for stage, _ in PARTNER_STAGES),
}
OUTCOMES = ("won", "lost")

# Dollars per unit, from each first day on. 1990-01-01 covers everything older than the history.
_RATE_DAYS = (
    "1990-01-01",
    "2022-07-01",
    "2023-01-01",
    "2023-07-01",
    "2024-01-01",
    "2024-07-01",
    "2025-01-01",
    "2025-04-01",
)
_RATES: dict[str, tuple[str, ...]] = {
    "EUR": ("1.1500", "1.0440", "1.0698", "1.0911", "1.1047", "1.0740", "1.0353", "1.0815"),
    "GBP": ("1.5500", "1.2150", "1.2097", "1.2694", "1.2731", "1.2648", "1.2516", "1.2918"),
    "ILS": ("0.2800", "0.2855", "0.2842", "0.2695", "0.2759", "0.2653", "0.2744", "0.2691"),
    "AED": ("0.272294", "0.272294", "0.272294", "0.272294", "0.272294", "0.272294", "0.272294", "0.272294"),
    "SAR": ("0.266667", "0.266667", "0.266667", "0.266667", "0.266667", "0.266667", "0.266667", "0.266667"),
    "MYR": ("0.2600", "0.2268", "0.2270", "0.2142", "0.2177", "0.2120", "0.2237", "0.2254"),
    "JPY": ("0.008500", "0.007367", "0.007627", "0.006930", "0.007092", "0.006216", "0.006361", "0.006671"),
    "CAD": ("0.7800", "0.7769", "0.7378", "0.7549", "0.7547", "0.7308", "0.6952", "0.6949"),
}


def deal_stages() -> list[Row]:
    """Return the stages of both pipelines, outcomes last."""
    lifecycle = {"default": {stage: stage for stage in LIFECYCLE_STAGES}, "partner": dict(PARTNER_STAGES)}
    return [
        {
            "pipeline": pipeline,
            "stage": stage,
            "stage_order": str(order),
            "lifecycle_stage": lifecycle[pipeline].get(stage),
            "is_won": str(stage == "won").lower(),
            "is_lost": str(stage == "lost").lower(),
        }
        for pipeline, stages in PIPELINES.items()
        for order, stage in enumerate((*stages, *OUTCOMES), start=1)
    ]


def fx_rates() -> list[Row]:
    """Return the exchange rates into US dollars.

    A peg (AED, SAR) has one row, the others change over time.
    """
    return [
        {"currency": currency, "valid_from": day, "rate": rate}
        for currency, rates in _RATES.items()
        for position, (day, rate) in enumerate(zip(_RATE_DAYS, rates, strict=True))
        if position == 0 or rate != rates[position - 1]
    ]


def churn_reasons() -> list[Row]:
    """Return the reason that each raw wording stands for."""
    return [{"raw_wording": wording, "reason": reason} for wording, reason in CHURN_WORDINGS]
