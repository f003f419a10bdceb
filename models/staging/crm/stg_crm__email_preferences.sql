-- One row per delivered e-mail preference, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('email_preferences') }}
