-- One row per delivered contact, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('contacts') }}
