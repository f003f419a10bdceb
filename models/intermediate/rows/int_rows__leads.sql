-- One row per delivered lead and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__leads'), 'leads') }}
