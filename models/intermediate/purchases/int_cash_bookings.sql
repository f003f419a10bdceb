-- One row per customer and day with orders or refunds before as_of: the money that came in, each booking at its own
-- date and rate. Refunds belong to the customer of their order; refunds of unknown orders are in no revenue.
with

orders as (

    select * from {{ ref('int_orders') }}

),

refunds as (

    select * from {{ ref('int_refunds') }}
    where is_order_known

),

bookings as (

    select
        customer_key,
        ordered_on as booked_on,
        reporting_amount
    from orders

    union all

    select
        customer_key,
        refunded_on as booked_on,
        reporting_amount
    from refunds

),

daily as (

    select
        customer_key,
        booked_on,
        sum(reporting_amount) as cash_amount

    from bookings
    group by customer_key, booked_on

)

select * from daily
