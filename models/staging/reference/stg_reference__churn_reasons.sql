-- One row per delivered churn reason wording, good or bad: typed, repaired, and judged by its own values alone.
{{ judged_rows('churn_reasons') }}
