-- One row per delivered survey response and what became of it, before its score is held against its survey.
{{ row_versions(ref('stg_survey__survey_responses'), 'survey_responses') }}
