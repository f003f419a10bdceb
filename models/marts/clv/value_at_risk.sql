-- One row per value tier and risk tier: how many customers are in it and how much revenue and value they stand for.
with

segments as (

    select * from {{ ref('int_customer_segments') }}

),

lifetime_values as (

    select * from {{ ref('int_lifetime_values') }}

),

value_at_risk as (

    select
        ---------- ids
        segments.value_tier,

        ---------- calculations
        cast(coalesce(sum(segments.trailing_12_month_revenue), 0) as decimal(38, 14)) as trailing_12_month_revenue,
        cast(coalesce(sum(lifetime_values.mrr), 0) as decimal(38, 14)) as mrr,
        cast(sum(lifetime_values.residual_value) as decimal(38, 10)) as residual_value,
        coalesce(segments.risk_tier, '(unknown)') as risk_tier,
        count(*) as customers

    from segments
    inner join lifetime_values on segments.customer_key = lifetime_values.customer_key
    group by segments.value_tier, coalesce(segments.risk_tier, '(unknown)')

)

select * from value_at_risk
