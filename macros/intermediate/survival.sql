{#
    Kaplan-Meier estimate S(t) = prod(1 - d / n) over the rows up to this one, as a running sum of logarithms.
    S is exactly 0 from the row on where everybody at risk has an event.
#}
{% macro survival_probability(events, at_risk, order_by, partition_by=none) -%}
    exp(
        sum(
            case
                when {{ events }} = 0 then 0.0
                when {{ events }} = {{ at_risk }} then -100000.0
                else ln(1.0 - cast({{ events }} as double) / cast({{ at_risk }} as double))
            end
        ) over (
            {% if partition_by %}partition by {{ partition_by }} {% endif %}order by {{ order_by }}
            rows between unbounded preceding and current row
        )
    )
{%- endmacro %}
