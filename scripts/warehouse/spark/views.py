"""Publication on Spark: the schema `marts` holds one view per mart, and the views show one run.

Every data test of the run passed. The audit of a build on DuckDB (contracts, identities, shrinkage, personal data) does
not run on Spark.
"""

import re

from warehouse.errors import WarehouseError
from warehouse.spark.thrift_server import ThriftServer

PUBLISHED = "marts"
# Every schema of a run begins with the run's name; the published views show the last of them.
RUN_SCHEMAS = ("raw", "reference", "staging", "intermediate", "value_models", "marts")
_RUN = re.compile(r"run_[0-9]{8}_[0-9]{6}_[0-9a-f]{6}")


def marts_of(server: ThriftServer, schema: str) -> list[str]:
    """Return the names of the tables or views of a schema, sorted."""
    return sorted(str(row["tableName"]) for row in server.rows(f"show tables in {schema}"))


def publish_run(server: ThriftServer, run: str) -> list[str]:
    """Let the published views show a run and return the names of its marts.

    Each view is replaced at once, `mart_run` first: while the others follow (a second or so), a reader who compares
    the run of `mart_run` before and after reading sees the change. A view whose mart the run does not have is dropped.
    """
    marts = marts_of(server, f"{run}_marts")
    if "mart_run" not in marts:
        raise WarehouseError(f"the run {run} has no marts: nothing was published")
    server.execute(f"create schema if not exists {PUBLISHED}")
    for mart in ["mart_run", *(name for name in marts if name != "mart_run")]:
        server.execute(f"create or replace view {PUBLISHED}.{mart} as select * from {run}_marts.{mart}")  # noqa: S608
    for gone in set(marts_of(server, PUBLISHED)) - set(marts):
        server.execute(f"drop view {PUBLISHED}.{gone}")
    return marts


def published_run(server: ThriftServer) -> str | None:
    """Return the run that the views show, None before the first publication."""
    schemas = {str(row["namespace"]) for row in server.rows("show schemas")}
    if PUBLISHED not in schemas or "mart_run" not in marts_of(server, PUBLISHED):
        return None
    return str(server.rows(f"select run_id from {PUBLISHED}.mart_run")[0]["run_id"])  # noqa: S608


def kept_runs(server: ThriftServer) -> list[str]:
    """Return the runs that have schemas, oldest first."""
    schemas = (str(row["namespace"]) for row in server.rows("show schemas"))
    return sorted({found.group() for name in schemas if (found := _RUN.match(name))})


def drop_run(server: ThriftServer, run: str) -> None:
    """Drop every schema of a run with its tables."""
    for name in RUN_SCHEMAS:
        server.execute(f"drop schema if exists {run}_{name} cascade")
