-- Concentration lies between equal and single customers; one model is chosen; an error is predicted less actual.
with

revenue_concentration as (

    select
        *,
        concat_ws(' ', period_type, period_start) as failing_row

    from {{ ref('revenue_concentration') }}

),

clv_models as (

    select * from {{ ref('clv_models') }}

),

fits as (

    select
        model,
        fitted_on,
        count(distinct is_chosen) as verdicts,
        count(distinct customers) as sizes,
        max(case when is_p_alive_model then 1 else 0 end) as tells_p_alive,
        max(case when is_chosen and model in ('bg_nbd', 'mbg_nbd', 'pareto_nbd') then 1 else 0 end) as tells_purchases

    from clv_models
    group by model, fitted_on

),

backtest as (

    select
        *,
        concat_ws(' ', quantity, cut_date, horizon_days, model) as failing_row

    from {{ ref('backtest') }}

),

broken_rules as (

    select
        'concentration lies between equal customers and a single one' as broken_rule,
        failing_row
    from revenue_concentration
    where
        herfindahl_index * customers < 1 - 1e-9
        or herfindahl_index > 1 + 1e-9
        or herfindahl_index > largest_customer_share + 1e-9
        or herfindahl_index < largest_customer_share * largest_customer_share - 1e-9
        or largest_customer_share > top_decile_share + 1e-9
        or top_decile_share > 1 + 1e-9
        or top_decile_share * customers < floor((customers + 9) / 10.0) - 1e-6
        or gini < -1e-9
        or gini >= 1

    union all

    select
        'concentration is unknown exactly without customers' as broken_rule,
        failing_row
    from revenue_concentration
    where
        (customers = 0) <> (herfindahl_index is null)
        or (customers = 0) <> (top_decile_share is null)
        or (customers = 0) <> (largest_customer_share is null)
        or (customers = 0) <> (gini is null)

    union all

    select
        'all parameters of a fit share its verdict and customers' as broken_rule,
        concat_ws(' ', model, fitted_on) as failing_row
    from fits
    where verdicts <> 1 or sizes <> 1

    union all

    select
        'one model at most tells who is alive' as broken_rule,
        fitted_on as failing_row
    from fits
    group by fitted_on
    having sum(tells_p_alive) > 1

    union all

    select
        'one model of purchases at most is chosen' as broken_rule,
        fitted_on as failing_row
    from fits
    group by fitted_on
    having sum(tells_purchases) > 1

    union all

    select
        'an error is predicted less actual, before as_of' as broken_rule,
        backtest.failing_row
    from backtest
    cross join {{ ref('int_as_of') }} as as_of
    where
        backtest.horizon_days <= 0
        or {{ add_days('backtest.cut_date', 'backtest.horizon_days') }} > as_of.as_of
        or abs(backtest.error - (backtest.predicted - backtest.actual)) > 1e-9

)

select * from broken_rules
