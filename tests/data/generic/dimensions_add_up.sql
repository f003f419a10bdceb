{#
    The rows of each dimension add up to the row `all`: for every combination of `keys` and every measure. NULL counts as 0,
    and so does what has no row, of the dimensions that the value of the first key has anywhere. Failing rows: the measure, the dimension and in how many places it does not add up.
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

whole as (

    select * from totals
    where dimension = 'all'

),

parts as (

    select * from totals
    where dimension <> 'all'

),

dimensions as (

    select distinct
        {{ keys[0] }},
        dimension

    from parts

),

expected as (

    select
        dimensions.dimension,
        {%- for key in keys %}
        whole.{{ key }},
        {%- endfor %}
        {%- for measure in measures %}
        whole.{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}

    from whole
    inner join dimensions on whole.{{ keys[0] }} = dimensions.{{ keys[0] }}

),

compared as (

    select
        coalesce(expected.dimension, parts.dimension) as dimension,
        {%- for measure in measures %}
        coalesce(parts.{{ measure }}, 0) as parts_{{ measure }},
        coalesce(expected.{{ measure }}, 0) as whole_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}

    from expected
    full outer join parts
        on
            expected.dimension = parts.dimension
            {%- for key in keys %}
            and expected.{{ key }} = parts.{{ key }}
            {%- endfor %}

)

{% for measure in measures -%}
select
    '{{ measure }}' as measure,
    dimension,
    count(*) as failing_rows

from compared
where parts_{{ measure }} <> whole_{{ measure }}
group by dimension
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}

{% endtest %}
