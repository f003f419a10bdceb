-- One row per basis, period and dimension value: customers at both ends of the period, who came, stayed and left.
with

movements as (

    select * from {{ ref('int_retention_movements') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

dimension_values as (

    select * from {{ ref('int_basis_dimension_values') }}

),

broken_down as (

    {{ grouped_by_dimension(
        relation='movements',
        keys=['basis', 'period_type', 'period_index'],
        dimensions=customer_dimensions() + ['plan'],
        measures={
            'change_at_start': 'sum(change_at_start)',
            'new_customers': 'sum(new_customers)',
            'reactivated_customers': 'sum(reactivated_customers)',
            'churned_customers': 'sum(churned_customers)',
            'flash_customers': 'sum(flash_customers)',
        }
    ) }}

),

spine as (

    select
        dimension_values.basis,
        dimension_values.dimension,
        dimension_values.dimension_value,
        periods.period_type,
        periods.period_index,
        periods.period_start,
        periods.period_end,
        periods.period_state

    from dimension_values
    inner join periods on dimension_values.first_started_on < periods.period_end

),

counted as (

    select
        spine.*,
        sum(coalesce(broken_down.change_at_start, 0)) over (
            partition by spine.basis, spine.period_type, spine.dimension, spine.dimension_value
            order by spine.period_index
            rows between unbounded preceding and current row
        ) as customers_at_start,
        coalesce(broken_down.new_customers, 0) as new_customers,
        coalesce(broken_down.reactivated_customers, 0) as reactivated_customers,
        coalesce(broken_down.churned_customers, 0) as churned_customers,
        coalesce(broken_down.flash_customers, 0) as flash_customers

    from spine
    left join broken_down
        on
            spine.basis = broken_down.basis
            and spine.period_type = broken_down.period_type
            and spine.period_index = broken_down.period_index
            and spine.dimension = broken_down.dimension
            and spine.dimension_value = broken_down.dimension_value

),

balanced as (

    select
        *,
        customers_at_start - churned_customers as retained_customers,
        customers_at_start - churned_customers + new_customers + reactivated_customers as customers_at_end

    from counted

),

retention_rate as (

    select
        ---------- ids
        basis,
        period_type,
        period_start,
        dimension,
        dimension_value,

        ---------- timestamps
        period_end,

        ---------- text
        period_state,

        ---------- numerics
        cast(customers_at_start as bigint) as customers_at_start,
        cast(customers_at_end as bigint) as customers_at_end,
        cast(new_customers as bigint) as new_customers,
        cast(retained_customers as bigint) as retained_customers,
        cast(reactivated_customers as bigint) as reactivated_customers,
        cast(churned_customers as bigint) as churned_customers,
        cast(flash_customers as bigint) as flash_customers,

        ---------- ratios
        {{ ratio('retained_customers', 'customers_at_start') }} as retention_rate,
        {{ ratio('(customers_at_end - new_customers)', 'customers_at_start') }} as textbook_retention_rate,
        {{ ratio('churned_customers', 'customers_at_start') }} as churn_rate

    from balanced

)

select * from retention_rate
