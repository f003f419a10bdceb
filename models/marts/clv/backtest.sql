-- One row per quantity, cut date, horizon and model: what the model, knowing only the past of the cut, predicted for
-- the time after it, and what happened.
with

cuts as (

    select * from {{ ref('int_value_model_cuts') }}

),

fits as (

    select distinct
        cut_name,
        model,
        customers,
        holdout_predicted,
        holdout_actual

    from {{ ref('int_value_model_fits') }}
    where scope = 'purchases' and cut_name <> 'all'

),

purchases as (

    select
        'purchases' as quantity,
        cuts.cut_date,
        cuts.horizon_days,
        fits.model,
        fits.customers,
        fits.holdout_predicted as predicted,
        fits.holdout_actual as actual

    from fits
    inner join cuts on fits.cut_name = cuts.cut_name

),

retention as (

    select
        'retention' as quantity,
        cut_date,
        horizon_days,
        'kaplan_meier: ' || basis as model,
        customers,
        predicted,
        actual

    from {{ ref('int_retention_backtests') }}

),

tested as (

    select * from purchases

    union distinct

    select * from retention

),

backtest as (

    select
        ---------- ids
        quantity,
        cut_date,
        cast(horizon_days as integer) as horizon_days,
        model,

        ---------- numerics
        cast(customers as bigint) as customers,
        predicted,
        actual,
        predicted - actual as error

    from tested

)

select * from backtest
