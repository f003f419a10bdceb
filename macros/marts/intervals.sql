{# The two-sided 95 % quantile of the normal distribution. #}
{% macro normal_quantile() -%}1.959964{%- endmacro %}

{#
    Bound of the Wilson score interval of a share at 95 %: `sign` is '-' for the lower and '+' for the upper bound.
    Source: E. B. Wilson, Probable inference (1927). NULL without trials. A share of all or none of the trials has a bound
    of 1 or 0, which doubles miss by a last digit.
#}
{% macro wilson_bound(successes, trials, sign) -%}
    {%- set share = "cast(" ~ successes ~ " as double) / nullif(" ~ trials ~ ", 0)" -%}
    {%- set squared = "(" ~ normal_quantile() ~ " * " ~ normal_quantile() ~ ")" -%}
    case when {{ trials }} > 0 then {{ 'greatest(0, ' if sign == '-' else 'least(1, ' }}({{ share }} + {{ squared }} / (2 * nullif({{ trials }}, 0))
    {{ sign }} {{ normal_quantile() }} * sqrt(
        {{ share }} * (1 - {{ share }}) / nullif({{ trials }}, 0)
        + {{ squared }} / (4.0 * nullif({{ trials }}, 0) * nullif({{ trials }}, 0))
    )) / (1 + {{ squared }} / nullif({{ trials }}, 0))) end
{%- endmacro %}
