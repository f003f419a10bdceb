{#
    dbt's own macros for the rows of unit tests. Spark plans every member of a union by itself, and again wherever a CTE is
    named: there the rows are one table of texts, cast once.
#}
{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
    {{ return(adapter.dispatch('get_fixture_sql', 'retention_warehouse')(rows, column_name_to_data_types)) }}
{%- endmacro %}

{% macro default__get_fixture_sql(rows, column_name_to_data_types) -%}
    {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
{%- endmacro %}

{# A column that no row states is NULL. #}
{% macro spark__get_fixture_sql(rows, column_name_to_data_types) -%}
    {%- set types = {} -%}
    {%- for column in adapter.get_columns_in_relation(this) -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
    {{ return(rows_of_texts(rows, types.keys() | list, types) or dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
{%- endmacro %}

{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {{ return(adapter.dispatch('get_expected_sql', 'retention_warehouse')(
        rows, column_name_to_data_types, column_name_to_quoted
    )) }}
{%- endmacro %}

{% macro default__get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {{ return(dbt.get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted)) }}
{%- endmacro %}

{% macro spark__get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {%- set names = (rows[0] if rows else {}).keys() | map('lower') | list -%}
    {{ return(
        rows_of_texts(rows, names, column_name_to_data_types)
        or dbt.get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted)
    ) }}
{%- endmacro %}

{# The query of some rows (name → value); none where there is no row, or one with an unknown column, which dbt reports. #}
{% macro rows_of_texts(rows, names, types) -%}
    {%- set lines = [] -%}
    {%- for row in rows -%}
        {%- set values = {} -%}
        {%- for name, value in row.items() -%}
            {%- if name | lower not in types -%}{{ return(none) }}{%- endif -%}
            {%- do values.update({name | lower: value}) -%}
        {%- endfor -%}
        {%- set line = [] -%}
        {%- for name in names -%}
            {%- if values.get(name) is none -%}
                {%- do line.append('cast(null as string)') -%}
            {%- else -%}
                {%- do line.append("'" ~ (values[name] | string | replace('\\', '\\\\') | replace("'", "\\'")) ~ "'") -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do lines.append('(' ~ line | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- if not lines -%}{{ return(none) }}{%- endif -%}
    {%- set casts = [] -%}
    {%- for name in names -%}{%- do casts.append('cast(' ~ name ~ ' as ' ~ types[name] ~ ') as ' ~ name) -%}{%- endfor -%}
    {{ return(
        'select ' ~ casts | join(', ') ~ ' from values ' ~ lines | join(', ') ~ ' as fixture (' ~ names | join(', ') ~ ')'
    ) }}
{%- endmacro %}

{#
    The comparison of a unit test. The logarithms and powers of Java differ from DuckDB's in the last place: doubles are
    compared to ten digits, everything else exactly.
#}
{% macro spark__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set doubles = [] -%}
    {%- for column in adapter.get_columns_in_relation(make_temp_relation(this.incorporate(type='table'))) -%}
        {%- if column.data_type == 'double' -%}{%- do doubles.append(column.quoted | lower) -%}{%- endif -%}
    {%- endfor -%}
    {%- set columns = [] -%}
    {%- for name in expected_column_names -%}
        {%- if name | lower in doubles -%}
            {%- do columns.append(
                'case when ' ~ name ~ " is not null then cast(format_string('%.9e', round(" ~ name ~ ', 12) + 0.0d) as double) end as '
                ~ name
            ) -%}
        {%- else -%}
            {%- do columns.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    with dbt_internal_unit_test_actual as (
        select {{ columns | join(', ') }}, 'actual' as actual_or_expected
        from ({{ main_sql }}) as actual
    ),

    dbt_internal_unit_test_expected as (
        select {{ columns | join(', ') }}, 'expected' as actual_or_expected
        from ({{ expected_fixture_sql }}) as expected
    )

    select * from dbt_internal_unit_test_actual
    union all
    select * from dbt_internal_unit_test_expected
{%- endmacro %}
