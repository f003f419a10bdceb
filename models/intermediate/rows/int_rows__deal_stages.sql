-- One row per delivered pipeline stage and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_reference__deal_stages'), 'deal_stages') }}
