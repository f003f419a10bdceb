-- One row per delivered spend row and what became of it, with the exchange rate of its own date.
{{ rows_with_exchange_rate(
    ref('stg_marketing__marketing_spend'),
    'marketing_spend',
    amount='amount',
    rate_date='versions.period_start'
) }}
