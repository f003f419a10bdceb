-- One row per plan of the first contract, number of renewals and outcome: how many customers have this history.
with

tenures as (

    select * from {{ ref('int_contract_tenures') }}

),

histories as (

    select
        first_plan as plan,
        first_renewals as renewals,
        is_first_run_closed as is_closed,
        count(*) as customers

    from tenures
    group by first_plan, first_renewals, is_first_run_closed

)

select * from histories
