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

period_types as (

    select distinct period_type from {{ ref('int_periods') }}

),

profiles as (

    {{ numbered_profiles('customers', customer_dimensions()) }}

),

dated_starts as (

    select
        starts.basis,
        starts.customer_key,
        starts.first_plan,
        profiles.profile_number,
        {{ period_index("'month'", 'starts.started_on') }} as first_month

    from starts
    inner join customers on starts.customer_key = customers.customer_key
    inner join profiles on {{ has_profile('customers', customer_dimensions()) }}

),

placed as (

    select
        boundaries.basis,
        boundaries.period_type,
        boundaries.first_boundary,
        boundaries.last_boundary,
        boundaries.plan,
        boundaries.is_continued,
        dated_starts.profile_number,
        dated_starts.first_plan,
        {{ period_of_month('boundaries.period_type', 'dated_starts.first_month') }} as first_index,
        boundaries.is_lost

    from boundaries
    inner join dated_starts
        on
            boundaries.basis = dated_starts.basis
            and boundaries.customer_key = dated_starts.customer_key

),

monthly_starts as (

    select
        basis,
        first_month,
        profile_number,
        first_plan,
        count(*) as customers

    from dated_starts
    group by basis, first_month, profile_number, first_plan

),

movements as (

    -- The number at the start of a period changes where a range begins …
    select
        basis,
        period_type,
        first_boundary as period_index,
        profile_number,
        plan,
        count(*) as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        0 as churned_customers,
        0 as flash_customers
    from placed
    group by basis, period_type, first_boundary, profile_number, plan

    union all

    -- … and after it ends; where no range follows, the customer left in the period in between.
    select
        basis,
        period_type,
        last_boundary + 1 as period_index,
        profile_number,
        plan,
        -count(*) as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        0 as churned_customers,
        0 as flash_customers
    from placed
    group by basis, period_type, last_boundary, profile_number, plan

    union all

    select
        basis,
        period_type,
        last_boundary as period_index,
        profile_number,
        plan,
        0 as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        count(*) as churned_customers,
        0 as flash_customers
    from placed
    where is_lost
    group by basis, period_type, last_boundary, profile_number, plan

    union all

    -- Arrivals belong to the plan of the first start: nothing was in force when their period began.
    select
        basis,
        period_type,
        first_boundary - 1 as period_index,
        profile_number,
        first_plan as plan,
        0 as change_at_start,
        count(case when first_boundary - 1 = first_index then 1 end) as new_customers,
        count(case when first_boundary - 1 <> first_index then 1 end) as reactivated_customers,
        0 as churned_customers,
        -- Who started in the period was still there at its end …
        -count(case when first_boundary - 1 = first_index then 1 end) as flash_customers
    from placed
    where not is_continued
    group by basis, period_type, first_boundary, profile_number, first_plan

    union all

    -- … or was gone before it.
    select
        monthly_starts.basis,
        period_types.period_type,
        {{ period_of_month('period_types.period_type', 'monthly_starts.first_month') }} as period_index,
        monthly_starts.profile_number,
        monthly_starts.first_plan as plan,
        0 as change_at_start,
        0 as new_customers,
        0 as reactivated_customers,
        0 as churned_customers,
        monthly_starts.customers as flash_customers
    from monthly_starts
    cross join period_types

),

summed as (

    select
        basis,
        period_type,
        period_index,
        profile_number,
        plan,
        sum(change_at_start) as change_at_start,
        sum(new_customers) as new_customers,
        sum(reactivated_customers) as reactivated_customers,
        sum(churned_customers) as churned_customers,
        sum(flash_customers) as flash_customers

    from movements
    group by basis, period_type, period_index, profile_number, plan

),

retention_movements as (

    select
        ---------- ids
        summed.basis,
        summed.period_type,
        summed.period_index,

        ---------- text
        {%- for dimension in customer_dimensions() %}
            profiles.{{ dimension }},
        {%- endfor %}
        coalesce(summed.plan, '(none)') as plan,

        ---------- numerics
        summed.change_at_start,
        summed.new_customers,
        summed.reactivated_customers,
        summed.churned_customers,
        summed.flash_customers

    from summed
    inner join profiles on summed.profile_number = profiles.profile_number

)

select * from retention_movements
