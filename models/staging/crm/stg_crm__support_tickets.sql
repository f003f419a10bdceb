-- One row per delivered support ticket, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('support_tickets') }}
