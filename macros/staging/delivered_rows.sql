{#
    The delivered rows of an entity: its address columns and every canonical column as trimmed text, NULL where the
    delivery had none. Landing has trimmed what it wrote, seeds are trimmed here. Reads the folders of the var
    `raw_folders`, else the landing zone of the var `landing_zone`, else the seeds.
    Seeds may carry the optional columns load_id (label of a delivery, in order) and line_number.
#}
{% macro delivered_rows(entity) -%}
    {%- set seed = ref(seed_name(entity)) -%}
    {%- if not execute -%}
        {{ return('select 1 as not_compiled_yet') }}
    {%- endif -%}
    {#- A unit test, which has no graph, gives its rows in the place of the seed. -#}
    {%- if graph.nodes is not defined or not (var('raw_folders') or var('landing_zone')) -%}
        {{ return(no_rows(entity) if is_left_out(entity) else seed_rows(entity, seed)) }}
    {%- endif -%}
    {%- if var('raw_folders') -%}
        {{ return(folder_rows(entity, seed)) }}
    {%- endif -%}
    {%- if entity in reference_entities() and not is_left_out(entity) -%}
        {#- A landed reference file replaces its seed whole. -#}
        {{ return(
            landed_rows(entity) ~ '\nunion all\nselect * from (\n' ~ seed_rows(entity, seed)
            ~ '\n) as shipped\nwhere not exists (select 1 from ' ~ landed_files(entity) ~ ')'
        ) }}
    {%- endif -%}
    {{ return(landed_rows(entity)) }}
{%- endmacro %}

{#
    Whether the seed of an entity is not for this company: exchange rates that are worth in another currency than the
    reporting one would turn amounts into wrong ones. Without them, and without landed ones, foreign amounts have none.
#}
{% macro is_left_out(entity) -%}
    {{ return(entity == 'fx_rates' and var('reporting_currency') != var('fx_rates_currency')) }}
{%- endmacro %}

{% macro landed_rows(entity) %}
    select
        load_id,
        file,
        line_number,
        record_number,
        landed_at,
        {%- for column in entity_columns(entity) %}
        {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ landed_files(entity) }}
{%- endmacro %}

{#
    The rows of raw files that nothing landed (var `raw_folders`: entity → folder or URI). Landing would have replaced
    e-mail addresses: the column is left out, and a comment loses those in it. An entity without a folder has no rows.
#}
{% macro folder_rows(entity, seed) %}
    {%- if entity not in var('raw_folders') -%}
        {%- set is_shipped = entity in reference_entities() and not is_left_out(entity) -%}
        {{ return(seed_rows(entity, seed) if is_shipped else no_rows(entity)) }}
    {%- endif -%}
    {%- set files = raw_files(entity, var('raw_folders')[entity]) -%}
    {%- set present = get_column_schema_from_query('select * from ' ~ files ~ ' as files') | map(attribute='name') | map('lower') | list -%}
    select
        'folder' as load_id,
        file,
        cast(record_number as bigint) + {{ 1 if var('raw_format') == 'csv' else 0 }} as line_number,
        cast(record_number as bigint) as record_number,
        cast('{{ var("seeds_landed_at") }}' as timestamp) as landed_at,
        {%- for column in entity_columns(entity) %}
        {%- if column.name not in present or column.type == 'email' %}
        cast(null as string) as {{ column.name }}{{ ',' if not loop.last }}
        {%- elif column.type == 'comment' %}
        {{ trimmed(without('cast(' ~ column.name ~ ' as string)', '[^ @]+@[^ @]+')) }} as {{ column.name }}{{ ',' if not loop.last }}
        {%- else %}
        {{ trimmed('cast(' ~ column.name ~ ' as string)') }} as {{ column.name }}{{ ',' if not loop.last }}
        {%- endif %}
        {%- endfor %}
    from {{ files }} as files
{%- endmacro %}

{% macro no_rows(entity) %}
    select
        cast(null as string) as load_id,
        cast(null as string) as file,
        cast(null as bigint) as line_number,
        cast(null as bigint) as record_number,
        cast(null as timestamp) as landed_at,
        {%- for column in entity_columns(entity) %}
        cast(null as string) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro %}

{% macro seed_rows(entity, seed) %}
    {%- set present = seed_columns(seed) -%}
    {%- if not present -%}
        {#- The seed was not loaded yet (compile, lint): its canonical form. -#}
        {%- set present = entity_columns(entity) | map(attribute='name') | list -%}
    {%- endif -%}
    select
        {{ "coalesce(load_id, 'seed')" if 'load_id' in present else "'seed'" }} as load_id,
        '{{ seed_name(entity) }}.csv' as file,
        {%- if 'line_number' in present %}
        cast(line_number as bigint) as line_number,
        {%- else %}
        -- A seed without line numbers: a stable number in place of the line.
        row_number() over (order by {{ present | join(', ') }}) + 1 as line_number,
        {%- endif %}
        {{ "cast(line_number as bigint) - 1" if 'line_number' in present
            else "row_number() over (order by " ~ present | join(', ') ~ ")" }} as record_number,
        cast('{{ var("seeds_landed_at") }}' as timestamp) as landed_at,
        {%- for column in entity_columns(entity) %}
        {{ trimmed('cast(' ~ column.name ~ ' as string)') if column.name in present else 'cast(null as string)' }} as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ seed }}
{%- endmacro %}
