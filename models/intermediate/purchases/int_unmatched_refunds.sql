-- One row per refund before as_of whose order is unknown, quarantined or itself a refund: it only lowers the historical
-- value of its own account.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

delivered as (

    select rows_.*
    from {{ ref('int_rows__orders') }} as rows_
    cross join as_of
    where rows_.row_state = 'current' and {{ is_before_as_of('rows_.ordered_at') }}

),

products as (

    select * from {{ ref('int_rows__products') }}
    where row_state = 'current'

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

refunded_orders as (

    select order_id from delivered
    where refund_of_order_id is null

),

unmatched as (

    select
        ---------- ids
        delivered.order_id,
        accounts.customer_key,

        ---------- numerics
        delivered.reporting_amount,
        {{ money_share(
            'delivered.reporting_amount',
            'coalesce(delivered.margin, products.gross_margin_rate, ' ~ var('gross_margin_rate') ~ ')'
        ) }} as net_margin

    from delivered
    inner join accounts on delivered.account_id = accounts.account_id
    left join products on delivered.product_id = products.product_id
    where
        delivered.refund_of_order_id is not null
        -- Not as an outer join: DuckDB 2.0.0 forgets the filter of a shared CTE when it turns one into an anti-join.
        and not exists (
            select 1 from refunded_orders
            where refunded_orders.order_id = delivered.refund_of_order_id
        )

)

select * from unmatched
