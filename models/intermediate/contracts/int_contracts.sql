-- One row per contract period that has begun before as_of: corrected end, monthly revenue in the reporting currency.
-- Of two overlapping rows of one subscription the earlier ends where the later one starts. A gap between two periods
-- of a customer of at most `grace_days` is bridged by the contracts that ended at its beginning (in_force_until).
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

delivered as (

    select * from {{ ref('int_rows__subscription_periods') }}
    where row_state = 'current'

),

products as (

    select * from {{ ref('int_rows__products') }}
    where row_state = 'current'

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

corrected as (

    select
        *,
        least(
            ended_at,
            lead(started_at) over (partition by subscription_id order by started_at)
        ) as corrected_ended_at

    from delivered

),

begun as (

    select
        corrected.subscription_id,
        accounts.customer_key,
        corrected.product_id,
        coalesce(corrected.plan, '(unknown)') as plan,
        corrected.cancel_reason,
        corrected.cancel_type,
        corrected.reporting_mrr as mrr,
        {{ margin_rate('products') }} as margin_rate,
        corrected.started_at,
        corrected.corrected_ended_at as ended_at,
        cast(corrected.started_at as date) as started_on,
        -- Open contracts end on no date that counts.
        cast(coalesce(corrected.corrected_ended_at, cast('{{ var("latest_valid_date") }}' as timestamp)) as date)
            as ended_on

    from corrected
    cross join as_of
    inner join accounts on corrected.account_id = accounts.account_id
    left join products on corrected.product_id = products.product_id
    where {{ is_before_as_of('corrected.started_at') }}

),

covered as (

    select
        *,
        max(ended_on) over (
            partition by customer_key
            order by started_on, ended_on, subscription_id
            rows between unbounded preceding and 1 preceding
        ) as covered_until,
        -- 1 for the contract that started last; of equal starts the lowest subscription_id.
        row_number() over (partition by customer_key order by started_at desc, subscription_id asc) as precedence

    from begun

),

bridged_gaps as (

    select
        customer_key,
        covered_until as gap_started_on,
        max(started_on) as gap_ended_on

    from covered
    where started_on > covered_until and {{ days_between('covered_until', 'started_on') }} <= {{ var('grace_days') }}
    group by customer_key, covered_until

),

-- A gap begins when the last contract ends: what was replaced or ended earlier on that day was not in force any more,
-- and what was never in force holds a gap only where nothing else ends at its beginning.
bridging as (

    select
        covered.customer_key,
        covered.subscription_id,
        covered.started_at,
        bridged_gaps.gap_ended_on

    from covered
    inner join bridged_gaps
        on
            covered.customer_key = bridged_gaps.customer_key
            and covered.ended_on = bridged_gaps.gap_started_on
    qualify rank() over (
        partition by covered.customer_key, covered.ended_on
        order by covered.ended_at desc, case when covered.started_at < covered.ended_at then 0 else 1 end asc
    ) = 1

),

contracts as (

    select
        ---------- ids
        covered.subscription_id,
        covered.customer_key,
        covered.product_id,

        ---------- text
        covered.plan,
        covered.cancel_reason,
        covered.cancel_type,

        ---------- numerics
        covered.mrr,
        covered.margin_rate,
        covered.precedence,

        ---------- timestamps
        covered.started_at,
        covered.ended_at,
        covered.started_on,
        covered.ended_on,
        coalesce(bridging.gap_ended_on, covered.ended_on) as in_force_until

    from covered
    left join bridging
        on
            covered.customer_key = bridging.customer_key
            and covered.subscription_id = bridging.subscription_id
            and covered.started_at = bridging.started_at

)

select * from contracts
