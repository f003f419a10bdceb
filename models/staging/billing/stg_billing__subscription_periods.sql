-- One row per delivered contract period, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows(
    'subscription_periods',
    reasons=[
        ("ended_at < started_at", "ends_before_start"),
    ]
) }}
