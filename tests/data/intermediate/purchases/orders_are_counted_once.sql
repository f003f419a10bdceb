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

),

broken_rules as (

    select
        'there are as many orders as current rows of customers' as broken_rule,
        concat_ws(' ', delivered.orders, counted.orders) as failing_row
    from delivered
    cross join counted
    where delivered.orders <> counted.orders

    union all

    select
        'they are worth what was delivered' as broken_rule,
        concat_ws(' ', delivered.reporting_amount, counted.reporting_amount) as failing_row
    from delivered
    cross join counted
    where delivered.reporting_amount <> counted.reporting_amount

)

select * from broken_rules
