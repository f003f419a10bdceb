{#
    The value of a var that only the SQL of a model reads. dbt reads the whole project again whenever `--vars` differ, so
    `warehouse build` hands such a value over in the environment. Plain dbt takes it from `--vars`, as any other.
#}
{% macro run_setting(name) -%}
    {%- set handed_over = fromjson(env_var('WAREHOUSE_RUN_SETTINGS', '{}')) if execute else {} -%}
    {{ return(handed_over[name] if name in handed_over else var(name)) }}
{%- endmacro %}
