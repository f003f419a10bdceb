{# Which columns break which facts down: data, so that a mart gains a dimension here and nowhere else. #}

{% macro customer_dimensions() -%}
    {{ return(['segment', 'industry', 'country', 'region', 'acquisition_channel']) }}
{%- endmacro %}

{% macro deal_dimensions() -%}
    {{ return(['owner_team', 'owner_region', 'lead_source', 'deal_type']) }}
{%- endmacro %}

{% macro survey_dimensions() -%}
    {{ return(['segment', 'country']) }}
{%- endmacro %}

{#
    Rows of `relation` grouped by `keys`, once in all and once by each dimension, as the columns `dimension` and
    `dimension_value`. Dimension columns are never NULL. `measures` maps a name to an aggregate.
#}
{% macro grouped_by_dimension(relation, keys, dimensions, measures) -%}
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        case
            {%- for dimension in dimensions %}
            when grouping({{ dimension }}) = 0 then '{{ dimension }}'
            {%- endfor %}
            else 'all'
        end as dimension,
        case
            {%- for dimension in dimensions %}
            when grouping({{ dimension }}) = 0 then {{ dimension }}
            {%- endfor %}
            else 'all'
        end as dimension_value,
        {%- for name, aggregate in measures.items() %}
        {{ aggregate }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}

    from {{ relation }}
    group by
        grouping sets (
            ({{ keys | join(', ') }}),
            {%- for dimension in dimensions %}
            ({{ (keys + [dimension]) | join(', ') }}){{ ',' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro %}
