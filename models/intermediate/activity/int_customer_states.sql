-- One row per customer who ever started: active or churned at as_of by contract and by purchase, and since when.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

runs as (

    select * from {{ ref('int_activity_runs') }}

),

contracts as (

    select * from {{ ref('int_contracts') }}

),

last_runs as (

    select
        customer_key,
        max(case when basis = 'contract' then ended_on end) as contract_ended_on,
        max(case when basis = 'purchase' then ended_on end) as purchase_ended_on

    from runs
    group by customer_key

),

last_contracts as (

    select
        customer_key,
        max(ended_at) as last_ended_at

    from contracts
    group by customer_key

),

states as (

    select
        ---------- ids
        last_runs.customer_key,

        ---------- text
        case
            when last_runs.contract_ended_on < as_of.as_of then 'churned'
            when last_runs.contract_ended_on is not null then 'active'
        end as status_contract,
        case
            when last_runs.purchase_ended_on < as_of.as_of then 'churned'
            when last_runs.purchase_ended_on is not null then 'active'
        end as status_purchase,

        ---------- timestamps
        case when last_runs.contract_ended_on < as_of.as_of then last_contracts.last_ended_at end
            as contract_closed_at,
        case when last_runs.purchase_ended_on < as_of.as_of then cast(last_runs.purchase_ended_on as timestamp) end
            as stopped_buying_at

    from last_runs
    cross join as_of
    left join last_contracts on last_runs.customer_key = last_contracts.customer_key

)

select * from states
