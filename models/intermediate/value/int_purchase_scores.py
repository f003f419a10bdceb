"""One row per purchase history at as_of: what the chosen purchase models expect of the customers who have it."""


def model(dbt, session):
    """Score the distinct histories; see warehouse.value_models.scored_histories."""
    dbt.config(materialized="table")
    from warehouse.value_models.scored_histories import purchase_scores

    return purchase_scores(
        settings=dbt.ref("int_value_model_settings").fetchnumpy(),
        fits=dbt.ref("int_value_model_fits").order("scope, cut_name, model, parameter").fetchnumpy(),
        histories=dbt.ref("int_purchase_histories")
        .filter("cut_name = 'all'")
        .order("frequency, recency_days, age_days")
        .fetchnumpy(),
    )
