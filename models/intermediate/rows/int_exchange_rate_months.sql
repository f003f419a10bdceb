-- One row per currency, superseded exchange rate and month that it touches, so that facts find their rate by month.
with

rates as (

    select * from {{ ref('int_rows__fx_rates') }}
    where row_state = 'current'

),

ranges as (

    select
        currency,
        rate,
        valid_from,
        lead(valid_from) over (partition by currency order by valid_from) as valid_to

    from rates

),

closed_ranges as (

    select
        currency,
        rate,
        valid_from,
        valid_to,
        {{ period_index("'month'", 'valid_from') }} as first_month_index,
        {{ period_index("'month'", 'valid_to') }} as last_month_index

    from ranges
    where valid_to is not null

),

months as (

    {{ integers_below("(select coalesce(max(last_month_index - first_month_index) + 1, 0) from closed_ranges)") }}

),

rate_months as (

    select
        closed_ranges.currency,
        closed_ranges.rate,
        closed_ranges.valid_from,
        closed_ranges.valid_to,
        closed_ranges.first_month_index + months.number as month_index

    from closed_ranges
    inner join months on closed_ranges.last_month_index - closed_ranges.first_month_index >= months.number

)

select * from rate_months
