-- One row per customer with a contract: how often it was renewed, in months, from the first start to the first churn
-- (for fitting), and since the start of the run in force (for scoring).
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

runs as (

    select * from {{ ref('int_activity_runs') }}
    where basis = 'contract'

),

starts as (

    select * from {{ ref('int_customer_starts') }}
    where basis = 'contract'

),

contracts as (

    select * from {{ ref('int_contracts') }}

),

seen as (

    select
        runs.customer_key,
        runs.run_number,
        runs.started_on,
        runs.ended_on < as_of.as_of as is_closed,
        {{ add_days('least(runs.ended_on, as_of.as_of)', -1) }} as final_day

    from runs
    cross join as_of

),

counted as (

    select
        customer_key,
        run_number,
        is_closed,
        -- The first month is bought, each further one renewed on the day of the month of the start (in a shorter month
        -- on its last day): a month that has begun counts as renewed.
        greatest(
            {{ period_index("'month'", 'final_day') }} - {{ period_index("'month'", 'started_on') }}
            - case
                when
                    extract(day from final_day)
                    < least(extract(day from started_on), extract(day from last_day(final_day)))
                    then 1
                else 0
            end,
            0
        ) as renewals

    from seen

),

first_runs as (

    select
        customer_key,
        is_closed,
        renewals
    from counted
    where run_number = 0

),

current_runs as (

    select
        customer_key,
        renewals
    from counted
    where not is_closed

),

in_force as (

    select
        contracts.customer_key,
        sum(contracts.mrr) as mrr,
        sum({{ money_share('contracts.mrr', 'contracts.margin_rate') }}) as monthly_margin,
        min_by(contracts.plan, contracts.precedence) as plan,
        case when count(contracts.ended_at) = count(*) then max(contracts.ended_at) end as contract_ends_at

    from contracts
    cross join as_of
    where contracts.in_force_until >= as_of.as_of
    group by contracts.customer_key

),

tenures as (

    select
        ---------- ids
        first_runs.customer_key,

        ---------- text
        starts.first_plan,
        in_force.plan as current_plan,

        ---------- numerics
        cast(first_runs.renewals as integer) as first_renewals,
        cast(current_runs.renewals as integer) as current_renewals,
        in_force.mrr,
        in_force.monthly_margin,

        ---------- booleans
        first_runs.is_closed as is_first_run_closed,

        ---------- timestamps
        in_force.contract_ends_at

    from first_runs
    inner join starts on first_runs.customer_key = starts.customer_key
    left join current_runs on first_runs.customer_key = current_runs.customer_key
    left join in_force on first_runs.customer_key = in_force.customer_key

)

select * from tenures
