{#
    Whether the var `published_personal_data` lets personal texts of a kind into the published file. A word that is no
    kind is an error: a typing mistake would otherwise publish less than was asked for, without a word.
#}
{% macro publishes_personal_data(kind) -%}
    {%- set kinds = ['contact_names', 'survey_comments'] -%}
    {%- set allowed = var('published_personal_data') -%}
    {%- set allowed = [] if allowed is none else ([allowed] if allowed is string else allowed) -%}
    {%- for word in allowed if word not in kinds -%}
        {{ exceptions.raise_compiler_error(
            "published_personal_data has the unknown word " ~ word ~ ": allowed are " ~ kinds | join(' and ')
        ) }}
    {%- endfor -%}
    {{ return(kind in allowed) }}
{%- endmacro %}

{# The same as an SQL condition. #}
{% macro personal_data_is_published(kind) -%}
    {{ 'true' if publishes_personal_data(kind) else 'false' }}
{%- endmacro %}
