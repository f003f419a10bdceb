{# Every column holds only its listed values, or NULL. One node for all. Failing rows: the column and the value. #}
{% test accepted_values_of(model, columns) %}

{% for column, accepted in columns.items() -%}
select distinct
    '{{ column }}' as column_name,
    cast({{ column }} as string) as unknown_value

from {{ model }}
where cast({{ column }} as string) not in ('{{ accepted | join("', '") }}')
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}

{% endtest %}
