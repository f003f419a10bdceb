-- One row per delivered support ticket and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__support_tickets'), 'support_tickets') }}
