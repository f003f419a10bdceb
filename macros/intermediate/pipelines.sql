{# How deals are matched with the stages of the reference: by lower-case names, and the pipeline of those without is "default". #}

{# The name that a pipeline is matched by. #}
{% macro pipeline_key(pipeline) -%}
    lower(coalesce({{ pipeline }}, 'default'))
{%- endmacro %}

{# The join condition of rows with `pipeline` and `stage` and the stages of the reference. #}
{% macro is_in_stage(rows, stages) -%}
    {{ pipeline_key(rows ~ '.pipeline') }} = {{ stages }}.pipeline_key and lower({{ rows }}.stage) = {{ stages }}.stage_key
{%- endmacro %}
