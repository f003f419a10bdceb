-- One row per basis, cohort, whole periods since the first start, and dimension value: how many members were there.
with

starts as (

    select * from {{ ref('int_customer_starts') }}

),

boundaries as (

    select * from {{ ref('int_active_boundaries') }}
    where basis = 'contract' and period_type <> 'year'

),

purchase_days as (

    select * from {{ ref('int_purchase_days') }}

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

members as (

    select
        starts.basis,
        cohort_types.cohort_type,
        starts.customer_key,
        starts.first_plan,
        cohort_types.last_index,
        {{ period_index('cohort_types.cohort_type', 'starts.started_on') }} as cohort_index

    from starts
    cross join cohort_types

),

-- Purchases: the periods since the start in which the member ordered.
purchase_periods as (

    select
        members.cohort_type,
        members.cohort_index,
        members.customer_key,
        {{ period_index('members.cohort_type', 'purchase_days.ordered_on') }} - members.cohort_index as elapsed,
        sum(purchase_days.net_amount) as revenue

    from members
    inner join purchase_days on members.customer_key = purchase_days.customer_key
    where members.basis = 'purchase'
    group by all

),

purchase_ranges as (

    select
        'purchase' as basis,
        cohort_type,
        cohort_index,
        customer_key,
        elapsed as first_elapsed,
        elapsed as last_elapsed,
        revenue

    from purchase_periods

),

-- Contracts: in force at the end of a period means at the boundary after it.
contract_ranges as (

    select
        members.basis,
        members.cohort_type,
        members.cohort_index,
        members.customer_key,
        boundaries.first_boundary - members.cohort_index - 1 as first_elapsed,
        boundaries.last_boundary - members.cohort_index - 1 as last_elapsed,
        boundaries.mrr as revenue

    from members
    inner join boundaries
        on
            members.customer_key = boundaries.customer_key
            and members.basis = boundaries.basis
            and members.cohort_type = boundaries.period_type

),

ranges as (

    select * from purchase_ranges

    union all

    select * from contract_ranges

),

linked as (

    select
        *,
        case
            when
                lag(last_elapsed) over (
                    partition by basis, cohort_type, customer_key order by first_elapsed
                ) = first_elapsed - 1
                then 0
            else 1
        end as is_interrupted

    from ranges

),

numbered as (

    select
        *,
        sum(is_interrupted) over (
            partition by basis, cohort_type, customer_key
            order by first_elapsed
            rows between unbounded preceding and current row
        ) as streak_number

    from linked

),

streaks as (

    select
        basis,
        cohort_type,
        customer_key,
        min(first_elapsed) as first_elapsed,
        max(last_elapsed) as last_elapsed

    from numbered
    group by basis, cohort_type, customer_key, streak_number

),

-- Per member the last period retained, and the end of the streak that period 1 is part of.
reach as (

    select
        basis,
        cohort_type,
        customer_key,
        max(last_elapsed) as last_elapsed,
        max(case when first_elapsed <= 1 and last_elapsed >= 1 then last_elapsed end) as streak_elapsed

    from streaks
    group by basis, cohort_type, customer_key

),

marks as (

    select
        basis,
        cohort_type,
        cohort_index,
        customer_key,
        0 as elapsed,
        1 as members,
        0 as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from members

    union all

    select
        basis,
        cohort_type,
        cohort_index,
        customer_key,
        first_elapsed as elapsed,
        0 as members,
        1 as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        revenue as revenue_change
    from ranges

    union all

    select
        basis,
        cohort_type,
        cohort_index,
        customer_key,
        last_elapsed + 1 as elapsed,
        0 as members,
        -1 as retained_change,
        0 as reach_ends,
        0 as streak_ends,
        -revenue as revenue_change
    from ranges

    union all

    select
        members.basis,
        members.cohort_type,
        members.cohort_index,
        members.customer_key,
        reach.last_elapsed as elapsed,
        0 as members,
        0 as retained_change,
        1 as reach_ends,
        0 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from members
    inner join reach
        on
            members.basis = reach.basis
            and members.cohort_type = reach.cohort_type
            and members.customer_key = reach.customer_key

    union all

    select
        members.basis,
        members.cohort_type,
        members.cohort_index,
        members.customer_key,
        reach.streak_elapsed as elapsed,
        0 as members,
        0 as retained_change,
        0 as reach_ends,
        1 as streak_ends,
        cast(0 as decimal(38, 14)) as revenue_change
    from members
    inner join reach
        on
            members.basis = reach.basis
            and members.cohort_type = reach.cohort_type
            and members.customer_key = reach.customer_key
    where reach.streak_elapsed is not null

),

compressed as (

    select
        marks.basis,
        marks.cohort_type,
        marks.cohort_index,
        marks.elapsed,
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        coalesce(starts.first_plan, '(none)') as plan,
        sum(marks.members) as members,
        sum(marks.retained_change) as retained_change,
        sum(marks.reach_ends) as reach_ends,
        sum(marks.streak_ends) as streak_ends,
        sum(marks.revenue_change) as revenue_change

    from marks
    inner join customers on marks.customer_key = customers.customer_key
    inner join starts on marks.customer_key = starts.customer_key and marks.basis = starts.basis
    group by all

),

grouped as (

    {{ grouped_by_dimension(
        relation='compressed',
        keys=['basis', 'cohort_type', 'cohort_index', 'elapsed'],
        dimensions=customer_dimensions() + ['plan'],
        measures={
            'members': 'sum(members)',
            'retained_change': 'sum(retained_change)',
            'reach_ends': 'sum(reach_ends)',
            'streak_ends': 'sum(streak_ends)',
            'revenue_change': 'sum(revenue_change)',
        }
    ) }}

),

-- Purchases have no plan.
broken_down as (

    select * from grouped
    where dimension <> 'plan' or basis = 'contract'

),

cohorts as (

    select
        basis,
        cohort_type,
        cohort_index,
        dimension,
        dimension_value,
        sum(members) as cohort_size

    from broken_down
    group by basis, cohort_type, cohort_index, dimension, dimension_value

),

cells as (

    select
        cohorts.*,
        periods.period_state as cell_state,
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
            partition by
                cells.basis, cells.cohort_type, cells.cohort_index, cells.dimension, cells.dimension_value
            order by cells.elapsed
            rows between unbounded preceding and current row
        ) as retained_customers,
        sum(coalesce(broken_down.revenue_change, 0)) over (
            partition by
                cells.basis, cells.cohort_type, cells.cohort_index, cells.dimension, cells.dimension_value
            order by cells.elapsed
            rows between unbounded preceding and current row
        ) as revenue,
        sum(coalesce(broken_down.reach_ends, 0)) over (
            partition by
                cells.basis, cells.cohort_type, cells.cohort_index, cells.dimension, cells.dimension_value
            order by cells.elapsed desc
            rows between unbounded preceding and current row
        ) as retained_on_or_after,
        sum(coalesce(broken_down.streak_ends, 0)) over (
            partition by
                cells.basis, cells.cohort_type, cells.cohort_index, cells.dimension, cells.dimension_value
            order by cells.elapsed desc
            rows between unbounded preceding and current row
        ) as in_streak

    from cells
    left join broken_down
        on
            cells.basis = broken_down.basis
            and cells.cohort_type = broken_down.cohort_type
            and cells.cohort_index = broken_down.cohort_index
            and cells.dimension = broken_down.dimension
            and cells.dimension_value = broken_down.dimension_value
            and cells.elapsed = broken_down.elapsed

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
