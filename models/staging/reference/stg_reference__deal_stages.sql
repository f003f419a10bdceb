-- One row per delivered pipeline stage, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('deal_stages') }}
