{#
    The rows of each dimension add up to the row `all`: for every combination of `keys` and every measure.
    NULL counts as 0. Failing rows: the measure, the dimension and in how many places it does not add up.
#}
{% test dimensions_add_up(model, keys, measures) %}

with

totals as (

    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        dimension,
        {%- for measure in measures %}
        coalesce(sum({{ measure }}), 0) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}

    from {{ model }}
    group by {{ keys | join(', ') }}, dimension

),

compared as (

    select
        parts.dimension,
        {%- for measure in measures %}
        parts.{{ measure }} as parts_{{ measure }},
        whole.{{ measure }} as whole_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}

    from totals as parts
    left join totals as whole
        on whole.dimension = 'all'
        {%- for key in keys %}
        and parts.{{ key }} = whole.{{ key }}
        {%- endfor %}
    where parts.dimension <> 'all'

)

{% for measure in measures -%}
select
    '{{ measure }}' as measure,
    dimension,
    count(*) as failing_rows

from compared
where whole_{{ measure }} is null or parts_{{ measure }} <> whole_{{ measure }}
group by dimension
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}

{% endtest %}
