-- One row per customer: scores, segments and tiers that rank the customer among all others.
with

segments as (

    select * from {{ ref('int_customer_segments') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

customer_segments as (

    select
        ---------- ids
        segments.account_id,

        ---------- text
        customers.segment,
        customers.country,
        segments.rfm_segment,
        segments.value_tier,
        segments.risk_tier,
        segments.loyalty_tier,

        ---------- numerics
        segments.recency_score,
        segments.frequency_score,
        segments.monetary_score

    from segments
    inner join customers on segments.customer_key = customers.customer_key

)

select * from customer_segments
