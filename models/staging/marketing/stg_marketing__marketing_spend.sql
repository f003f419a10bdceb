-- One row per delivered spend row, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('marketing_spend') }}
