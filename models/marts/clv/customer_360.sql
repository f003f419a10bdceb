-- One row per customer: what the warehouse knows about the customer, on one page.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

states as (

    select * from {{ ref('int_customer_states') }}

),

segments as (

    select * from {{ ref('int_customer_segments') }}

),

lifetime_values as (

    select * from {{ ref('int_lifetime_values') }}

),

purchases as (

    select * from {{ ref('int_purchase_summary') }}

),

touches as (

    select
        accounts.customer_key,
        max(activities.occurred_at) as last_touch_at

    from {{ ref('int_rows__activities') }} as activities
    cross join as_of
    inner join accounts on activities.account_id = accounts.account_id
    where {{ is_current_before_as_of('activities', 'occurred_at') }}
    group by accounts.customer_key

),

scores as (

    select
        accounts.customer_key,
        responses.score,
        responses.responded_at

    from {{ ref('int_rows__survey_responses') }} as responses
    cross join as_of
    inner join {{ ref('int_survey_scales') }} as scales on responses.survey = scales.survey_id
    inner join accounts on responses.account_id = accounts.account_id
    where
        {{ is_current_before_as_of('responses', 'responded_at') }}
        and responses.score is not null
        and scales.survey_type = 'nps'
    qualify
        row_number() over (
            partition by accounts.customer_key order by responses.responded_at desc, responses.response_id desc
        ) = 1

),

open_deals as (

    select
        customer_key,
        count(*) as open_deals,
        sum(amount) as open_amount

    from {{ ref('int_deals') }}
    where outcome = 'open' and began_at is not null
    group by customer_key

),

customer_360 as (

    select
        ---------- ids
        customers.account_id,

        ---------- text
        customers.account_name,
        customers.segment,
        customers.country,
        states.status_contract,
        states.status_purchase,
        segments.value_tier,
        segments.risk_tier,
        segments.rfm_segment,
        segments.loyalty_tier,

        ---------- numerics
        lifetime_values.lifetime_value,
        cast(scores.score as integer) as last_nps_score,
        cast(coalesce(open_deals.open_deals, 0) as bigint) as open_deals,
        cast(coalesce(open_deals.open_amount, 0) as decimal(38, 14)) as open_amount,
        cast(coalesce(lifetime_values.mrr, 0) as decimal(38, 14)) as mrr,

        ---------- booleans
        customers.is_inferred,

        ---------- timestamps
        purchases.last_order_at,
        touches.last_touch_at,
        scores.responded_at as last_nps_at,
        lifetime_values.contract_ends_at

    from customers
    inner join segments on customers.customer_key = segments.customer_key
    inner join lifetime_values on customers.customer_key = lifetime_values.customer_key
    left join states on customers.customer_key = states.customer_key
    left join purchases on customers.customer_key = purchases.customer_key
    left join touches on customers.customer_key = touches.customer_key
    left join scores on customers.customer_key = scores.customer_key
    left join open_deals on customers.customer_key = open_deals.customer_key

)

select * from customer_360
