-- One row per order that exists at as_of: its net amount after its refunds, in the reporting currency. As narrow as
-- what reads it needs: the order itself is found in int_rows__orders.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

delivered as (

    {{ current_rows_before_as_of(ref('int_rows__orders'), 'ordered_at') }}

),

products as (

    select * from {{ ref('int_rows__products') }}
    where row_state = 'current'

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

refunds as (

    select
        refund_of_order_id,
        sum(amount_of_order_day) as amount

    from {{ ref('int_refunds') }}
    where is_order_known
    group by refund_of_order_id

),

netted as (

    select
        accounts.customer_key,
        delivered.ordered_at,
        cast(delivered.ordered_at as date) as ordered_on,
        delivered.reporting_amount,
        delivered.reporting_amount + coalesce(refunds.amount, 0) as net_amount,
        {{ margin_rate('products', stated='delivered.margin') }} as margin_rate

    from delivered
    inner join accounts on delivered.account_id = accounts.account_id
    left join refunds on delivered.order_id = refunds.refund_of_order_id
    left join products on delivered.product_id = products.product_id
    where delivered.refund_of_order_id is null

),

orders as (

    select
        ---------- ids
        customer_key,

        ---------- numerics
        reporting_amount,
        net_amount,
        {{ money_share('net_amount', 'margin_rate') }} as net_margin,

        ---------- booleans
        net_amount > 0 as is_qualifying,

        ---------- timestamps
        ordered_at,
        ordered_on

    from netted

)

select * from orders
