-- One row per dimension value, cohort of buyers and period in which something changes: how many members more or fewer
-- buy than in the period before, and for how many it is the last period at all or the last without a break.
with

members as (

    select * from {{ ref('int_cohort_members') }}
    where basis = 'purchase'

),

-- Purchases have no plan.
profile_values as (

    select * from {{ ref('int_cohort_profile_values') }}
    where dimension <> 'plan'

),

cohort_types as (

    select distinct period_type as cohort_type from {{ ref('int_periods') }}
    where period_type <> 'year'

),

purchases as (

    select
        customer_key,
        net_amount,
        {{ period_index("'month'", 'ordered_on') }} as month_index,
        {{ period_index("'month'", 'previous_ordered_on') }} as previous_month

    from {{ ref('int_purchase_days') }}

),

-- Who buys in which period: a day counts its customer for its month unless an earlier day of the month has, and so for
-- its quarter.
bought_months as (

    select
        members.profile_number,
        members.first_month,
        purchases.month_index,
        count(
            case when purchases.previous_month is null or purchases.previous_month < purchases.month_index then 1 end
        ) as month_customers,
        count(
            case
                when
                    purchases.previous_month is null
                    or {{ period_of_month("'quarter'", 'purchases.previous_month') }}
                    < {{ period_of_month("'quarter'", 'purchases.month_index') }}
                    then 1
            end
        ) as quarter_customers,
        sum(purchases.net_amount) as revenue

    from purchases
    inner join members on purchases.customer_key = members.customer_key
    group by members.profile_number, members.first_month, purchases.month_index

),

bought_values as (

    select
        profile_values.value_number,
        bought_months.first_month,
        bought_months.month_index,
        sum(bought_months.month_customers) as month_customers,
        sum(bought_months.quarter_customers) as quarter_customers,
        sum(bought_months.revenue) as revenue

    from bought_months
    inner join profile_values on bought_months.profile_number = profile_values.profile_number
    group by profile_values.value_number, bought_months.first_month, bought_months.month_index

),

bought_periods as (

    select
        bought_values.value_number,
        cohort_types.cohort_type,
        {{ period_of_month('cohort_types.cohort_type', 'bought_values.first_month') }} as cohort_index,
        {{ period_of_month('cohort_types.cohort_type', 'bought_values.month_index') }} as period_index,
        case cohort_types.cohort_type
            when 'month' then bought_values.month_customers
            else bought_values.quarter_customers
        end as customers,
        bought_values.revenue

    from bought_values
    cross join cohort_types

),

-- The last period of each member, and the last of the streak. Every streak of purchases begins with the first one, and
-- ends where for the first time a period is missing.
ends as (

    select
        customer_key,
        max(month_index) as last_month,
        min(case when previous_month < month_index - 1 then previous_month end) as month_streak_end,
        min(
            case
                when
                    {{ period_of_month("'quarter'", 'previous_month') }}
                    < {{ period_of_month("'quarter'", 'month_index') }} - 1
                    then previous_month
            end
        ) as quarter_streak_end

    from purchases
    group by customer_key

),

end_periods as (

    select
        members.profile_number,
        cohort_types.cohort_type,
        {{ period_of_month('cohort_types.cohort_type', 'members.first_month') }} as cohort_index,
        {{ period_of_month('cohort_types.cohort_type', 'ends.last_month') }} as last_period,
        {{ period_of_month(
            'cohort_types.cohort_type',
            "coalesce(case cohort_types.cohort_type when 'month' then ends.month_streak_end"
            ~ " else ends.quarter_streak_end end, ends.last_month)"
        ) }} as streak_end

    from ends
    inner join members on ends.customer_key = members.customer_key
    cross join cohort_types

),

end_profiles as (

    select
        profile_number,
        cohort_type,
        cohort_index,
        last_period,
        streak_end,
        count(*) as members

    from end_periods
    group by profile_number, cohort_type, cohort_index, last_period, streak_end

),

end_values as (

    select
        profile_values.value_number,
        end_profiles.cohort_type,
        end_profiles.cohort_index,
        end_profiles.last_period,
        end_profiles.streak_end,
        sum(end_profiles.members) as members

    from end_profiles
    inner join profile_values on end_profiles.profile_number = profile_values.profile_number
    group by
        profile_values.value_number,
        end_profiles.cohort_type,
        end_profiles.cohort_index,
        end_profiles.last_period,
        end_profiles.streak_end

),

changes as (

    -- Who buys in a period is there from its beginning …
    select
        value_number,
        cohort_type,
        cohort_index,
        period_index,
        customers as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        revenue as revenue_change
    from bought_periods

    union all

    -- … and gone at the beginning of the next one, in which a purchase counts anew.
    select
        value_number,
        cohort_type,
        cohort_index,
        period_index + 1 as period_index,
        -customers as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        -revenue as revenue_change
    from bought_periods

    union all

    select
        value_number,
        cohort_type,
        cohort_index,
        last_period as period_index,
        0 as retained_change,
        members as reach_ends,
        0 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from end_values

    union all

    -- A streak is one of the periods after the first.
    select
        value_number,
        cohort_type,
        cohort_index,
        streak_end as period_index,
        0 as retained_change,
        0 as reach_ends,
        members as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from end_values
    where streak_end > cohort_index

),

purchase_cohort_changes as (

    select
        ---------- ids
        cohort_type,
        cohort_index,
        period_index,
        value_number,

        ---------- numerics
        cast(sum(retained_change) as bigint) as retained_change,
        cast(sum(reach_ends) as bigint) as reach_ends,
        cast(sum(streak_ends) as bigint) as streak_ends,
        sum(revenue_change) as revenue_change

    from changes
    group by cohort_type, cohort_index, period_index, value_number

)

select * from purchase_cohort_changes
