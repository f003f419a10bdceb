{# All rows of the Parquet files of one folder of the landing zone, as a table expression. #}
{% macro landed_files(folder) -%}
    {{ return(adapter.dispatch('landed_files', 'retention_warehouse')(folder)) }}
{%- endmacro %}

{% macro duckdb__landed_files(folder) -%}
    read_parquet('{{ (var("landing_zone") ~ "/" ~ folder) | replace("'", "''") }}/*.parquet')
{%- endmacro %}

{# Version of the engine that runs the models, as text. #}
{% macro engine_version() -%}
    {{ return(adapter.dispatch('engine_version', 'retention_warehouse')()) }}
{%- endmacro %}

{% macro duckdb__engine_version() -%}
    'duckdb ' || version()
{%- endmacro %}

{# The text of a file of the project, read by the engine while a model compiles. #}
{% macro file_text(path) -%}
    {{ return(adapter.dispatch('file_text', 'retention_warehouse')(path)) }}
{%- endmacro %}

{% macro duckdb__file_text(path) -%}
    {{ return(run_query("select content from read_text('" ~ path ~ "')").columns[0].values()[0]) }}
{%- endmacro %}
