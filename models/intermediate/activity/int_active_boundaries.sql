-- One row per basis, period type, customer and range of consecutive period boundaries at which the customer is active
-- without a change of plan or monthly revenue. Boundary i is the start of period i; the one after the last period is
-- its end, or as_of while it is partial.
with

periods as (

    select
        period_type,
        max(last_index) as last_index,
        max(as_of) as as_of

    from {{ ref('int_periods') }}
    group by period_type

),

contracts as (

    select
        *,
        lead(started_on) over (partition by customer_key order by started_on, in_force_until) < in_force_until
            as is_overlapped

    from {{ ref('int_contracts') }}

),

-- Few customers have two contracts in force on one day; only theirs are laid over each other.
overlapping_customers as (

    select distinct customer_key from contracts
    where is_overlapped

),

intervals as (

    select
        'purchase' as basis,
        customer_key,
        cast(null as string) as plan,
        cast(null as integer) as precedence,
        cast(0 as decimal(38, 14)) as mrr,
        started_on,
        ended_on,
        false as is_overlapping

    from {{ ref('int_activity_runs') }}
    where basis = 'purchase'

    union all

    select
        'contract' as basis,
        contracts.customer_key,
        contracts.plan,
        contracts.precedence,
        contracts.mrr,
        contracts.started_on,
        contracts.in_force_until as ended_on,
        overlapping_customers.customer_key is not null as is_overlapping

    from contracts
    left join overlapping_customers on contracts.customer_key = overlapping_customers.customer_key

),

dated as (

    select
        basis,
        customer_key,
        plan,
        precedence,
        mrr,
        ended_on,
        is_overlapping,
        {{ period_index("'month'", 'started_on') }} as start_month,
        {{ period_index("'month'", 'ended_on') }} as end_month

    from intervals

),

indexed as (

    select
        dated.basis,
        periods.period_type,
        dated.customer_key,
        dated.plan,
        dated.precedence,
        dated.mrr,
        dated.is_overlapping,
        {{ period_of_month('periods.period_type', 'dated.start_month') }} + 1 as first_boundary,
        case
            when dated.ended_on >= periods.as_of then periods.last_index + 1
            else {{ period_of_month('periods.period_type', 'dated.end_month') }}
        end as last_boundary

    from dated
    cross join periods

),

crossing as (

    select * from indexed
    where first_boundary <= last_boundary

),

overlapping as (

    select * from crossing
    where is_overlapping

),

changes as (

    select distinct
        basis,
        period_type,
        customer_key,
        first_boundary as boundary
    from overlapping

    union distinct

    select distinct
        basis,
        period_type,
        customer_key,
        last_boundary + 1 as boundary
    from overlapping

),

ranges as (

    select
        *,
        lead(boundary) over (partition by basis, period_type, customer_key order by boundary) as next_boundary

    from changes

),

active_boundaries as (

    select
        basis,
        period_type,
        customer_key,
        first_boundary,
        last_boundary,
        plan,
        cast(mrr as decimal(38, 14)) as mrr
    from crossing
    where not is_overlapping

    union all

    select
        ranges.basis,
        ranges.period_type,
        ranges.customer_key,
        ranges.boundary as first_boundary,
        ranges.next_boundary - 1 as last_boundary,
        min_by(overlapping.plan, overlapping.precedence) as plan,
        sum(overlapping.mrr) as mrr
    from ranges
    inner join overlapping
        on
            ranges.basis = overlapping.basis
            and ranges.period_type = overlapping.period_type
            and ranges.customer_key = overlapping.customer_key
            and ranges.boundary >= overlapping.first_boundary
            and ranges.boundary <= overlapping.last_boundary
    group by
        ranges.basis, ranges.period_type, ranges.customer_key, ranges.boundary, ranges.next_boundary

),

-- What came before and after, so that arrivals and losses are seen on the row.
with_neighbours as (

    select
        *,
        lag(last_boundary) over (
            partition by basis, period_type, customer_key order by first_boundary
        ) = first_boundary - 1 as is_continued,
        lead(first_boundary) over (
            partition by basis, period_type, customer_key order by first_boundary
        ) = last_boundary + 1 as is_continuing,
        lag(plan) over (partition by basis, period_type, customer_key order by first_boundary) as previous_plan,
        lag(mrr) over (partition by basis, period_type, customer_key order by first_boundary) as previous_mrr

    from active_boundaries

),

described as (

    select
        ---------- ids
        with_neighbours.basis,
        with_neighbours.period_type,
        with_neighbours.customer_key,
        with_neighbours.first_boundary,
        with_neighbours.last_boundary,

        ---------- text
        with_neighbours.plan,

        ---------- numerics
        with_neighbours.mrr,

        ---------- calculations
        case when with_neighbours.is_continued then with_neighbours.previous_plan end as plan_before,
        case when with_neighbours.is_continued then with_neighbours.previous_mrr else 0 end as mrr_before,
        coalesce(with_neighbours.is_continued, false) as is_continued,
        coalesce(with_neighbours.is_continuing, false) as is_continuing,
        -- A customer who is active at the last boundary has not been lost.
        not coalesce(with_neighbours.is_continuing, false)
        and with_neighbours.last_boundary <= periods.last_index as is_lost

    from with_neighbours
    inner join periods on with_neighbours.period_type = periods.period_type

)

select * from described
