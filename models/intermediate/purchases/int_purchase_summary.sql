-- One row per customer with a qualifying order: how often, how long and for how much the customer has bought.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

days as (

    select * from {{ ref('int_purchase_days') }}

),

summary as (

    select
        ---------- ids
        days.customer_key,

        ---------- numerics
        sum(days.orders) as orders,
        count(*) as order_days,
        count(*) - 1 as frequency,
        sum(days.net_amount) as net_amount,
        -- The first day is no repeat purchase.
        sum(case when days.day_number > 1 then days.net_amount end) as repeat_net_amount,
        {{ days_between('min(days.ordered_on)', 'max(days.ordered_on)') }} as recency_days,
        {{ days_between('min(days.ordered_on)', 'max(as_of.as_of)') }} as age_days,

        ---------- timestamps
        min(days.ordered_on) as first_ordered_on,
        max(days.ordered_on) as last_ordered_on,
        min(days.first_ordered_at) as first_order_at,
        max(days.last_ordered_at) as last_order_at

    from days
    cross join as_of
    group by days.customer_key

)

select * from summary
