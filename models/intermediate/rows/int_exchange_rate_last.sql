-- One row per currency: its latest exchange rate, which applies from its first day on without end.
with

rates as (

    select * from {{ ref('int_rows__fx_rates') }}
    where row_state = 'current'

),

last_rates as (

    select
        currency,
        max(valid_from) as valid_from,
        max_by(rate, valid_from) as rate

    from rates
    group by currency

)

select * from last_rates
