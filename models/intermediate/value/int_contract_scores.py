"""One row per plan and number of renewals of a contract in force: its expected residual lifetime and survival."""


def model(dbt, session):
    """Score the distinct tenures; see warehouse.value_models.scored_histories."""
    dbt.config(materialized="table")
    from warehouse.value_models.scored_histories import contract_scores

    return contract_scores(
        settings=dbt.ref("int_value_model_settings").fetchnumpy(),
        fits=dbt.ref("int_value_model_fits").order("scope, cut_name, model, parameter").fetchnumpy(),
        tenures=dbt.ref("int_contract_tenures")
        .filter("current_plan is not null and current_renewals is not null")
        .project("current_plan as plan, current_renewals as renewals")
        .distinct()
        .order("plan, renewals")
        .fetchnumpy(),
    )
