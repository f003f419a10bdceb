-- One row per delivered e-mail preference and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__email_preferences'), 'email_preferences') }}
