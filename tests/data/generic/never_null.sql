{#
    No row lacks a value in any of the columns. One node; on a table each branch is answered from its statistics.
    Failing rows: the column and how many rows lack it.
#}
{% test never_null(model, columns) %}

{% for column in columns -%}
select
    '{{ column }}' as column_name,
    count(*) as failing_rows

from {{ model }}
where {{ column }} is null
having count(*) > 0
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}

{% endtest %}
