{#
    How deals are matched with the stages of the reference: by lower-case names, and the pipeline of those without is
    "default"; and how they are dated.
#}

{# The name that a pipeline is matched by. #}
{% macro pipeline_key(pipeline) -%}
    lower(coalesce({{ pipeline }}, 'default'))
{%- endmacro %}

{# The join condition of rows with `pipeline` and `stage` and the stages of the reference. #}
{% macro is_in_stage(rows, stages) -%}
    {{ pipeline_key(rows ~ '.pipeline') }} = {{ stages }}.pipeline_key and lower({{ rows }}.stage) = {{ stages }}.stage_key
{%- endmacro %}

{# When a delivered deal was won or lost, as its row states it: closed_at of an open deal is a plan. #}
{% macro deal_outcome_at(deals, stages) -%}
    case when not {{ stages }}.is_open then {{ deals }}.closed_at end
{%- endmacro %}

{#
    When a deal began: with its creation or its first entry, whichever came first (least() passes over what is missing),
    else with its outcome.
#}
{% macro deal_began_at(created_at, first_entered_at, outcome_at) -%}
    coalesce(least({{ created_at }}, {{ first_entered_at }}), {{ outcome_at }})
{%- endmacro %}

{# The first thing that is known of a deal of int_deals: a close may be dated before anything else. #}
{% macro deal_first_event_at(deals) -%}
    least({{ deals }}.began_at, {{ deals }}.closed_at)
{%- endmacro %}
