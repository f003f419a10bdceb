{# Percentiles that are values of the group, several from one pass, as engines spell them. #}

{# For each share the smallest value that at least this share of the values does not exceed: an array. #}
{% macro discrete_percentiles(value, shares) -%}
    {{ return(adapter.dispatch('discrete_percentiles', 'retention_warehouse')(value, shares)) }}
{%- endmacro %}

{% macro duckdb__discrete_percentiles(value, shares) -%}
    quantile_disc({{ value }}, [{{ shares | join(', ') }}])
{%- endmacro %}

{% macro spark__discrete_percentiles(value, shares) -%}
    array(
        {%- for share in shares %}
        percentile_disc({{ share }}) within group (order by {{ value }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# The element of an array at a place, counted from 1. #}
{% macro array_element(elements, place) -%}
    {{ return(adapter.dispatch('array_element', 'retention_warehouse')(elements, place)) }}
{%- endmacro %}

{% macro duckdb__array_element(elements, place) -%}
    {{ elements }}[{{ place }}]
{%- endmacro %}

{% macro spark__array_element(elements, place) -%}
    {{ elements }}[{{ place - 1 }}]
{%- endmacro %}
