{#
    All rows of the Parquet files of one folder of the landing zone, as a table expression. `columns` maps the columns to
    their types where the folder is not that of an entity.
#}
{% macro landed_files(folder, columns=none) -%}
    {{ return(adapter.dispatch('landed_files', 'retention_warehouse')(folder, columns)) }}
{%- endmacro %}

{#
    Deliveries may be older than a column of the contract, which is NULL there: the empty member of the union names all
    columns. Filters and projections pass through the union to the files. The parameter `schema` of read_parquet would
    do the same, but DuckDB then takes all the files together for one row, and plans joins by that.
#}
{% macro duckdb__landed_files(folder, columns) -%}
    {%- if not execute -%}{{ return('not_compiled_yet') }}{%- endif -%}
    {%- set path = path_without_patterns(var('landing_zone') ~ '/' ~ folder) | replace("'", "''") ~ '/*.parquet' -%}
    {%- if columns -%}{{ return("read_parquet('" ~ path ~ "', hive_partitioning = false)") }}{%- endif -%}
    (
        select
            {%- for column in entity_columns(folder) %}
            cast(null as varchar) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        where false
        union all by name
        select * from read_parquet('{{ path }}', union_by_name = true, hive_partitioning = false)
    ) as landed
{%- endmacro %}

{# A path for DuckDB, which takes these marks for those of a pattern, and would read the folders of others. #}
{% macro path_without_patterns(path) -%}
    {{ return(path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]')) }}
{%- endmacro %}

{#
    Spark: a table over the folder, in the schema of the run, with the columns that landing writes. It passes over files
    whose names begin with an underscore, and could not tell the columns of a folder that holds no other.
#}
{% macro spark__landed_files(folder, columns) -%}
    {%- if not execute -%}{{ return('not_compiled_yet') }}{%- endif -%}
    {%- if not columns -%}
        {%- set columns = {
            'load_id': 'string', 'file': 'string', 'line_number': 'bigint', 'record_number': 'bigint', 'landed_at': 'timestamp',
        } -%}
        {%- for column in entity_columns(folder) -%}{%- do columns.update({column.name: 'string'}) -%}{%- endfor -%}
    {%- endif -%}
    {%- set definitions = [] -%}
    {%- for name, type in columns.items() -%}{%- do definitions.append(name ~ ' ' ~ type) -%}{%- endfor -%}
    {%- set location = (var('landing_zone') ~ '/' ~ folder) | replace("'", "\\'") -%}
    {{ return(table_over('landed_' ~ folder.lstrip('_'), '(' ~ definitions | join(', ') ~ ') using parquet', location)) }}
{%- endmacro %}

{# A table of files that lie somewhere, for Spark: its name. #}
{% macro table_over(name, definition, location) -%}
    {%- set table = schema_of_run('raw') ~ '.' ~ name -%}
    {%- do run_query('create schema if not exists ' ~ schema_of_run('raw')) -%}
    {%- do run_query('create table if not exists ' ~ table ~ ' ' ~ definition ~ " location '" ~ location ~ "'") -%}
    {{ return(table) }}
{%- endmacro %}

{# Version of the engine that runs the models, as text. #}
{% macro engine_version() -%}
    {{ return(adapter.dispatch('engine_version', 'retention_warehouse')()) }}
{%- endmacro %}

{% macro duckdb__engine_version() -%}
    'duckdb ' || version()
{%- endmacro %}

{% macro spark__engine_version() -%}
    'spark ' || version()
{%- endmacro %}

{# The text of a file of the project, read by the engine while a model compiles. #}
{% macro file_text(path) -%}
    {{ return(adapter.dispatch('file_text', 'retention_warehouse')(path)) }}
{%- endmacro %}

{# dbt may run from any folder (--project-dir), and this project may be a package of another one. #}
{% macro duckdb__file_text(path) -%}
    {%- set as_package = '' if project_name == 'retention_warehouse' else 'dbt_packages/retention_warehouse/' -%}
    {%- set found = path_without_patterns(invocation_args_dict.project_dir ~ '/' ~ as_package ~ path) -%}
    {%- set query = "select content from read_text('" ~ found | replace("'", "''") ~ "')" -%}
    {{ return(run_query(query).columns[0].values()[0]) }}
{%- endmacro %}

{#
    Unit tests alone ask for a text. Spark reads no file whose name begins with an underscore: scripts/with_spark.sh lays
    copies without it into the folder of its cluster.
#}
{% macro spark__file_text(path) -%}
    {%- set copy = env_var('WAREHOUSE_SPARK_HOME') ~ '/contract/' ~ (path.split('/') | last).lstrip('_') -%}
    {%- set lines = run_query('select value from text.`file://' ~ copy ~ '`').columns[0].values() -%}
    {{ return(lines | map('default', '', true) | join('\n')) }}
{%- endmacro %}

{#
    All rows of the raw files of an entity that lie in a folder or under an object-store URI, as a table expression: the
    delivered columns, and `file` and `record_number`, the place of each row. CSV files have a header.
#}
{% macro raw_files(entity, uri) -%}
    {{ return(adapter.dispatch('raw_files', 'retention_warehouse')(entity, uri)) }}
{%- endmacro %}

{% macro duckdb__raw_files(entity, uri) -%}
    {%- set path = uri | replace("'", "''") -%}
    (
        select
            * exclude (filename, file_place),
            parse_filename(filename) as file,
            row_number() over (partition by filename order by file_place) as record_number
        {%- if var('raw_format') == 'csv' %}
        from (
            select *, row_number() over () as file_place
            from read_csv('{{ path }}/*.csv', header = true, all_varchar = true, filename = true, union_by_name = true, hive_partitioning = false)
        )
        {%- else %}
        from (
            select * rename (file_row_number as file_place)
            from read_parquet('{{ path }}/*.parquet', filename = true, file_row_number = true, union_by_name = true, hive_partitioning = false)
        )
        {%- endif %}
    )
{%- endmacro %}

{#
    Spark takes the options of CSV files only in the definition of a table: one over the folder, in the schema of the run.
    A file whose records may span lines is read by one task, so that its rows are numbered in their order.
#}
{% macro spark__raw_files(entity, uri) -%}
    {%- set options = "options (header 'true', multiLine 'true', enforceSchema 'false', quote '\"', escape '\"')" -%}
    {%- set definition = 'using ' ~ var('raw_format') ~ ' ' ~ (options if var('raw_format') == 'csv' else '') -%}
    {%- set table = table_over('folder_' ~ entity, definition, uri | replace("'", "\\'")) -%}
    (
        {%- if var('raw_format') == 'csv' %}
        select *, row_number() over (partition by file order by file_place) as record_number
        from (
            select *, _metadata.file_name as file, monotonically_increasing_id() as file_place
            from {{ table }}
        )
        {%- else %}
        select *, _metadata.file_name as file, _metadata.row_index + 1 as record_number
        from {{ table }}
        {%- endif %}
    )
{%- endmacro %}
