-- One row per customer: scores, segments and tiers that rank the customer among all others.
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

trailing_revenue as (

    select * from {{ ref('int_trailing_revenue') }}

),

scored as (

    select
        customer_key,
        {{ fifth('percent_rank() over (order by last_ordered_on)') }} as recency_score,
        {{ fifth('percent_rank() over (order by order_days)') }} as frequency_score,
        {{ fifth('percent_rank() over (order by net_amount)') }} as monetary_score

    from purchases

),

ranked as (

    select
        lifetime_values.*,
        -- Equal values share a rank; those that were added up from shares may differ in the last digits.
        percent_rank() over (order by round(cast(lifetime_values.lifetime_value as double), 6)) as value_rank

    from lifetime_values

),

segments as (

    select
        ---------- ids
        customers.customer_key,
        customers.account_id,

        ---------- numerics
        cast(scored.recency_score as integer) as recency_score,
        cast(scored.frequency_score as integer) as frequency_score,
        cast(scored.monetary_score as integer) as monetary_score,
        trailing_revenue.trailing_12_month_revenue,

        ---------- text
        case
            when scored.customer_key is null then null
            when scored.recency_score >= 4 and scored.frequency_score >= 4 and scored.monetary_score >= 4
                then 'champions'
            when scored.frequency_score >= 4 then 'loyal'
            when scored.recency_score <= 2 and (scored.frequency_score >= 3 or scored.monetary_score >= 4)
                then 'at_risk'
            when scored.recency_score >= 4 and scored.frequency_score <= 2 then 'new'
            when scored.recency_score = 3 and scored.frequency_score <= 2 then 'promising'
            else 'hibernating'
        end as rfm_segment,
        case
            when ranked.value_rank * 3 < 1 then 'low'
            when ranked.value_rank * 3 < 2 then 'medium'
            else 'high'
        end as value_tier,
        case
            when ranked.stay_probability * 3 < 1 then 'high'
            when ranked.stay_probability * 3 < 2 then 'medium'
            when ranked.stay_probability is not null then 'low'
        end as risk_tier,
        case
            when scored.customer_key is null then null
            {%- for floor, tier in loyalty_tiers() %}
                when coalesce(trailing_revenue.trailing_12_month_revenue, 0) >= {{ floor }} then '{{ tier }}'
            {%- endfor %}
        end as loyalty_tier

    from customers
    inner join ranked on customers.customer_key = ranked.customer_key
    left join scored on customers.customer_key = scored.customer_key
    left join trailing_revenue on customers.customer_key = trailing_revenue.customer_key

)

select * from segments
