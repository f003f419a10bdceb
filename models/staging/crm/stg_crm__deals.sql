-- One row per delivered deal, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows(
    'deals',
    reasons=[
        ("closed_at < created_at", "closed_before_created"),
    ]
) }}
