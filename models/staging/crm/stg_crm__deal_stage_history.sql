-- One row per delivered stage entry, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('deal_stage_history') }}
