-- One row per delivered activity and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__activities'), 'activities') }}
