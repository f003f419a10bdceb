-- One row per load, entity and file from which rows were erased, with their number.
{{ landed_table('_erased', {
    'load_id': 'string',
    'entity': 'string',
    'file': 'string',
    'rows_erased': 'bigint',
}) }}
