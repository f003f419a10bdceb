-- One row: after how many days without an order a customer counts as churned, and where that number comes from.
with

survival as (

    select * from {{ ref('int_inactivity_survival') }}

),

-- A window is long enough when few of those who were silent so long return within the look-ahead. The curve knows every
-- day up to the longest gap: a window whose look-ahead ends later finds no partner.
long_enough as (

    select min(now_silent.gap_days) as inactivity_days
    from survival as now_silent
    inner join survival as still_silent
        on now_silent.gap_days + {{ var('inactivity_lookahead_days') }} = still_silent.gap_days
    where
        now_silent.gap_days >= {{ var('inactivity_floor_days') }}
        and now_silent.survival > 0
        and 1 - still_silent.survival / now_silent.survival <= {{ var('inactivity_return_rate') }} + 1e-9

),

inactivity_window as (

    {% if run_setting('inactivity_days') is not none %}
        select
            cast({{ run_setting('inactivity_days') }} as integer) as inactivity_days,
            'given' as inactivity_source
    {% else %}
        select
            cast(coalesce(inactivity_days, {{ var('inactivity_fallback_days') }}) as integer) as inactivity_days,
            case when inactivity_days is null then 'fallback' else 'learned' end as inactivity_source
        from long_enough
    {% endif %}

)

select * from inactivity_window
