{# Score 1 to 5 of a percent rank (0 to 1): its fifth, half-open from below. Ties share a score. #}
{% macro fifth(percent_rank) -%}
    least(5, 1 + floor(5 * ({{ percent_rank }})))
{%- endmacro %}
