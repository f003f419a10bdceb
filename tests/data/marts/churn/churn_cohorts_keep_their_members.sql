-- A cohort keeps its members: its size is the same in every cell, and who is retained is one of them.
with

churn_cohorts as (

    select
        *,
        concat_ws(
            ' ', basis, cohort_type, cohort_start, periods_since_start, dimension, dimension_value
        ) as failing_row,
        lead(periods_since_start) over (
            partition by basis, cohort_type, cohort_start, dimension, dimension_value
            order by periods_since_start
        ) as next_periods_since_start,
        lead(cohort_size) over (
            partition by basis, cohort_type, cohort_start, dimension, dimension_value
            order by periods_since_start
        ) as next_cohort_size,
        lead(retained_on_or_after) over (
            partition by basis, cohort_type, cohort_start, dimension, dimension_value
            order by periods_since_start
        ) as next_retained_on_or_after,
        lead(retained_streak) over (
            partition by basis, cohort_type, cohort_start, dimension, dimension_value
            order by periods_since_start
        ) as next_retained_streak,
        case
            when cohort_type = 'month' then {{ add_months('cohort_start', 'periods_since_start') }}
            else {{ add_months('cohort_start', '3 * periods_since_start') }}
        end as period_start

    from {{ ref('churn_cohorts') }}

),

ever_started as (

    select
        basis,
        count(*) as customers

    from {{ ref('int_customer_starts') }}
    group by basis

),

members as (

    select
        basis,
        cohort_type,
        dimension,
        sum(case when periods_since_start = 0 then cohort_size else 0 end) as customers,
        sum(revenue) as revenue

    from churn_cohorts
    group by basis, cohort_type, dimension

),

net_purchases as (

    select coalesce(sum(net_amount), 0) as net_amount from {{ ref('int_orders') }}
    where is_qualifying

),

-- All cohorts of one calendar period are the customers and the revenue of that period.
contract_periods as (

    select
        cohort_type as period_type,
        period_start,
        sum(retained_customers) as customers,
        sum(revenue) as mrr

    from churn_cohorts
    where basis = 'contract' and dimension = 'all'
    group by cohort_type, period_start

),

retention_periods as (

    select
        retention_rate.period_type,
        retention_rate.period_start,
        retention_rate.customers_at_end,
        revenue_retention.mrr_at_end

    from {{ ref('retention_rate') }} as retention_rate
    inner join {{ ref('revenue_retention') }} as revenue_retention
        on
            retention_rate.period_type = revenue_retention.period_type
            and retention_rate.period_start = revenue_retention.period_start
            and retention_rate.dimension = revenue_retention.dimension
    where retention_rate.basis = 'contract' and retention_rate.dimension = 'all'

),

broken_rules as (

    select
        'the size of a cohort never changes' as broken_rule,
        failing_row
    from churn_cohorts
    where cohort_size <> next_cohort_size

    union all

    select
        'cells follow each other without a hole' as broken_rule,
        failing_row
    from churn_cohorts
    where next_periods_since_start <> periods_since_start + 1

    union all

    select
        'retained at most retained on or after, at most the size' as broken_rule,
        failing_row
    from churn_cohorts
    where
        retained_customers < 0
        or retained_customers > retained_on_or_after
        or retained_on_or_after > cohort_size

    union all

    select
        'retained on or after never rises' as broken_rule,
        failing_row
    from churn_cohorts
    where next_retained_on_or_after > retained_on_or_after

    union all

    select
        'in the last cell nobody is retained later' as broken_rule,
        failing_row
    from churn_cohorts
    where next_periods_since_start is null and retained_on_or_after <> retained_customers

    union all

    select
        'the streak begins with the cohort and never rises' as broken_rule,
        failing_row
    from churn_cohorts
    where
        (periods_since_start = 0 and retained_streak <> cohort_size)
        or (periods_since_start > 0 and retained_streak > retained_customers)
        or next_retained_streak > retained_streak

    union all

    select
        'every buyer bought in the period of the first purchase' as broken_rule,
        failing_row
    from churn_cohorts
    where basis = 'purchase' and periods_since_start = 0 and retained_customers <> cohort_size

    union all

    select
        'the rate is the share of the cohort' as broken_rule,
        failing_row
    from churn_cohorts
    where abs(retention_rate * cohort_size - retained_customers) > 1e-6 or retention_rate is null

    union all

    select
        'everybody who ever started is in one cohort' as broken_rule,
        concat_ws(' ', ever_started.basis, members.cohort_type, members.dimension) as failing_row
    from ever_started
    left join members on ever_started.basis = members.basis
    where members.customers is null or members.customers <> ever_started.customers

    union all

    select
        'the revenue of all cells is that of all qualifying orders' as broken_rule,
        concat_ws(' ', members.cohort_type, members.dimension) as failing_row
    from members
    cross join net_purchases
    where members.basis = 'purchase' and members.revenue <> net_purchases.net_amount

    union all

    select
        'all cohorts of a period are its active customers and their revenue' as broken_rule,
        concat_ws(' ', contract_periods.period_type, contract_periods.period_start) as failing_row
    from contract_periods
    left join retention_periods
        on
            contract_periods.period_type = retention_periods.period_type
            and contract_periods.period_start = retention_periods.period_start
    where
        retention_periods.customers_at_end is null
        or contract_periods.customers <> retention_periods.customers_at_end
        or contract_periods.mrr <> retention_periods.mrr_at_end

)

select * from broken_rules
