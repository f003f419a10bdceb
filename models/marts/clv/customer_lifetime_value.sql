-- One row per customer: what the customer has brought so far and, where a value model holds, will bring.
with

customers as (

    select * from {{ ref('int_customers') }}

),

purchases as (

    select * from {{ ref('int_purchase_summary') }}

),

order_margins as (

    select
        customer_key,
        sum(net_margin) as net_margin

    from {{ ref('int_orders') }}
    group by customer_key

),

refund_margins as (

    select
        customer_key,
        sum(net_margin) as net_margin

    from {{ ref('int_unmatched_refunds') }}
    group by customer_key

),

contract_margins as (

    select
        customer_key,
        sum(earned_margin) as earned_margin

    from {{ ref('int_contract_values') }}
    group by customer_key

),

repeaters as (

    select count(*) as customers from purchases
    where frequency > 0

),

valued as (

    select
        customers.*,
        purchases.orders,
        purchases.frequency,
        purchases.recency_days,
        purchases.age_days,
        purchases.repeat_net_amount,
        purchases.first_order_at,
        purchases.last_order_at,
        coalesce(order_margins.net_margin, 0)
        + coalesce(refund_margins.net_margin, 0)
        + coalesce(contract_margins.earned_margin, 0) as historical_value,
        case
            when purchases.customer_key is null and contract_margins.customer_key is null then 'never_bought'
            when purchases.customer_key is null then 'contracts_not_modelled'
            when repeaters.customers < {{ var('clv_minimum_repeaters') }} then 'too_few_repeat_customers'
            else 'orders_not_modelled'
        end as not_modelled_reason

    from customers
    cross join repeaters
    left join purchases on customers.customer_key = purchases.customer_key
    left join order_margins on customers.customer_key = order_margins.customer_key
    left join refund_margins on customers.customer_key = refund_margins.customer_key
    left join contract_margins on customers.customer_key = contract_margins.customer_key

),

customer_lifetime_value as (

    select
        ---------- ids
        account_id,

        ---------- text
        segment,
        country,
        cast(null as string) as model,
        not_modelled_reason,

        ---------- numerics
        cast(orders as bigint) as orders,
        cast(frequency as bigint) as frequency,
        cast(recency_days as double) / 7 as recency_weeks,
        cast(age_days as double) / 7 as age_weeks,
        {{ ratio('repeat_net_amount', 'frequency') }} as mean_order_value,
        cast(historical_value as decimal(38, 10)) as historical_value,
        cast(null as double) as p_alive,
        cast(null as double) as expected_purchases,
        cast(null as double) as expected_order_value,
        cast(null as decimal(38, 10)) as residual_value,
        cast(historical_value as decimal(38, 10)) as lifetime_value,
        cast({{ var('clv_horizon_months') }} as integer) as horizon_months,
        cast({{ var('clv_annual_discount_rate') }} as double) as annual_discount_rate,

        ---------- timestamps
        first_order_at,
        last_order_at

    from valued

)

select * from customer_lifetime_value
