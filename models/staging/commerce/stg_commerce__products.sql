-- One row per delivered product, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('products') }}
