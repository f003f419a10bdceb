-- A customer is active once at a time: runs leave gaps between them; boundaries and contract rows never overlap.
with

runs as (

    select
        started_on,
        ended_on,
        concat_ws(' ', basis, customer_key, started_on) as failing_row,
        lag(ended_on) over (partition by basis, customer_key order by started_on) as previous_ended_on

    from {{ ref('int_activity_runs') }}

),

boundaries as (

    select
        first_boundary,
        last_boundary,
        concat_ws(' ', basis, period_type, customer_key, first_boundary) as failing_row,
        lag(last_boundary) over (
            partition by basis, period_type, customer_key order by first_boundary
        ) as previous_last_boundary

    from {{ ref('int_active_boundaries') }}

),

contracts as (

    select
        started_at,
        ended_at,
        concat_ws(' ', subscription_id, started_at) as failing_row,
        lead(started_at) over (partition by subscription_id order by started_at) as next_started_at

    from {{ ref('int_contracts') }}

),

broken_rules as (

    select
        'a run begins after the one before has ended' as broken_rule,
        failing_row
    from runs
    where started_on <= previous_ended_on or started_on > ended_on

    union all

    select
        'a range of boundaries begins after the one before has ended' as broken_rule,
        failing_row
    from boundaries
    where first_boundary <= previous_last_boundary or first_boundary > last_boundary

    union all

    select
        'a contract row ends no later than the next one of its subscription starts' as broken_rule,
        failing_row
    from contracts
    where ended_at > next_started_at or (ended_at is null and next_started_at is not null) or ended_at < started_at

)

select * from broken_rules
