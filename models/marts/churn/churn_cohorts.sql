-- One row per basis, cohort, whole periods since the first start, and dimension value: how many members were there.
with

members as (

    select * from {{ ref('int_cohort_members') }}

),

profile_values as (

    select * from {{ ref('int_cohort_profile_values') }}

),

periods as (

    select * from {{ ref('int_periods') }}
    where period_type <> 'year'

),

purchase_changes as (

    select * from {{ ref('int_purchase_cohort_changes') }}

),

contract_changes as (

    select * from {{ ref('int_contract_cohort_changes') }}

),

cohort_types as (

    select distinct period_type as cohort_type from periods

),

-- The cohorts and their sizes: customers who started in the same month, or in the same quarter.
first_months as (

    select
        basis,
        profile_number,
        first_month,
        count(*) as members

    from members
    group by basis, profile_number, first_month

),

first_periods as (

    select
        first_months.basis,
        cohort_types.cohort_type,
        {{ period_of_month('cohort_types.cohort_type', 'first_months.first_month') }} as cohort_index,
        first_months.profile_number,
        first_months.members

    from first_months
    cross join cohort_types

),

-- Purchases have no plan.
cohorts as (

    select
        first_periods.basis,
        first_periods.cohort_type,
        first_periods.cohort_index,
        profile_values.value_number,
        profile_values.dimension,
        profile_values.dimension_value,
        sum(first_periods.members) as cohort_size

    from first_periods
    inner join profile_values on first_periods.profile_number = profile_values.profile_number
    where profile_values.dimension <> 'plan' or first_periods.basis = 'contract'
    group by
        first_periods.basis,
        first_periods.cohort_type,
        first_periods.cohort_index,
        profile_values.value_number,
        profile_values.dimension,
        profile_values.dimension_value

),

-- Each cohort has a cell for its own period and every later one.
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

-- Each row says what changes in a period: who is there and their revenue at its beginning, reach and streaks at its
-- end. The window sums below turn changes into counts: forward, what has changed up to a period; backward, what has not
-- ended before it.
changes as (

    select
        'purchase' as basis,
        *
    from purchase_changes

    union all

    select
        'contract' as basis,
        *
    from contract_changes

),

counted as (

    select
        cells.*,
        sum(coalesce(changes.retained_change, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed
            rows between unbounded preceding and current row
        ) as retained_customers,
        sum(coalesce(changes.revenue_change, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed
            rows between unbounded preceding and current row
        ) as revenue,
        sum(coalesce(changes.reach_ends, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed desc
            rows between unbounded preceding and current row
        ) as retained_on_or_after,
        sum(coalesce(changes.streak_ends, 0)) over (
            partition by cells.basis, cells.cohort_type, cells.cohort_index, cells.value_number
            order by cells.elapsed desc
            rows between unbounded preceding and current row
        ) as in_streak

    from cells
    left join changes
        on
            cells.basis = changes.basis
            and cells.cohort_type = changes.cohort_type
            and cells.cohort_index = changes.cohort_index
            and cells.value_number = changes.value_number
            and cells.period_index = changes.period_index

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
