{# Score 1 to 5 of a percent rank (0 to 1): its fifth, half-open from below. Ties share a score. #}
{% macro fifth(percent_rank) -%}
    least(5, 1 + floor(5 * ({{ percent_rank }})))
{%- endmacro %}

{# The loyalty tiers of the var, highest first, as pairs (revenue from which it begins, name). #}
{% macro loyalty_tiers() -%}
    {#- While dbt reads the project, check_vars may not have judged the var yet. -#}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set tiers = [] -%}
    {%- for name, floor in var('loyalty_tiers').items() -%}
        {%- do tiers.append((floor | float, name)) -%}
    {%- endfor -%}
    {{ return(tiers | sort(reverse=true)) }}
{%- endmacro %}
