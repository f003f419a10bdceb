-- One row per value model, cut and parameter: the maximum-likelihood fit, its uncertainty and its holdout.
-- Written by the step between two dbt runs, for engines that run no Python models.
select
    scope,
    cut_name,
    plan,
    model,
    parameter,
    value,
    std_error,
    log_likelihood,
    customers,
    holdout_actual,
    holdout_predicted,
    is_chosen,
    is_p_alive_model,
    not_converged_reason
from {{ source('value_models', 'value_model_fits') }}
