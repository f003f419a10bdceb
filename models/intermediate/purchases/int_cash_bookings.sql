-- One row per customer and day with orders or refunds before as_of: the money that came in, each booking at its own
-- date and rate. Refunds belong to the customer of their order; refunds of unknown orders are in no revenue.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

refunds as (

    select
        orders.customer_key,
        cast(refunds.ordered_at as date) as booked_on,
        refunds.reporting_amount

    from {{ ref('int_rows__orders') }} as refunds
    cross join as_of
    inner join orders on refunds.refund_of_order_id = orders.order_id
    where refunds.row_state = 'current' and {{ is_before_as_of('refunds.ordered_at') }}

),

bookings as (

    select
        customer_key,
        ordered_on as booked_on,
        reporting_amount
    from orders

    union all

    select * from refunds

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
