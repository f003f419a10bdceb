"""The step between two dbt runs: what the Python models compute on DuckDB, from the same summaries, on Spark.

The queries below are the ones of models/intermediate/value/int_*.py in Spark's SQL. `warehouse build --target spark`
takes this step by itself; by hand it is `python -m warehouse.spark.value_model_step SCHEMA`.
"""

import sys
from typing import Any

from warehouse.errors import WarehouseError
from warehouse.spark.thrift_server import ThriftServer, thrift_server
from warehouse.value_models.fitted_models import fitted_models
from warehouse.value_models.scored_histories import contract_scores, purchase_scores


def write_value_models(server: ThriftServer, schema: str) -> dict[str, int]:
    """Fit and score the value models of the run whose schemas begin with `schema`.

    Reads `<schema>_intermediate`, replaces the tables of `<schema>_value_models` and returns the rows of each.
    """
    summaries = f"{schema}_intermediate"
    target = f"{schema}_value_models"

    def read(table: str, order: str, columns: str = "*", condition: str = "true") -> dict[str, Any]:
        return server.arrays(f"select {columns} from {summaries}.{table} where {condition} order by {order}")  # noqa: S608

    settings = read("int_value_model_settings", "horizon_months")

    def histories_at(cut_name: str) -> dict[str, Any]:
        order = "frequency, recency_days, age_days"
        return read("int_purchase_histories", order, condition=f"cut_name = '{cut_name}'")

    fits = fitted_models(
        settings=settings,
        cuts=read("int_value_model_cuts", "cut_name"),
        histories_at=histories_at,
        order_values=read("int_order_values", "customer_key"),
        contracts=read("int_contract_histories", "plan, renewals, is_closed"),
    )
    server.execute(f"create schema if not exists {target}")
    server.write(f"{target}.value_model_fits", fits)
    # Read back: the scores follow from the published parameters, in the order that the models read them in.
    fitted = server.arrays(f"select * from {target}.value_model_fits order by scope, cut_name, model, parameter")  # noqa: S608
    scores = {
        "purchase_scores": purchase_scores(settings=settings, fits=fitted, histories=histories_at("all")),
        "contract_scores": contract_scores(
            settings=settings,
            fits=fitted,
            tenures=read(
                "int_contract_tenures",
                "plan, renewals",
                columns="distinct current_plan as plan, current_renewals as renewals",
                condition="current_plan is not null and current_renewals is not null",
            ),
        ),
    }
    for name, table in scores.items():
        server.write(f"{target}.{name}", table)
    return {"value_model_fits": fits.num_rows} | {name: table.num_rows for name, table in scores.items()}


def main(arguments: list[str]) -> int:
    """Write the tables of the run whose schemas begin with the one argument; return the exit status."""
    if len(arguments) != 1 or not arguments[0].isidentifier():
        sys.stderr.write("usage: python -m warehouse.spark.value_model_step SCHEMA\n")
        return 2
    try:
        with thrift_server() as server:
            rows = write_value_models(server, arguments[0])
    except WarehouseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(", ".join(f"{count} {name}" for name, count in rows.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
