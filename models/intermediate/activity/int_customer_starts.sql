-- One row per basis and customer who ever started: the first start, and the plan of the first contract.
with

purchase_starts as (

    select
        'purchase' as basis,
        customer_key,
        cast(null as string) as first_plan,
        min(ordered_on) as started_on

    from {{ ref('int_purchase_days') }}
    group by customer_key

),

contract_starts as (

    select
        'contract' as basis,
        customer_key,
        plan as first_plan,
        started_on

    from {{ ref('int_contracts') }}
    qualify row_number() over (partition by customer_key order by started_at, subscription_id) = 1

),

starts as (

    select * from purchase_starts

    union all

    select * from contract_starts

)

select * from starts
