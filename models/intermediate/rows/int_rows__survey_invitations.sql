-- One row per delivered survey invitation and what became of it: current, superseded or quarantined.
{{ row_versions(ref('stg_survey__survey_invitations'), 'survey_invitations') }}
