-- One row per delivered product and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_commerce__products'), 'products') }}
