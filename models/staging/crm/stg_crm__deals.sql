-- One row per delivered deal, good or bad: typed, repaired, and judged by its own values alone.
-- A closing day before all dates that are taken, as the zero of a spreadsheet, counts as none.
{{ judged_rows(
    'deals',
    reasons=[
        (
            "closed_at < created_at and closed_at >= cast('" ~ var('earliest_valid_date') ~ "' as date)",
            "closed_before_created"
        ),
    ]
) }}
