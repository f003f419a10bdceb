-- One row per delivered exchange rate and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_reference__fx_rates'), 'fx_rates') }}
