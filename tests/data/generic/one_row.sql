{# The model holds exactly one row. #}
{% test one_row(model) %}

select count(*) as failing_rows

from {{ model }}
having count(*) <> 1

{% endtest %}
