-- One row per dimension value, cohort of contract customers and period in which something changes: how many members
-- more or fewer are in force at its end, and for how many it is the last period at all or the last without a break.
with

members as (

    select * from {{ ref('int_cohort_members') }}
    where basis = 'contract'

),

boundaries as (

    select * from {{ ref('int_active_boundaries') }}
    where basis = 'contract' and period_type <> 'year'

),

profile_values as (

    select * from {{ ref('int_cohort_profile_values') }}

),

-- In force at the end of a period means at the boundary after it.
ranges as (

    select
        members.profile_number,
        members.customer_key,
        boundaries.period_type as cohort_type,
        {{ period_of_month('boundaries.period_type', 'members.first_month') }} as cohort_index,
        boundaries.first_boundary - 1 as first_period,
        boundaries.last_boundary - 1 as last_period,
        boundaries.is_continuing,
        boundaries.mrr

    from members
    inner join boundaries on members.customer_key = boundaries.customer_key

),

-- The last period of each member, and the last of the streak that begins with period 1.
ends as (

    select
        profile_number,
        customer_key,
        cohort_type,
        cohort_index,
        max(last_period) as last_period,
        max(case when first_period <= cohort_index + 1 and last_period >= cohort_index + 1 then 1 end) as is_in_streak,
        min(case when last_period >= cohort_index + 1 and not is_continuing then last_period end) as streak_end

    from ranges
    group by profile_number, customer_key, cohort_type, cohort_index

),

changes as (

    -- A member is there from the beginning of a range …
    select
        profile_number,
        cohort_type,
        cohort_index,
        first_period as period_index,
        1 as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        mrr as revenue_change
    from ranges

    union all

    -- … until the beginning of the period after it.
    select
        profile_number,
        cohort_type,
        cohort_index,
        last_period + 1 as period_index,
        -1 as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        -mrr as revenue_change
    from ranges

    union all

    select
        profile_number,
        cohort_type,
        cohort_index,
        last_period as period_index,
        0 as retained_change,
        1 as reach_ends,
        0 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from ends

    union all

    select
        profile_number,
        cohort_type,
        cohort_index,
        streak_end as period_index,
        0 as retained_change,
        0 as reach_ends,
        1 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from ends
    where is_in_streak = 1

),

profile_changes as (

    select
        profile_number,
        cohort_type,
        cohort_index,
        period_index,
        sum(retained_change) as retained_change,
        sum(reach_ends) as reach_ends,
        sum(streak_ends) as streak_ends,
        sum(revenue_change) as revenue_change

    from changes
    group by profile_number, cohort_type, cohort_index, period_index

),

contract_cohort_changes as (

    select
        ---------- ids
        profile_changes.cohort_type,
        profile_changes.cohort_index,
        profile_changes.period_index,
        profile_values.value_number,

        ---------- numerics
        cast(sum(profile_changes.retained_change) as bigint) as retained_change,
        cast(sum(profile_changes.reach_ends) as bigint) as reach_ends,
        cast(sum(profile_changes.streak_ends) as bigint) as streak_ends,
        sum(profile_changes.revenue_change) as revenue_change

    from profile_changes
    inner join profile_values on profile_changes.profile_number = profile_values.profile_number
    group by
        profile_changes.cohort_type,
        profile_changes.cohort_index,
        profile_changes.period_index,
        profile_values.value_number

)

select * from contract_cohort_changes
