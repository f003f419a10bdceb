-- One row per delivered order or refund and what became of it, with the exchange rate of its own date.
{{ rows_with_exchange_rate(
    ref('stg_commerce__orders'),
    'orders',
    amount='amount',
    rate_date='cast(versions.ordered_at as date)'
) }}
