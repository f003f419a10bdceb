-- One row per whole day since an order: the share of gaps between a customer's order days that last longer
-- (Kaplan-Meier; the open last gap of each customer is censored at as_of).
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

days as (

    select * from {{ ref('int_purchase_days') }}

),

gaps as (

    select
        {{ days_between('previous_ordered_on', 'ordered_on') }} as gap_days,
        1 as closed,
        0 as open

    from days
    where previous_ordered_on is not null

    union all

    select
        {{ days_between('max(days.ordered_on)', 'max(as_of.as_of)') }} as gap_days,
        0 as closed,
        1 as open

    from days
    cross join as_of
    group by days.customer_key

),

lengths as (

    select
        gap_days,
        sum(closed) as closed_gaps,
        sum(open) as open_gaps

    from gaps
    group by gap_days

),

calendar as (

    {{ integers_below("(select coalesce(max(gap_days) + 1, 0) from gaps)") }}

),

at_risk as (

    select
        calendar.number as gap_days,
        coalesce(lengths.closed_gaps, 0) as closed_gaps,
        coalesce(lengths.open_gaps, 0) as open_gaps,
        sum(coalesce(lengths.closed_gaps, 0) + coalesce(lengths.open_gaps, 0)) over (
            order by calendar.number desc
            rows between unbounded preceding and current row
        ) as gaps_at_risk

    from calendar
    left join lengths on calendar.number = lengths.gap_days

),

survival as (

    select
        ---------- ids
        gap_days,

        ---------- numerics
        closed_gaps,
        open_gaps,
        gaps_at_risk,
        {{ survival_probability('closed_gaps', 'gaps_at_risk', order_by='gap_days') }} as survival

    from at_risk

)

select * from survival
