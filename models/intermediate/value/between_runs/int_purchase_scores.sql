-- One row per purchase history at as_of: what the chosen purchase models expect of the customers who have it.
-- Written by the step between two dbt runs, for engines that run no Python models.
select
    frequency,
    recency_days,
    age_days,
    model,
    p_alive,
    expected_purchases,
    discounted_purchases
from {{ source('value_models', 'purchase_scores') }}
