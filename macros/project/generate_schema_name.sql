{# Schemas carry their plain names (raw, staging, intermediate, marts), so that BI tools see `marts` on every engine. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ schema_of_run(custom_schema_name | trim) if custom_schema_name else target.schema }}
{%- endmacro %}
