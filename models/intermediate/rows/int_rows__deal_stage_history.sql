-- One row per delivered stage entry and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__deal_stage_history'), 'deal_stage_history') }}
