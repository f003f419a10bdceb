-- One row per customer: what the customer has brought so far and, where a value model holds, will bring.
with

customers as (

    select * from {{ ref('int_customers') }}

),

purchases as (

    select * from {{ ref('int_purchase_summary') }}

),

lifetime_values as (

    select * from {{ ref('int_lifetime_values') }}

),

customer_lifetime_value as (

    select
        ---------- ids
        customers.account_id,

        ---------- text
        customers.segment,
        customers.country,
        lifetime_values.model,
        lifetime_values.not_modelled_reason,

        ---------- numerics
        cast(purchases.orders as bigint) as orders,
        cast(purchases.frequency as bigint) as frequency,
        cast(purchases.recency_days as double) / 7 as recency_weeks,
        cast(purchases.age_days as double) / 7 as age_weeks,
        {{ ratio('purchases.repeat_net_amount', 'purchases.frequency') }} as mean_order_value,
        lifetime_values.historical_value,
        lifetime_values.p_alive,
        lifetime_values.expected_purchases,
        lifetime_values.expected_order_value,
        lifetime_values.residual_value,
        lifetime_values.lifetime_value,
        cast(lifetime_values.horizon_months as integer) as horizon_months,
        lifetime_values.annual_discount_rate,

        ---------- timestamps
        purchases.first_order_at,
        purchases.last_order_at

    from customers
    inner join lifetime_values on customers.customer_key = lifetime_values.customer_key
    left join purchases on customers.customer_key = purchases.customer_key

)

select * from customer_lifetime_value
