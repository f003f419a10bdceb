-- One row per basis and backtest cut: the retention that the survival curve known at the cut predicted for the
-- customers active then, and the retention they showed.
with

cuts as (

    select
        cut_date,
        observed_until,
        horizon_days
    from {{ ref('int_value_model_cuts') }}
    where purpose = 'backtest'

),

first_runs as (

    select * from {{ ref('int_activity_runs') }}
    where run_number = 0

),

-- A gap within the grace days is bridged by the contract that ends it. At a cut inside the gap that contract is yet to
-- begin: whoever is in the gap has churned by what is known then.
bridged_gaps as (

    select distinct
        'contract' as basis,
        customer_key,
        ended_on as gap_started_on,
        in_force_until as gap_ended_on

    from {{ ref('int_contracts') }}
    where in_force_until > ended_on

),

runs_at_cut as (

    select
        first_runs.basis,
        cuts.cut_date,
        cuts.observed_until,
        cuts.horizon_days,
        first_runs.started_on,
        least(first_runs.ended_on, bridged_gaps.gap_started_on) as ended_on

    from first_runs
    inner join cuts on first_runs.started_on < cuts.cut_date
    left join bridged_gaps
        on
            first_runs.basis = bridged_gaps.basis
            and first_runs.customer_key = bridged_gaps.customer_key
            and cuts.cut_date > bridged_gaps.gap_started_on
            and cuts.cut_date <= bridged_gaps.gap_ended_on

),

known_at_cut as (

    select
        basis,
        cut_date,
        observed_until,
        horizon_days,
        ended_on,
        ended_on < cut_date as has_churned,
        {{ days_between('started_on', 'least(ended_on, cut_date)') }} as age_days

    from runs_at_cut

),

lengths as (

    select
        basis,
        cut_date,
        age_days,
        count(case when has_churned then 1 end) as churned,
        count(*) as customers

    from known_at_cut
    group by basis, cut_date, age_days

),

at_risk as (

    select
        *,
        sum(customers) over (
            partition by basis, cut_date
            order by age_days desc
            rows between unbounded preceding and current row
        ) as at_risk

    from lengths

),

curve as (

    select
        basis,
        cut_date,
        age_days,
        {{ survival_probability(
            'churned', 'at_risk', order_by='age_days', partition_by='basis, cut_date'
        ) }} as survival,
        lead(age_days) over (partition by basis, cut_date order by age_days) as next_age_days

    from at_risk

),

active as (

    select
        basis,
        cut_date,
        observed_until,
        horizon_days,
        age_days,
        count(*) as customers,
        count(case when ended_on >= observed_until then 1 end) as retained_customers

    from known_at_cut
    where not has_churned
    group by basis, cut_date, observed_until, horizon_days, age_days

),

-- The curve ends with the longest time that anybody has been observed, that day included. A customer whose horizon
-- reaches beyond it is not predicted.
predicted as (

    select
        active.*,
        later.survival / nullif(now_alive.survival, 0) as stay_probability

    from active
    inner join curve as now_alive
        on
            active.basis = now_alive.basis
            and active.cut_date = now_alive.cut_date
            and active.age_days = now_alive.age_days
    inner join curve as later
        on
            active.basis = later.basis
            and active.cut_date = later.cut_date
            and active.age_days + active.horizon_days >= later.age_days
            and (
                active.age_days + active.horizon_days < later.next_age_days
                or active.age_days + active.horizon_days = later.age_days
            )

),

backtests as (

    select
        ---------- ids
        basis,
        cut_date,
        horizon_days,

        ---------- numerics
        sum(customers) as customers,
        {{ ratio(
            'sum(cast(customers * stay_probability as decimal(38, 12)))',
            'sum(customers)'
        ) }} as predicted,
        {{ ratio('sum(retained_customers)', 'sum(customers)') }} as actual

    from predicted
    group by basis, cut_date, horizon_days

)

select * from backtests
