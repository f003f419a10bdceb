-- One row per refund before as_of. It belongs to the customer of its order; one whose order is unknown, quarantined or
-- itself a refund belongs to its own account, and only lowers the historical value there.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

delivered as (

    {{ current_rows_before_as_of(ref('int_rows__orders'), 'ordered_at') }}

),

refunds as (

    select * from delivered
    where refund_of_order_id is not null

),

-- The few orders that were refunded, out of all of them.
refunded_orders as (

    select
        delivered.order_id,
        delivered.account_id

    from delivered
    where
        delivered.refund_of_order_id is null
        and delivered.order_id in (select refunds.refund_of_order_id from refunds)

),

products as (

    select * from {{ ref('int_rows__products') }}
    where row_state = 'current'

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

attributed as (

    select
        refunds.order_id,
        refunds.refund_of_order_id,
        refunds.product_id,
        refunds.amount,
        refunds.reporting_amount,
        refunds.margin,
        refunds.ordered_at,
        refunded_orders.order_id is not null as is_order_known,
        coalesce(refunded_orders.account_id, refunds.account_id) as account_id

    from refunds
    left join refunded_orders on refunds.refund_of_order_id = refunded_orders.order_id

),

identified as (

    select
        ---------- ids
        attributed.order_id,
        attributed.refund_of_order_id,
        accounts.customer_key,

        ---------- numerics
        attributed.amount,
        attributed.reporting_amount,
        {{ money_share(
            'attributed.reporting_amount', margin_rate('products', stated='attributed.margin')
        ) }} as net_margin,

        ---------- booleans
        attributed.is_order_known,

        ---------- timestamps
        cast(attributed.ordered_at as date) as refunded_on

    from attributed
    inner join accounts on attributed.account_id = accounts.account_id
    left join products on attributed.product_id = products.product_id

)

select * from identified
