-- One row per customer and uninterrupted run of activity, by basis. A customer is active at the midnights after
-- started_on up to and including ended_on. A run that goes on has an ended_on at or after as_of.
with

inactivity_window as (

    select * from {{ ref('int_inactivity_window') }}

),

-- Purchases: each order day keeps its customer active for the inactivity window.
-- Contracts: each period keeps its customer active while it is in force.
intervals as (

    select
        'purchase' as basis,
        days.customer_key,
        days.ordered_on as started_on,
        {{ add_days('days.ordered_on', 'inactivity_window.inactivity_days') }} as ended_on

    from {{ ref('int_purchase_days') }} as days
    cross join inactivity_window

    union all

    select
        'contract' as basis,
        customer_key,
        started_on,
        in_force_until as ended_on

    from {{ ref('int_contracts') }}

),

covered as (

    select
        *,
        max(ended_on) over (
            partition by basis, customer_key
            order by started_on, ended_on
            rows between unbounded preceding and 1 preceding
        ) as covered_until

    from intervals

),

numbered as (

    select
        *,
        sum(case when started_on > covered_until then 1 else 0 end) over (
            partition by basis, customer_key
            order by started_on, ended_on
            rows between unbounded preceding and current row
        ) as run_number

    from covered

),

runs as (

    select
        ---------- ids
        basis,
        customer_key,
        run_number,

        ---------- timestamps
        min(started_on) as started_on,
        max(ended_on) as ended_on

    from numbered
    group by basis, customer_key, run_number

)

select * from runs
