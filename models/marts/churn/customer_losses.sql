-- One row per customer: the three independent ways of losing one, each with the moment it happened.
with

customers as (

    select * from {{ ref('int_customers') }}

),

states as (

    select * from {{ ref('int_customer_states') }}

),

reach as (

    select * from {{ ref('int_email_reach') }}

),

customer_losses as (

    select
        ---------- ids
        customers.account_id,

        ---------- text
        customers.segment,
        customers.country,
        states.status_contract,
        states.status_purchase,

        ---------- timestamps
        states.stopped_buying_at,
        reach.unsubscribed_at,
        states.contract_closed_at,

        ---------- calculations
        -- Losing the contract weighs more than silence; to unsubscribe alone is no loss.
        case
            when states.status_contract = 'churned' then 'contract_closed'
            when states.status_purchase = 'churned' then 'stopped_buying'
        end as primary_loss_type,
        coalesce(reach.is_reachable, true) as is_reachable

    from customers
    left join states on customers.customer_key = states.customer_key
    left join reach on customers.customer_key = reach.customer_key

)

select * from customer_losses
