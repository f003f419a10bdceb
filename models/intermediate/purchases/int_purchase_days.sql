-- One row per customer and day with a qualifying order: the days that activity, cohorts and value models count.
with

orders as (

    select * from {{ ref('int_orders') }}
    where is_qualifying

),

days as (

    select
        customer_key,
        ordered_on,
        count(*) as orders,
        sum(net_amount) as net_amount,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at

    from orders
    group by customer_key, ordered_on

),

numbered as (

    select
        ---------- ids
        customer_key,
        ordered_on,

        ---------- numerics
        orders,
        net_amount,

        ---------- timestamps
        first_ordered_at,
        last_ordered_at,

        ---------- calculations
        row_number() over (partition by customer_key order by ordered_on) as day_number,
        lag(ordered_on) over (partition by customer_key order by ordered_on) as previous_ordered_on

    from days

)

select * from numbered
