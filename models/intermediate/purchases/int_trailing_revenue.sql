-- One row per customer with cash revenue in the twelve months before as_of: its sum.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

bookings as (

    select * from {{ ref('int_cash_bookings') }}

),

trailing_revenue as (

    select
        bookings.customer_key,
        sum(bookings.cash_amount) as trailing_12_month_revenue

    from bookings
    inner join as_of on {{ is_in_trailing_year('bookings.booked_on', 'as_of.as_of') }}
    group by bookings.customer_key

)

select * from trailing_revenue
