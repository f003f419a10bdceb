-- One row per customer: what orders and contracts have brought so far, and what the value models expect on top.
with

customers as (

    select * from {{ ref('int_customers') }}

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

    from {{ ref('int_refunds') }}
    where not is_order_known
    group by customer_key

),

contract_margins as (

    select
        customer_key,
        sum(earned_margin) as earned_margin

    from {{ ref('int_contract_values') }}
    group by customer_key

),

expectations as (

    select * from {{ ref('int_customer_values') }}

),

historical as (

    select
        customers.customer_key,
        coalesce(order_margins.net_margin, 0)
        + coalesce(refund_margins.net_margin, 0)
        + coalesce(contract_margins.earned_margin, 0) as historical_value

    from customers
    left join order_margins on customers.customer_key = order_margins.customer_key
    left join refund_margins on customers.customer_key = refund_margins.customer_key
    left join contract_margins on customers.customer_key = contract_margins.customer_key

),

lifetime_values as (

    select
        ---------- ids
        historical.customer_key,

        ---------- text
        expectations.model,
        expectations.not_modelled_reason,

        ---------- numerics
        cast(historical.historical_value as decimal(38, 10)) as historical_value,
        expectations.residual_value,
        cast(historical.historical_value + coalesce(expectations.residual_value, 0) as decimal(38, 10))
            as lifetime_value,
        expectations.p_alive,
        expectations.expected_purchases,
        expectations.expected_order_value,
        expectations.stay_probability,
        expectations.mrr,
        expectations.horizon_months,
        expectations.annual_discount_rate,

        ---------- timestamps
        expectations.contract_ends_at

    from historical
    inner join expectations on historical.customer_key = expectations.customer_key

)

select * from lifetime_values
