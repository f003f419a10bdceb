-- One row per day at which the past is cut off to fit a value model: as_of itself, the calibration, and the backtests.
-- What happened between the cut and observed_until judges the fit.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

first_purchase as (

    select min(ordered_on) as ordered_on from {{ ref('int_purchase_days') }}

),

spans as (

    select
        as_of.as_of,
        first_purchase.ordered_on,
        {{ days_between('first_purchase.ordered_on', 'as_of.as_of') }} as span_days

    from as_of
    cross join first_purchase

),

cuts as (

    select
        'all' as cut_name,
        'all' as purpose,
        as_of as cut_date,
        as_of as observed_until
    from spans

    union all

    select
        'calibration' as cut_name,
        'calibration' as purpose,
        {{ add_days('ordered_on', 'floor(span_days * ' ~ var('clv_calibration_share') ~ ')') }} as cut_date,
        as_of as observed_until
    from spans

    {#- While dbt reads the project, check_vars may not have judged the var yet. #}
    {%- for days in (var('backtest_horizon_days') if execute else []) %}

        union all

        select
            'backtest_{{ days }}' as cut_name,
            'backtest' as purpose,
            {{ add_days('as_of', -days) }} as cut_date,
            as_of as observed_until
        from spans
    {%- endfor %}

)

select
    cut_name,
    purpose,
    cut_date,
    observed_until,
    {{ days_between('cut_date', 'observed_until') }} as horizon_days
from cuts
where cut_date is not null
