-- One row per basis, cohort, whole periods since the first start, and dimension value: how many members were there.
with

starts as (

    select * from {{ ref('int_customer_starts') }}

),

boundaries as (

    select * from {{ ref('int_active_boundaries') }}
    where basis = 'contract' and period_type <> 'year'

),

customers as (

    select * from {{ ref('int_customers') }}

),

periods as (

    select * from {{ ref('int_periods') }}
    where period_type <> 'year'

),

cohort_types as (

    select
        period_type as cohort_type,
        max(last_index) as last_index
    from periods
    group by period_type

),

-- Each combination of dimensions and first plan once: customers are counted by its number.
dated_starts as (

    select
        starts.basis,
        starts.customer_key,
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        coalesce(starts.first_plan, '(none)') as plan,
        {{ period_index("'month'", 'starts.started_on') }} as first_month

    from starts
    inner join customers on starts.customer_key = customers.customer_key

),

profiles as (

    {{ numbered_profiles('dated_starts', customer_dimensions() + ['plan']) }}

),

profile_values as (

    {{ values_of_profiles('profiles', customer_dimensions() + ['plan']) }}

),

members as (

    select
        dated_starts.basis,
        dated_starts.customer_key,
        dated_starts.first_month,
        profiles.profile_number

    from dated_starts
    inner join profiles on {{ has_profile('dated_starts', customer_dimensions() + ['plan']) }}

),

-- Purchases: a day counts its customer for its month unless an earlier day of the month has, and so for its quarter.
purchases as (

    select
        customer_key,
        net_amount,
        {{ period_index("'month'", 'ordered_on') }} as month_index,
        {{ period_index("'month'", 'previous_ordered_on') }} as previous_month

    from {{ ref('int_purchase_days') }}

),

purchase_months as (

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
    where members.basis = 'purchase'
    group by members.profile_number, members.first_month, purchases.month_index

),

purchase_values as (

    select
        profile_values.value_number,
        purchase_months.first_month,
        purchase_months.month_index,
        sum(purchase_months.month_customers) as month_customers,
        sum(purchase_months.quarter_customers) as quarter_customers,
        sum(purchase_months.revenue) as revenue

    from purchase_months
    inner join profile_values on purchase_months.profile_number = profile_values.profile_number
    group by profile_values.value_number, purchase_months.first_month, purchase_months.month_index

),

purchase_periods as (

    select
        purchase_values.value_number,
        cohort_types.cohort_type,
        {{ period_of_month('cohort_types.cohort_type', 'purchase_values.first_month') }} as cohort_index,
        {{ period_of_month('cohort_types.cohort_type', 'purchase_values.month_index') }} as period_index,
        case cohort_types.cohort_type
            when 'month' then purchase_values.month_customers
            else purchase_values.quarter_customers
        end as customers,
        purchase_values.revenue

    from purchase_values
    cross join cohort_types

),

