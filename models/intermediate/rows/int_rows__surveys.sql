-- One row per delivered survey and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_survey__surveys'), 'surveys') }}
