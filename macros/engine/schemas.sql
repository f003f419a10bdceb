{# The schema that holds the models configured with a schema name. #}
{% macro schema_of_run(name) -%}
    {{ return(adapter.dispatch('schema_of_run', 'retention_warehouse')(name)) }}
{%- endmacro %}

{# DuckDB: a run has files of its own. #}
{% macro default__schema_of_run(name) -%}
    {{ return(name) }}
{%- endmacro %}

{# Spark: all runs share one catalog, and `marts` holds the published views. #}
{% macro spark__schema_of_run(name) -%}
    {{ return(target.schema ~ '_' ~ name) }}
{%- endmacro %}
