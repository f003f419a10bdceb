{# Schemas carry their plain names (raw, staging, intermediate, marts), so that BI tools see `marts` on every target. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
