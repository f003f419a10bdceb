{#
    dbt's own macro, without the copy of the statement in the target folder. dbt writes it there under the path of the seed: for
    a seed outside of the project (WAREHOUSE_SEEDS) this is a place outside of the target folder, the seed itself included.
    Only seeds call it.
#}
{% macro noop_statement(name=none, message=none, code=none, rows_affected=none, res=none) -%}
    {%- set statement = caller() -%}
    {%- if name is not none -%}
        {{ store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) }}
    {%- endif -%}
{%- endmacro %}

{#
    dbt's own macro, for Spark: the rows of a seed travel as one JSON text. Spark takes a minute to read five thousand rows
    of casts, and a second for the text.
#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model.config.get('column_types', {}) -%}
    {%- set names = agate_table.column_names -%}
    {%- for chunk in agate_table.rows | batch(5000) -%}
        {%- set records = [] -%}
        {%- for row in chunk -%}
            {%- set record = {} -%}
            {%- for name in names -%}
                {%- do record.update({name: none if row[name] is none else row[name] | string}) -%}
            {%- endfor -%}
            {%- do records.append(record) -%}
        {%- endfor %}
        {%- set sql %}
            insert into {{ this.render() }}
            select
                {%- for name in names %}
                cast(record.{{ name }} as {{ types.get(name, 'string') }}) as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from (
                select explode(from_json(
                    '{{ tojson(records) | replace("\\", "\\\\") | replace("'", "\\'") }}',
                    'array<struct<{{ names | join(": string, ") }}: string>>'
                )) as record
            ) as records
        {%- endset -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {%- endfor -%}
    {{ return('select 1 -- ' ~ (agate_table.rows | length) ~ ' rows') }}
{%- endmacro %}

{# The names of the columns of a seed, lower-case; none while it is not loaded, and none in a unit test. #}
{% macro seed_columns(seed) -%}
    {{ return(adapter.dispatch('seed_columns', 'retention_warehouse')(seed)) }}
{%- endmacro %}

{% macro default__seed_columns(seed) -%}
    {{ return(adapter.get_columns_in_relation(seed) | map(attribute='name') | map('lower') | list) }}
{%- endmacro %}

{# Spark is asked for relations only: a fixture of a unit test is none. #}
{% macro spark__seed_columns(seed) -%}
    {{ return([] if seed.is_cte else default__seed_columns(seed)) }}
{%- endmacro %}
