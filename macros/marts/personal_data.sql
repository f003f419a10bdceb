{#
    Whether the var `published_personal_data` lets personal texts of a kind into the published file. `rules_of_vars` refuses a
    word that is no kind: a typing mistake would publish less than was asked for, without a word.
#}
{% macro publishes_personal_data(kind) -%}
    {{ return(kind in (var('published_personal_data') or [])) }}
{%- endmacro %}

{# The same as an SQL condition. #}
{% macro personal_data_is_published(kind) -%}
    {{ 'true' if publishes_personal_data(kind) else 'false' }}
{%- endmacro %}
