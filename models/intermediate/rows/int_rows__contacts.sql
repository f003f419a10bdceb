-- One row per delivered contact and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_crm__contacts'), 'contacts') }}
