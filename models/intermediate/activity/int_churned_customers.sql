-- One row per basis, period type, period and customer who was active at its start and not at its end: when the customer
-- churned in it (the last time, if several) and the reason that explains it best.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

boundaries as (

    select * from {{ ref('int_active_boundaries') }}

),

runs as (

    select * from {{ ref('int_activity_runs') }}

),

reasons as (

    select * from {{ ref('int_stated_reasons') }}

),

lost as (

    select
        basis,
        period_type,
        customer_key,
        last_boundary as period_index

    from boundaries
    where is_lost

),

dated as (

    select
        lost.basis,
        lost.period_type,
        lost.period_index,
        lost.customer_key,
        max(runs.ended_on) as churned_on

    from lost
    cross join as_of
    inner join runs
        on
            lost.basis = runs.basis
            and lost.customer_key = runs.customer_key
            and lost.period_index = {{ period_index('lost.period_type', 'runs.ended_on') }}
            and as_of.as_of > runs.ended_on
    group by lost.basis, lost.period_type, lost.period_index, lost.customer_key

),

explained as (

    select
        dated.basis,
        dated.period_type,
        dated.period_index,
        dated.customer_key,
        reasons.reason

    from dated
    inner join reasons
        on
            dated.customer_key = reasons.customer_key
            and abs({{ days_between('dated.churned_on', 'reasons.stated_on') }}) <= {{ var('churn_reason_days') }}
    -- The contract that ended with the churn comes before others that ended near it.
    qualify row_number() over (
        partition by dated.basis, dated.period_type, dated.period_index, dated.customer_key
        order by
            reasons.source_rank asc,
            case when reasons.source_rank = 2 and reasons.stated_on = dated.churned_on then 0 else 1 end asc,
            reasons.stated_at desc,
            case when reasons.source_rank = 2 then reasons.source_id end asc,
            reasons.source_started_at asc,
            reasons.source_id desc
    ) = 1

),

churned_customers as (

    select
        ---------- ids
        dated.basis,
        dated.period_type,
        dated.period_index,
        dated.customer_key,

        ---------- timestamps
        dated.churned_on,

        ---------- calculations
        coalesce(explained.reason, 'unknown') as reason

    from dated
    left join explained
        on
            dated.basis = explained.basis
            and dated.period_type = explained.period_type
            and dated.period_index = explained.period_index
            and dated.customer_key = explained.customer_key

)

select * from churned_customers
