-- One row per delivered sales representative and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__sales_reps'), 'sales_reps') }}
