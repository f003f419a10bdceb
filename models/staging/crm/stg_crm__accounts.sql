-- One row per delivered account, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('accounts') }}
