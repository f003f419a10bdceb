-- One row per landed row that corrects a quarantined one: its address, and the address of the row that it stands for.
{{ landed_table('_corrections', {
    'load_id': 'string',
    'entity': 'string',
    'file': 'string',
    'line_number': 'bigint',
    'record_number': 'bigint',
    'corrected_load_id': 'string',
    'corrected_file': 'string',
    'corrected_record_number': 'bigint',
}) }}
