-- One row per delivered order or refund, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('orders') }}
