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
        delivered.account_id,
        cast(delivered.ordered_at as date) as ordered_on

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
        refunds.exchange_rate,
        refunds.reporting_amount,
        refunds.margin,
        refunds.ordered_at,
        refunded_orders.order_id is not null as is_order_known,
        coalesce(refunded_orders.account_id, refunds.account_id) as account_id,
        coalesce(refunds.currency, '{{ var("reporting_currency") }}') as rate_currency,
        refunded_orders.ordered_on as rate_date

    from refunds
    left join refunded_orders on refunds.refund_of_order_id = refunded_orders.order_id

),

-- At the rate of the day of the order, so that a full refund leaves exactly nothing of it. Of a currency that had no
-- rate on that day, the refund's own rate is all that is known.
rated as (

    select
        attributed.*,
        {{ money_product(
            'attributed.amount', 'coalesce(' ~ exchange_rate_of('attributed') ~ ', attributed.exchange_rate)'
        ) }} as amount_of_order_day

    from attributed
    {{ exchange_rate_joins('attributed') }}

),

identified as (

    select
        ---------- ids
        rated.order_id,
        rated.refund_of_order_id,
        accounts.customer_key,

        ---------- numerics
        rated.reporting_amount,
        rated.amount_of_order_day,
        {{ money_share(
            'rated.reporting_amount', margin_rate('products', stated='rated.margin')
        ) }} as net_margin,

        ---------- booleans
        rated.is_order_known,

        ---------- timestamps
        cast(rated.ordered_at as date) as refunded_on

    from rated
    inner join accounts on rated.account_id = accounts.account_id
    left join products on rated.product_id = products.product_id

)

select * from identified
