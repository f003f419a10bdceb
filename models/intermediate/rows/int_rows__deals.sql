-- One row per delivered deal and what became of it, with the exchange rate of the closing day that it states, else of
-- its creation. An open deal has no closing day: its closed_at is a plan. Closings that only history tells take
-- their rate in int_deals: a row is judged by what it says itself.
{{ rows_with_exchange_rate(
    ref('stg_crm__deals'),
    'deals',
    amount='amount',
    rate_date='cast(coalesce(' ~ deal_outcome_at('versions', 'stages') ~ ', versions.created_at) as date)',
    lookup="left join " ~ ref('int_stages') ~ " as stages on " ~ is_in_stage('versions', 'stages')
) }}
