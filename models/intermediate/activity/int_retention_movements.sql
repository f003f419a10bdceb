-- One row per basis, period type, period, customer dimensions and plan: how many customers came and went in the period.
-- Arrivals and losses lie between two boundaries, so that no row per customer and period is ever written.
with

boundaries as (

    select * from {{ ref('int_active_boundaries') }}

),

starts as (

    select * from {{ ref('int_customer_starts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

last_periods as (

    select
        period_type,
        max(last_index) as last_index
    from {{ ref('int_periods') }}
    group by period_type

),

first_periods as (

    select
        starts.basis,
        last_periods.period_type,
        starts.customer_key,
        starts.first_plan,
        last_periods.last_index,
        {{ period_index('last_periods.period_type', 'starts.started_on') }} as first_index

    from starts
    cross join last_periods

),

placed as (

    select
        boundaries.*,
        first_periods.first_plan,
        first_periods.first_index,
        first_periods.last_index

    from boundaries
    inner join first_periods
        on
            boundaries.basis = first_periods.basis
            and boundaries.period_type = first_periods.period_type
            and boundaries.customer_key = first_periods.customer_key

),

movements as (

    -- The number at the start of a period changes where a range begins …
    select
        basis,
        period_type,
        first_boundary as period_index,
        customer_key,
        plan,
        1 as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        0 as churned_customers,
        0 as flash_customers
    from placed

    union all

    -- … and after it ends; where no range follows, the customer left in the period in between.
    select
        basis,
        period_type,
        last_boundary + 1 as period_index,
        customer_key,
        plan,
        -1 as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        0 as churned_customers,
        0 as flash_customers
    from placed

    union all

    select
        basis,
        period_type,
        last_boundary as period_index,
        customer_key,
        plan,
        0 as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        1 as churned_customers,
        0 as flash_customers
    from placed
    where not is_continuing and last_boundary <= last_index

    union all

    -- Arrivals belong to the plan of the first start: nothing was in force when their period began.
    select
        basis,
        period_type,
        first_boundary - 1 as period_index,
        customer_key,
        first_plan as plan,
        0 as change_at_start,
        case when first_boundary - 1 = first_index then 1 else 0 end as new_customers,
        case when first_boundary - 1 = first_index then 0 else 1 end as reactivated_customers,
        0 as churned_customers,
        0 as flash_customers
    from placed
    where not is_continued

    union all

    -- Started in the period and gone before its end.
    select
        first_periods.basis,
        first_periods.period_type,
        first_periods.first_index as period_index,
        first_periods.customer_key,
        first_periods.first_plan as plan,
        0 as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        0 as churned_customers,
        1 as flash_customers
    from first_periods
    left join placed
        on
            first_periods.basis = placed.basis
            and first_periods.period_type = placed.period_type
            and first_periods.customer_key = placed.customer_key
            and placed.is_first
    where placed.first_boundary is null or placed.first_boundary > first_periods.first_index + 1

),

summed as (

    select
        ---------- ids
        movements.basis,
        movements.period_type,
        movements.period_index,

        ---------- text
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        coalesce(movements.plan, '(none)') as plan,

        ---------- numerics
        sum(movements.change_at_start) as change_at_start,
        sum(movements.new_customers) as new_customers,
        sum(movements.reactivated_customers) as reactivated_customers,
        sum(movements.churned_customers) as churned_customers,
        sum(movements.flash_customers) as flash_customers

    from movements
    inner join customers on movements.customer_key = customers.customer_key
    group by all

)

select * from summed
