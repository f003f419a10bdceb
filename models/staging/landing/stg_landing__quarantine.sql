-- One row per delivered row whose structure landing could not read. Contents stay in the landing zone.
{{ landed_table('_quarantine', {
    'load_id': 'string',
    'file': 'string',
    'line_number': 'bigint',
    'record_number': 'bigint',
    'entity': 'string',
    'reason': 'string',
    'key_value': 'string',
}) }}
