-- One row per value model, data it was fitted on, and parameter: the maximum-likelihood estimate and how well the model
-- predicted the holdout.
with

fits as (

    select * from {{ ref('int_value_model_fits') }}
    where cut_name in ('all', 'calibration')

),

clv_models as (

    select
        ---------- ids
        cut_name as fitted_on,
        parameter,

        ---------- numerics
        value,
        std_error,
        log_likelihood,
        holdout_actual,
        holdout_predicted,

        ---------- booleans
        is_chosen,
        is_p_alive_model,

        ---------- text
        not_converged_reason,

        ---------- calculations
        cast(customers as bigint) as customers,
        case when scope = 'contracts' then model || ': ' || plan else model end as model

    from fits

)

select * from clv_models