-- Per customer the last period retained, and the end of the streak that period 1 is part of. Every streak of purchases
-- begins with the first one, and ends where for the first time a period is missing.
purchase_streaks as (

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

purchase_reach as (

    select
        members.profile_number,
        members.first_month,
        purchase_streaks.last_month,
        purchase_streaks.month_streak_end,
        purchase_streaks.quarter_streak_end

    from purchase_streaks
    inner join members on purchase_streaks.customer_key = members.customer_key
    where members.basis = 'purchase'

),

-- Contracts: in force at the end of a period means at the boundary after it.
contract_ranges as (

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
    inner join boundaries
        on
            members.customer_key = boundaries.customer_key
            and members.basis = boundaries.basis

),

contract_reach as (

    select
        profile_number,
        customer_key,
        cohort_type,
        cohort_index,
        max(last_period) as last_period,
        max(case when first_period <= cohort_index + 1 and last_period >= cohort_index + 1 then 1 end) as is_in_streak,
        min(case when last_period >= cohort_index + 1 and not is_continuing then last_period end) as streak_end

    from contract_ranges
    group by profile_number, customer_key, cohort_type, cohort_index

),

reach as (

    select
        'purchase' as basis,
        purchase_reach.profile_number,
        cohort_types.cohort_type,
        {{ period_of_month('cohort_types.cohort_type', 'purchase_reach.first_month') }} as cohort_index,
        {{ period_of_month('cohort_types.cohort_type', 'purchase_reach.last_month') }} as last_period,
        {{ period_of_month(
            'cohort_types.cohort_type',
            "coalesce(case cohort_types.cohort_type when 'month' then purchase_reach.month_streak_end"
            ~ " else purchase_reach.quarter_streak_end end, purchase_reach.last_month)"
        ) }} as streak_end
    from purchase_reach
    cross join cohort_types

    union all

    select
        'contract' as basis,
        profile_number,
        cohort_type,
        cohort_index,
        last_period,
        case when is_in_streak = 1 then streak_end end as streak_end
    from contract_reach

),

contract_changes as (

    select
        profile_number,
        cohort_type,
        cohort_index,
        first_period as period_index,
        1 as retained_change,
        mrr as revenue_change
    from contract_ranges

    union all

    select
        profile_number,
        cohort_type,
        cohort_index,
        last_period + 1 as period_index,
        -1 as retained_change,
        -mrr as revenue_change
    from contract_ranges

),

contract_periods as (

    select
        profile_values.value_number,
        contract_changes.cohort_type,
        contract_changes.cohort_index,
        contract_changes.period_index,
        sum(contract_changes.retained_change) as retained_change,
        sum(contract_changes.revenue_change) as revenue_change

    from contract_changes
    inner join profile_values on contract_changes.profile_number = profile_values.profile_number
    group by
        profile_values.value_number,
        contract_changes.cohort_type,
        contract_changes.cohort_index,
        contract_changes.period_index

),

reach_profiles as (

    select
        basis,
        profile_number,
        cohort_type,
        cohort_index,
        last_period,
        streak_end,
        count(*) as members

    from reach
    group by basis, profile_number, cohort_type, cohort_index, last_period, streak_end

),

reach_values as (

    select
        reach_profiles.basis,
        profile_values.value_number,
        reach_profiles.cohort_type,
        reach_profiles.cohort_index,
        reach_profiles.last_period,
        reach_profiles.streak_end,
        sum(reach_profiles.members) as members

    from reach_profiles
    inner join profile_values on reach_profiles.profile_number = profile_values.profile_number
    group by
        reach_profiles.basis,
        profile_values.value_number,
        reach_profiles.cohort_type,
        reach_profiles.cohort_index,
        reach_profiles.last_period,
        reach_profiles.streak_end

),

starting as (

    select
        basis,
        profile_number,
        first_month,
        count(*) as members

    from members
    group by basis, profile_number, first_month

),

marks as (

    select
        starting.basis,
        profile_values.value_number,
        cohort_types.cohort_type,
        {{ period_of_month('cohort_types.cohort_type', 'starting.first_month') }} as cohort_index,
        {{ period_of_month('cohort_types.cohort_type', 'starting.first_month') }} as period_index,
        starting.members,
        0 as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from starting
    inner join profile_values on starting.profile_number = profile_values.profile_number
    cross join cohort_types

    union all

    select
        'purchase' as basis,
        value_number,
        cohort_type,
        cohort_index,
        period_index,
        0 as members,
        customers as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        revenue as revenue_change
    from purchase_periods

    union all

    select
        'purchase' as basis,
        value_number,
        cohort_type,
        cohort_index,
        period_index + 1 as period_index,
        0 as members,
        -customers as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        -revenue as revenue_change
    from purchase_periods

    union all

    select
        'contract' as basis,
        value_number,
        cohort_type,
        cohort_index,
        period_index,
        0 as members,
        retained_change,
        0 as reach_ends,
        0 as streak_ends,
        revenue_change
    from contract_periods

    union all

    select
        basis,
        value_number,
        cohort_type,
        cohort_index,
        last_period as period_index,
        0 as members,
        0 as retained_change,
        members as reach_ends,
        0 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from reach_values

    union all

    select
        basis,
        value_number,
        cohort_type,
        cohort_index,
        streak_end as period_index,
        0 as members,
        0 as retained_change,
        0 as reach_ends,
        members as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from reach_values
    where streak_end > cohort_index

),

grouped as (

    select
        basis,
        value_number,
        cohort_type,
        cohort_index,
        period_index,
        sum(members) as members,
        sum(retained_change) as retained_change,
        sum(reach_ends) as reach_ends,
        sum(streak_ends) as streak_ends,
        sum(revenue_change) as revenue_change

    from marks
    group by basis, value_number, cohort_type, cohort_index, period_index

),

dimension_values as (

    select distinct
        value_number,
        dimension,
        dimension_value
    from profile_values

),

-- Purchases have no plan.
broken_down as (

    select
        grouped.*,
        dimension_values.dimension,
        dimension_values.dimension_value

    from grouped
    inner join dimension_values on grouped.value_number = dimension_values.value_number
    where dimension_values.dimension <> 'plan' or grouped.basis = 'contract'

),

cohorts as (

    select
        basis,
        cohort_type,
        cohort_index,
        value_number,
        dimension,
        dimension_value,
        sum(members) as cohort_size

    from broken_down
    group by basis, cohort_type, cohort_index, value_number, dimension, dimension_value

),

cells as (

    select
        cohorts.*,
        periods.period_state as cell_state,
        periods.period_index,
        periods.period_index - cohorts.cohort_index as elapsed

    from cohorts
    inner join periods
        on
            cohorts.cohort_type = periods.period_type
            and cohorts.cohort_index <= periods.period_index

),

counted as (

    select
        cells.*,
        sum(coalesce(broken_down.retained_change, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed
            rows between unbounded preceding and current row
        ) as retained_customers,
        sum(coalesce(broken_down.revenue_change, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed
            rows between unbounded preceding and current row
        ) as revenue,
        sum(coalesce(broken_down.reach_ends, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed desc
            rows between unbounded preceding and current row
        ) as retained_on_or_after,
        sum(coalesce(broken_down.streak_ends, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed desc
            rows between unbounded preceding and current row
        ) as in_streak

    from cells
    left join broken_down
        on
            cells.basis = broken_down.basis
            and cells.cohort_type = broken_down.cohort_type
            and cells.cohort_index = broken_down.cohort_index
            and cells.value_number = broken_down.value_number
            and cells.period_index = broken_down.period_index

),

churn_cohorts as (

    select
        ---------- ids
        basis,
        cohort_type,
        {{ period_start('cohort_type', 'cohort_index') }} as cohort_start,
        cast(elapsed as integer) as periods_since_start,
        dimension,
        dimension_value,

        ---------- numerics
        cast(cohort_size as bigint) as cohort_size,
        cast(retained_customers as bigint) as retained_customers,
        cast(retained_on_or_after as bigint) as retained_on_or_after,
        -- Everybody starts with a streak.
        cast(case when elapsed = 0 then cohort_size else in_streak end as bigint) as retained_streak,
        cast(revenue as decimal(38, 14)) as revenue,

        ---------- ratios
        {{ ratio('retained_customers', 'cohort_size') }} as retention_rate,

        ---------- text
        cell_state

    from counted

)

select * from churn_cohorts
