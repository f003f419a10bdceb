-- One row per horizon, month of the first order and dimension value: how many of the customers whose horizon is over
-- ordered again within it.
{#- Part of the grain that the mart promises, and so no var. #}
{%- set horizons_of_days = [30, 90, 180, 365] %}
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

days as (

    select * from {{ ref('int_purchase_days') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

horizons as (

    {% for horizon_days in horizons_of_days %}
        select {{ horizon_days }} as horizon_days{{ ' union all' if not loop.last }}
    {% endfor %}

),

firsts as (

    select
        customer_key,
        min(ordered_on) as first_ordered_on,
        min(case when day_number = 2 then ordered_on end) as second_ordered_on

    from days
    group by customer_key

),

observed as (

    select
        horizons.horizon_days,
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        {{ period_index("'month'", 'firsts.first_ordered_on') }} as cohort_index,
        case
            when firsts.second_ordered_on < {{ add_days('firsts.first_ordered_on', 'horizons.horizon_days') }} then 1
            else 0
        end as is_repeater

    from firsts
    cross join as_of
    cross join horizons
    inner join customers on firsts.customer_key = customers.customer_key
    where {{ add_days('firsts.first_ordered_on', 'horizons.horizon_days') }} <= as_of.as_of

),

counted as (

    {{ grouped_by_dimension(
        relation='observed',
        keys=['horizon_days', 'cohort_index'],
        dimensions=customer_dimensions(),
        measures={'customers': 'count(*)', 'repeaters': 'sum(is_repeater)'}
    ) }}

),

repeat_purchase_rate as (

    select
        ---------- ids
        cast(horizon_days as integer) as horizon_days,
        {{ period_start("'month'", 'cohort_index') }} as cohort_start,
        dimension,
        dimension_value,

        ---------- numerics
        cast(customers as bigint) as customers,
        cast(repeaters as bigint) as repeaters,
        {{ ratio('repeaters', 'customers') }} as repeat_purchase_rate

    from counted

)

select * from repeat_purchase_rate
