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

{#
    Each combination of dimensions in `relation` once, numbered: its profile. Dimension columns are never NULL. `measures`
    maps further columns to aggregates.
#}
{% macro numbered_profiles(relation, dimensions, measures={}) -%}
    select
        {%- for dimension in dimensions %}
        {{ dimension }},
        {%- endfor %}
        {%- for name, aggregate in measures.items() %}
        {{ aggregate }} as {{ name }},
        {%- endfor %}
        row_number() over (order by {{ dimensions | join(', ') }}) as profile_number

    from {{ relation }}
    group by {{ dimensions | join(', ') }}
{%- endmacro %}

{# The join condition of a relation and its profiles. #}
{% macro has_profile(relation, dimensions) -%}
    {%- for dimension in dimensions %}
        {{ 'and ' if not loop.first }}{{ relation }}.{{ dimension }} = profiles.{{ dimension }}
    {%- endfor %}
{%- endmacro %}

{#
    The values of each profile, numbered: a profile (`profile_number`) is a combination of dimensions, and facts counted
    by profile are broken down by joining its values, `all` among them. Further columns of the profiles may be kept.
#}
{% macro values_of_profiles(profiles, dimensions, columns=[]) -%}
    select
        *,
        dense_rank() over (order by dimension, dimension_value) as value_number

    from (
        {% for dimension in ['all'] + dimensions %}
            select
                profile_number,
                {%- for column in columns %}
                {{ column }},
                {%- endfor %}
                '{{ dimension }}' as dimension,
                {{ "'all'" if dimension == 'all' else dimension }} as dimension_value
            from {{ profiles }}
            {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as values_of_profiles
{%- endmacro %}
