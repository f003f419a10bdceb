-- One row per month, quarter and year that has begun before as_of, with its boundaries.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

months as (

    {{ integers_below(
        "(select coalesce(" ~ period_index("'month'", "as_of.as_of") ~ ", 0) + 1 from as_of)"
    ) }}

),

types as (

    {% for period_type in period_types() %}
        select '{{ period_type }}' as period_type{{ ' union all' if not loop.last }}
    {% endfor %}

),

-- Months since year 0 number quarters and years too: only those from the earliest valid date on are kept.
numbered as (

    select
        types.period_type,
        months.number as period_index,
        {{ period_index("types.period_type", "cast('" ~ var("earliest_valid_date") ~ "' as date)") }} as first_index,
        {{ period_index("types.period_type", add_days("as_of.as_of", -1)) }} as last_index,
        as_of.as_of

    from types
    cross join months
    cross join as_of

),

started as (

    select
        period_type,
        period_index,
        last_index,
        as_of,
        {{ period_start("period_type", "period_index") }} as period_start,
        {{ period_start("period_type", "(period_index + 1)") }} as period_end

    from numbered
    where period_index >= first_index and period_index <= last_index

),

periods as (

    select
        ---------- ids
        period_type,
        period_index,
        last_index,

        ---------- timestamps
        period_start,
        period_end,
        as_of,

        ---------- calculations
        case when period_end <= as_of then 'complete' else 'partial' end as period_state,
        -- Where the numbers of the period are taken: its end, or as_of while it is partial.
        least(period_end, as_of) as boundary_on

    from started

)

select * from periods
