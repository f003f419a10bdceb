-- One row per delivered survey, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('surveys') }}
