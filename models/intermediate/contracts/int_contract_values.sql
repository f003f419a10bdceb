-- One row per contract period: the margin it has earned up to as_of, each day at its share of the calendar month.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

contracts as (

    select * from {{ ref('int_contracts') }}

),

earned as (

    select
        contracts.subscription_id,
        contracts.customer_key,
        contracts.started_at,
        contracts.started_on,
        contracts.mrr,
        contracts.margin_rate,
        least(contracts.ended_on, as_of.as_of) as earned_until

    from contracts
    cross join as_of

),

contract_values as (

    select
        ---------- ids
        subscription_id,
        customer_key,
        started_at,

        ---------- numerics
        {{ money_share('mrr', 'margin_rate * ' ~ months_between('started_on', 'earned_until')) }} as earned_margin

    from earned

)

select * from contract_values
