-- One row per delivered activity, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('activities') }}
