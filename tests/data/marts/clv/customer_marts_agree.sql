-- Every mart with one row per customer has all customers, and they say the same about each.
with

customers as (

    select * from {{ ref('int_customers') }}

),

customer_lifetime_value as (

    select * from {{ ref('customer_lifetime_value') }}

),

customer_segments as (

    select * from {{ ref('customer_segments') }}

),

customer_losses as (

    select * from {{ ref('customer_losses') }}

),

customer_360 as (

    select * from {{ ref('customer_360') }}

),

value_at_risk as (

    select * from {{ ref('value_at_risk') }}

),

together as (

    select
        customers.account_id,
        customer_lifetime_value.orders,
        customer_lifetime_value.last_order_at,
        customer_lifetime_value.lifetime_value,
        customer_lifetime_value.residual_value,
        customer_segments.recency_score,
        customer_segments.frequency_score,
        customer_segments.monetary_score,
        customer_segments.rfm_segment,
        customer_segments.value_tier,
        customer_segments.risk_tier,
        customer_segments.loyalty_tier,
        customer_360.account_id is not null and customer_segments.account_id is not null as is_in_all,
        customer_360.lifetime_value is not distinct from customer_lifetime_value.lifetime_value
        and customer_360.last_order_at is not distinct from customer_lifetime_value.last_order_at
        and customer_360.value_tier is not distinct from customer_segments.value_tier
        and customer_360.risk_tier is not distinct from customer_segments.risk_tier
        and customer_360.rfm_segment is not distinct from customer_segments.rfm_segment
        and customer_360.loyalty_tier is not distinct from customer_segments.loyalty_tier
        and customer_360.status_contract is not distinct from customer_losses.status_contract
        and customer_360.status_purchase is not distinct from customer_losses.status_purchase as is_alike

    from customers
    left join customer_lifetime_value on customers.account_id = customer_lifetime_value.account_id
    left join customer_segments on customers.account_id = customer_segments.account_id
    left join customer_losses on customers.account_id = customer_losses.account_id
    left join customer_360 on customers.account_id = customer_360.account_id

),

row_counts as (

    select
        'customers' as mart,
        count(*) as mart_rows
    from customers

    union all

    select
        'customer_segments' as mart,
        count(*) as mart_rows
    from customer_segments

    union all

    select
        'customer_360' as mart,
        count(*) as mart_rows
    from customer_360

    union all

    select
        'value_at_risk' as mart,
        coalesce(sum(customers), 0) as mart_rows
    from value_at_risk

),

tiers as (

    select
        value_tier,
        coalesce(risk_tier, '(unknown)') as risk_tier,
        count(*) as customers,
        sum(residual_value) as residual_value

    from together
    group by value_tier, coalesce(risk_tier, '(unknown)')

),

open_deals as (

    select
        count(deals.deal_id) as open_deals,
        coalesce(sum(deals.amount), 0) as open_amount

    from {{ ref('int_deals') }} as deals
    inner join customers on deals.customer_key = customers.customer_key
    where deals.outcome = 'open' and deals.began_at is not null

),

pages as (

    select
        coalesce(sum(open_deals), 0) as open_deals,
        coalesce(sum(open_amount), 0) as open_amount,
        coalesce(sum(mrr), 0) as mrr

    from customer_360

),

last_revenue as (

    select coalesce(max(mrr_at_end), 0) as mrr

    from (
        select
            mrr_at_end,
            row_number() over (order by period_start desc) as periods_from_last
        from {{ ref('revenue_retention') }}
        where period_type = 'month' and dimension = 'all'
    ) as monthly_ends
    where periods_from_last = 1

),

broken_rules as (

    select
        'every customer is in every mart of customers' as broken_rule,
        account_id as failing_row
    from together
    where not is_in_all

    union all

    select
        'nobody else is' as broken_rule,
        counted.mart as failing_row
    from row_counts as counted
    inner join row_counts as expected on expected.mart = 'customers'
    where counted.mart_rows <> expected.mart_rows

    union all

    select
        'a customer is the same in every mart' as broken_rule,
        account_id as failing_row
    from together
    where not is_alike

    union all

    select
        'who bought has scores and a segment, and nobody else' as broken_rule,
        account_id as failing_row
    from together
    where
        (orders is null) <> (recency_score is null)
        or (orders is null) <> (frequency_score is null)
        or (orders is null) <> (monetary_score is null)
        or (orders is null) <> (rfm_segment is null)
        or (orders is null and loyalty_tier is not null)

    union all

    select
        'the segment follows from the scores' as broken_rule,
        account_id as failing_row
    from together
    where
        rfm_segment <> case
            when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
            when frequency_score >= 4 then 'loyal'
            when recency_score <= 2 and (frequency_score >= 3 or monetary_score >= 4) then 'at_risk'
            when recency_score >= 4 and frequency_score <= 2 then 'new'
            when recency_score = 3 and frequency_score <= 2 then 'promising'
            else 'hibernating'
        end

    union all

    select
        'both tiers hold the customers and their residual value' as broken_rule,
        concat_ws(' ', tiers.value_tier, tiers.risk_tier) as failing_row
    from tiers
    left join value_at_risk
        on tiers.value_tier = value_at_risk.value_tier and tiers.risk_tier = value_at_risk.risk_tier
    where
        value_at_risk.customers is null
        or value_at_risk.customers <> tiers.customers
        or value_at_risk.residual_value is distinct from tiers.residual_value

    union all

    select
        'open deals of all pages are all open deals of customers' as broken_rule,
        'customer_360' as failing_row
    from pages
    cross join open_deals
    where pages.open_deals <> open_deals.open_deals or pages.open_amount <> open_deals.open_amount

    union all

    select
        'the revenue of all pages is that of the last end' as broken_rule,
        'customer_360' as failing_row
    from pages
    cross join last_revenue
    where pages.mrr <> last_revenue.mrr

)

select * from broken_rules
