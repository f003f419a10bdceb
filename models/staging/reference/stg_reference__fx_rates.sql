-- One row per delivered exchange rate, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('fx_rates') }}
