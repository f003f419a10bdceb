-- One row per customer and uninterrupted run of activity, by basis. A customer is active at the midnights after
-- started_on up to and including ended_on. A run that goes on has an ended_on at or after as_of.
with

inactivity_window as (

    select * from {{ ref('int_inactivity_window') }}

),

purchase_days as (

    select
        customer_key,
        ordered_on,
        previous_ordered_on

    from {{ ref('int_purchase_days') }}

),

-- Purchases: each order day keeps its customer active for the inactivity window; a run begins where the days before it
-- no longer do.
purchase_run_starts as (

    select
        days.customer_key,
        days.ordered_on as started_on,
        row_number() over (partition by days.customer_key order by days.ordered_on) as run_place,
        lead(days.previous_ordered_on) over (partition by days.customer_key order by days.ordered_on)
            as last_ordered_on

    from purchase_days as days
    cross join inactivity_window
    where
        days.previous_ordered_on is null
        or days.ordered_on > {{ add_days('days.previous_ordered_on', 'inactivity_window.inactivity_days') }}

),

-- The last run of a customer ends with the last order day of all.
last_days as (

    select
        customer_key,
        max(ordered_on) as last_ordered_on

    from purchase_days
    group by customer_key

),

purchase_runs as (

    select
        'purchase' as basis,
        purchase_run_starts.customer_key,
        purchase_run_starts.run_place - 1 as run_number,
        purchase_run_starts.started_on,
        {{ add_days(
            'coalesce(purchase_run_starts.last_ordered_on, last_days.last_ordered_on)',
            'inactivity_window.inactivity_days'
        ) }} as ended_on

    from purchase_run_starts
    cross join inactivity_window
    inner join last_days on purchase_run_starts.customer_key = last_days.customer_key

),

-- Contracts: each period keeps its customer active while it is in force.
contracts as (

    select
        customer_key,
        started_on,
        in_force_until as ended_on,
        max(in_force_until) over (
            partition by customer_key
            order by started_on, in_force_until
            rows between unbounded preceding and 1 preceding
        ) as covered_until

    from {{ ref('int_contracts') }}

),

numbered_contracts as (

    select
        customer_key,
        started_on,
        ended_on,
        sum(case when started_on > covered_until then 1 else 0 end) over (
            partition by customer_key
            order by started_on, ended_on
            rows between unbounded preceding and current row
        ) as run_number

    from contracts

),

contract_runs as (

    select
        'contract' as basis,
        customer_key,
        run_number,
        min(started_on) as started_on,
        max(ended_on) as ended_on

    from numbered_contracts
    group by customer_key, run_number

),

all_runs as (

    select * from purchase_runs

    union all

    select * from contract_runs

),

runs as (

    select
        ---------- ids
        basis,
        customer_key,
        run_number,

        ---------- timestamps
        started_on,
        ended_on

    from all_runs

)

select * from runs
