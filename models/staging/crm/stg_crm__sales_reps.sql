-- One row per delivered sales representative, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('sales_reps') }}
