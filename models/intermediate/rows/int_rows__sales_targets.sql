-- One row per delivered sales target and what became of it, with the exchange rate of its own date.
{{ rows_with_exchange_rate(
    ref('stg_crm__sales_targets'),
    'sales_targets',
    amount='target_amount',
    rate_date='versions.period_start'
) }}
