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

intervals as (

    select
        basis,
        customer_key,
        cast(null as string) as plan,
        cast(null as integer) as precedence,
        cast(0 as decimal(38, 14)) as mrr,
        started_on,
        ended_on

    from {{ ref('int_activity_runs') }}
    where basis = 'purchase'

    union all

    select
        'contract' as basis,
        customer_key,
        plan,
        precedence,
        mrr,
        started_on,
        in_force_until as ended_on

    from {{ ref('int_contracts') }}

),

indexed as (

    select
        intervals.basis,
        periods.period_type,
        intervals.customer_key,
        intervals.plan,
        intervals.precedence,
        intervals.mrr,
        {{ period_index('periods.period_type', 'intervals.started_on') }} + 1 as first_boundary,
        case
            when intervals.ended_on >= periods.as_of then periods.last_index + 1
            else {{ period_index('periods.period_type', 'intervals.ended_on') }}
        end as last_boundary

    from intervals
    cross join periods

),

crossing as (

    select * from indexed
    where first_boundary <= last_boundary

),

changes as (

    select distinct
        basis,
        period_type,
        customer_key,
        first_boundary as boundary
    from crossing

    union distinct

    select distinct
        basis,
        period_type,
        customer_key,
        last_boundary + 1 as boundary
    from crossing

),

ranges as (

    select
        *,
        lead(boundary) over (partition by basis, period_type, customer_key order by boundary) as next_boundary

    from changes

),

active_boundaries as (

    select
        ---------- ids
        ranges.basis,
        ranges.period_type,
        ranges.customer_key,
        ranges.boundary as first_boundary,
        ranges.next_boundary - 1 as last_boundary,

        ---------- text
        min_by(crossing.plan, crossing.precedence) as plan,

        ---------- numerics
        sum(crossing.mrr) as mrr

    from ranges
    inner join crossing
        on
            ranges.basis = crossing.basis
            and ranges.period_type = crossing.period_type
            and ranges.customer_key = crossing.customer_key
            and ranges.boundary >= crossing.first_boundary
            and ranges.boundary <= crossing.last_boundary
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
        lag(mrr) over (partition by basis, period_type, customer_key order by first_boundary) as previous_mrr,
        row_number() over (partition by basis, period_type, customer_key order by first_boundary) = 1 as is_first

    from active_boundaries

),

result as (

    select
        ---------- ids
        basis,
        period_type,
        customer_key,
        first_boundary,
        last_boundary,

        ---------- text
        plan,

        ---------- numerics
        mrr,

        ---------- booleans
        is_first,

        ---------- calculations
        case when coalesce(is_continued, false) then previous_plan end as plan_before,
        case when coalesce(is_continued, false) then previous_mrr else 0 end as mrr_before,
        coalesce(is_continued, false) as is_continued,
        coalesce(is_continuing, false) as is_continuing

    from with_neighbours

)

select * from result
