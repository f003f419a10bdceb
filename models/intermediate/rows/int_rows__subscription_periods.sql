-- One row per delivered contract period and what became of it, with the exchange rate of its own date.
{{ rows_with_exchange_rate(
    ref('stg_billing__subscription_periods'),
    'subscription_periods',
    amount='mrr',
    rate_date='cast(versions.started_at as date)'
) }}
