-- One row per delivered row that says that a key was deleted at its source.
{{ landed_table('_deletions', {
    'load_id': 'string',
    'entity': 'string',
    'file': 'string',
    'line_number': 'bigint',
    'record_number': 'bigint',
    'key_value': 'string',
}) }}
