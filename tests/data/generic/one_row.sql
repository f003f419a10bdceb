{# The model holds exactly one row; under --empty, which leaves every model without rows, at most one. #}
{% test one_row(model) %}

select count(*) as failing_rows

from {{ model }}
having count(*) {{ '> 1' if flags.EMPTY else '<> 1' }}

{% endtest %}
