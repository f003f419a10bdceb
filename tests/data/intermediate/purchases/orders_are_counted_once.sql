-- Every current order of a customer is there once, for the amount that was delivered: no join lost or doubled one.
{{ config(meta={'proves_grain_of': 'int_orders: one row per order'}) }}
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

customer_accounts as (

    select account_id from {{ ref('int_accounts') }}
    where not is_test

),

delivered as (

    select
        count(*) as orders,
        coalesce(sum(rows_.reporting_amount), 0) as reporting_amount

    from {{ ref('int_rows__orders') }} as rows_
    cross join as_of
    where
        rows_.row_state = 'current'
        and rows_.refund_of_order_id is null
        and {{ is_before_as_of('rows_.ordered_at') }}
        and rows_.account_id in (select customer_accounts.account_id from customer_accounts)

),

counted as (

    select
        count(*) as orders,
        coalesce(sum(reporting_amount), 0) as reporting_amount

    from {{ ref('int_orders') }}

)

select
    delivered.orders as delivered_orders,
    counted.orders as counted_orders,
    delivered.reporting_amount as delivered_amount,
    counted.reporting_amount as counted_amount

from delivered
cross join counted
where
    delivered.orders <> counted.orders
    or delivered.reporting_amount <> counted.reporting_amount
