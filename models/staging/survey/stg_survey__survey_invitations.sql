-- One row per delivered survey invitation, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('survey_invitations') }}
