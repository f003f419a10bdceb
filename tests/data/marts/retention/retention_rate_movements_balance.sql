-- Customers at both ends of a period differ by the movements in between, and what starts must have ended before.
with

retention_rate as (

    select
        *,
        concat_ws(' ', basis, period_type, period_start, dimension, dimension_value) as failing_row,
        lead(customers_at_start) over (
            partition by basis, period_type, dimension, dimension_value
            order by period_start
        ) as customers_at_next_start,
        lead(period_start) over (
            partition by basis, period_type, dimension, dimension_value
            order by period_start
        ) as next_period_start,
        row_number() over (
            partition by basis, period_type, dimension, dimension_value
            order by period_start desc
        ) as periods_from_last

    from {{ ref('retention_rate') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- The same customers counted without periods and boundaries.
active_at_as_of as (

    select
        'contract' as basis,
        count(distinct contracts.customer_key) as customers

    from {{ ref('int_contracts') }} as contracts
    cross join as_of
    where contracts.started_on < as_of.as_of and contracts.in_force_until >= as_of.as_of

    union all

    select
        'purchase' as basis,
        count(*) as customers

    from {{ ref('int_purchase_summary') }} as purchases
    cross join as_of
    cross join {{ ref('int_inactivity_window') }} as inactivity_window
    where
        purchases.last_ordered_on < as_of.as_of
        and {{ days_between('purchases.last_ordered_on', 'as_of.as_of') }} <= inactivity_window.inactivity_days

),

ever_started as (

    select
        basis,
        count(*) as customers

    from {{ ref('int_customer_starts') }}
    group by basis

),

arrivals as (

    select
        basis,
        period_type,
        dimension,
        sum(new_customers + flash_customers) as customers

    from retention_rate
    group by basis, period_type, dimension

),

broken_rules as (

    select
        'the end is retained plus new plus reactivated' as broken_rule,
        failing_row
    from retention_rate
    where customers_at_end <> retained_customers + new_customers + reactivated_customers

    union all

    select
        'the start is retained plus churned' as broken_rule,
        failing_row
    from retention_rate
    where customers_at_start <> retained_customers + churned_customers

    union all

    -- A customer may change its plan from one period to the next.
    select
        'the end of a complete period is the start of the next' as broken_rule,
        failing_row
    from retention_rate
    where dimension <> 'plan' and customers_at_end <> customers_at_next_start

    union all

    select
        'a period begins where the one before ends' as broken_rule,
        failing_row
    from retention_rate
    where period_end <> next_period_start

    union all

    select
        'only the last period is partial' as broken_rule,
        failing_row
    from retention_rate
    where period_state = 'partial' and periods_from_last > 1

    union all

    select
        'no count is negative' as broken_rule,
        failing_row
    from retention_rate
    where
        least(
            customers_at_start, customers_at_end, new_customers, retained_customers,
            reactivated_customers, churned_customers, flash_customers
        ) < 0

    union all

    select
        'rates are NULL exactly where nobody was there at the start' as broken_rule,
        failing_row
    from retention_rate
    where
        (customers_at_start = 0) <> (retention_rate is null)
        or (customers_at_start = 0) <> (churn_rate is null)
        or (customers_at_start = 0) <> (textbook_retention_rate is null)

    union all

    select
        'retention and churn are shares that make one' as broken_rule,
        failing_row
    from retention_rate
    where
        retention_rate < 0
        or retention_rate > 1
        or abs(retention_rate + churn_rate - 1) > 1e-12

    union all

    select
        'the textbook rate is the retention rate plus the reactivated' as broken_rule,
        failing_row
    from retention_rate
    where
        abs(
            (textbook_retention_rate - retention_rate) * customers_at_start - reactivated_customers
        ) > 1e-6

    union all

    select
        'the last end is who is active at as_of' as broken_rule,
        retention_rate.failing_row
    from retention_rate
    inner join active_at_as_of on retention_rate.basis = active_at_as_of.basis
    where
        retention_rate.periods_from_last = 1
        and retention_rate.dimension = 'all'
        and retention_rate.customers_at_end <> active_at_as_of.customers

    union all

    select
        'everybody who ever started is new once, or a flash' as broken_rule,
        concat_ws(' ', arrivals.basis, arrivals.period_type, arrivals.dimension) as failing_row
    from arrivals
    full outer join ever_started on arrivals.basis = ever_started.basis
    where coalesce(arrivals.customers, 0) <> coalesce(ever_started.customers, 0)

)

select * from broken_rules
