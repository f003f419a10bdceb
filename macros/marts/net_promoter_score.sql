{# The net promoter score and its uncertainty, from counts of promoters, detractors and responses. NULL without responses. #}

{# How many answers are of promoters, of passives and of detractors, as three columns. #}
{% macro counts_of_answers(score) -%}
    count(case when {{ score }} >= 9 then 1 end) as promoters,
        count(case when {{ score }} >= 7 and {{ score }} <= 8 then 1 end) as passives,
        count(case when {{ score }} <= 6 then 1 end) as detractors
{%- endmacro %}

{% macro net_promoter_score(promoters, detractors, responses) -%}
    100.0 * cast({{ promoters }} - {{ detractors }} as double) / nullif({{ responses }}, 0)
{%- endmacro %}

{# 100 sqrt((p + d - (p - d)^2) / n), with p and d the shares of promoters and detractors. #}
{% macro net_promoter_standard_error(promoters, detractors, responses) -%}
    {%- set promoter_share = "cast(" ~ promoters ~ " as double) / nullif(" ~ responses ~ ", 0)" -%}
    {%- set detractor_share = "cast(" ~ detractors ~ " as double) / nullif(" ~ responses ~ ", 0)" -%}
    100.0 * sqrt(
        greatest(
            {{ promoter_share }} + {{ detractor_share }}
            - ({{ promoter_share }} - {{ detractor_share }}) * ({{ promoter_share }} - {{ detractor_share }}),
            0.0
        ) / nullif({{ responses }}, 0)
    )
{%- endmacro %}

{#
    Bound of the adjusted Wald interval at 95 %: three quarters of a promoter, one and a half passives and three quarters
    of a detractor are added to the sample. Clamped to the range of the score. `sign` is '-' or '+'.
#}
{% macro net_promoter_bound(promoters, detractors, responses, sign) -%}
    {%- set p = "(" ~ promoters ~ " + 0.75)" -%}
    {%- set d = "(" ~ detractors ~ " + 0.75)" -%}
    {%- set n = "(" ~ responses ~ " + 3)" -%}
    case
        when {{ responses }} > 0
            then greatest(-100.0, least(100.0,
                {{ net_promoter_score(p, d, n) }}
                {{ sign }} {{ normal_quantile() }} * {{ net_promoter_standard_error(p, d, n) }}
            ))
    end
{%- endmacro %}

{# suppressed, indicative or ok: how far a sample of this size carries. #}
{% macro sample_state(survey_type, responses) -%}
    case
        when
            {{ responses }} < case
                when {{ survey_type }} = 'enps' then {{ var('enps_suppressed_below') }}
                else {{ var('nps_suppressed_below') }}
            end
            then 'suppressed'
        when {{ responses }} < {{ var('nps_indicative_below') }} then 'indicative'
        else 'ok'
    end
{%- endmacro %}
