-- One row per delivered churn reason wording and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_reference__churn_reasons'), 'churn_reasons') }}
