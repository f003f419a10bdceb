-- One row per delivered lead, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('leads') }}
