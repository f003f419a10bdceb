"""One row per value model, cut and parameter: the maximum-likelihood fit, its uncertainty and its holdout."""


def model(dbt, session):
    """Fit the purchase, order value and contract models; see warehouse.value_models.fitted_models."""
    dbt.config(materialized="table")
    from warehouse.value_models.fitted_models import fitted_models

    # Outside the lambda, where dbt looks for references.
    histories = dbt.ref("int_purchase_histories")

    return fitted_models(
        settings=dbt.ref("int_value_model_settings").fetchnumpy(),
        cuts=dbt.ref("int_value_model_cuts").order("cut_name").fetchnumpy(),
        histories_at=lambda cut_name: (
            histories.filter(f"cut_name = '{cut_name}'").order("frequency, recency_days, age_days").fetchnumpy()
        ),
        order_values=dbt.ref("int_order_values").order("customer_key").fetchnumpy(),
        contracts=dbt.ref("int_contract_histories").order("plan, renewals, is_closed").fetchnumpy(),
    )
