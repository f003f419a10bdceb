-- One row per plan and number of renewals of a contract in force: its expected residual lifetime and survival.
-- Written by the step between two dbt runs, for engines that run no Python models.
select
    plan,
    renewals,
    model,
    residual_months,
    twelve_month_survival
from {{ source('value_models', 'contract_scores') }}
