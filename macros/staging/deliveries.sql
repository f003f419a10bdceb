{# What landing wrote about the loads; without a landing zone the same facts counted from the seeds. #}

{% macro delivered_loads() -%}
    {%- set seeds = {} -%}
    {%- for entity in raw_entities() + reference_entities() -%}
        {%- do seeds.update({entity: ref(seed_name(entity))}) -%}
    {%- endfor -%}
    {#- dbt reads this model whatever is selected: nothing is built on a var that cannot be so. -#}
    {%- do check_vars() -%}
    {%- if not execute -%}{{ return('select 1 as not_compiled_yet') }}{%- endif -%}
    {%- set references = [] -%}
    {%- for entity in reference_entities() if not is_left_out(entity) -%}
        {%- do references.append(entity) -%}
    {%- endfor -%}
    {%- if var('raw_folders') %}
    {%- set shipped = references | reject('in', var('raw_folders')) | list %}
    {%- for entity, uri in var('raw_folders').items() %}
    select
        'folder' as load_id,
        '{{ entity }}' as entity,
        file,
        '' as source,
        cast(null as string) as file_sha256,
        count(*) as rows_in,
        false as is_full,
        cast(null as timestamp) as exported_at,
        cast('{{ var("seeds_landed_at") }}' as timestamp) as landed_at,
        cast(0 as bigint) as load_sequence
    from {{ raw_files(entity, uri) }} as files
    group by file
    {{ 'union all' if shipped or not loop.last }}
    {%- endfor %}
    {{ counted_seeds(seeds, shipped) }}
    {%- elif var('landing_zone') %}
    select
        load_id,
        entity,
        file,
        source,
        file_sha256,
        rows_in,
        is_full,
        exported_at,
        landed_at,
        load_sequence
    from {{ landed_files('_loads', {
        'load_id': 'string', 'entity': 'string', 'file': 'string', 'source': 'string', 'file_sha256': 'string', 'rows_in': 'bigint',
        'is_full': 'boolean', 'exported_at': 'timestamp', 'landed_at': 'timestamp', 'load_sequence': 'bigint',
    }) }}
    union all
    {{ counted_seeds(seeds, references, only_where_not_landed=true) }}
    {%- else %}
    {{ counted_seeds(seeds, raw_entities() + references) }}
    {%- endif %}
{%- endmacro %}

{% macro counted_seeds(seeds, entities, only_where_not_landed=false) -%}
    {%- for entity in entities %}
    {%- set present = seed_columns(seeds[entity]) -%}
    {%- set label = "coalesce(load_id, 'seed')" if 'load_id' in present else "'seed'" %}
    select
        {{ label }} as load_id,
        '{{ entity }}' as entity,
        '{{ seed_name(entity) }}.csv' as file,
        '' as source,
        cast(null as string) as file_sha256,
        count(*) as rows_in,
        false as is_full,
        cast(null as timestamp) as exported_at,
        cast('{{ var("seeds_landed_at") }}' as timestamp) as landed_at,
        -- The order of their labels, see int_deliveries; the seed comes before any load.
        cast(0 as bigint) as load_sequence
    from {{ seeds[entity] }}
    {%- if only_where_not_landed %}
    where not exists (select 1 from {{ landed_files(entity) }})
    {%- endif %}
    group by {{ label if 'load_id' in present else "1" }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Rows that landing refused because of their structure, and rows that were erased; none in the seeds. #}
{% macro landed_table(folder, columns) -%}
    {%- if var('landing_zone') %}
    select
        {%- for name in columns %}
        {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ landed_files(folder, columns) }}
    {%- else %}
    select
        {%- for name, type in columns.items() %}
        cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endif %}
{%- endmacro %}
