-- One row per delivered account and what became of it, before merges are followed.
{{ row_versions(ref('stg_crm__accounts'), 'accounts') }}
