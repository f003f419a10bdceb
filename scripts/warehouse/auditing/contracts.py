"""Whether the marts in the file are those that the project promises."""

from typing import Any

from warehouse.auditing.findings import FAILED, PASSED, Finding
from warehouse.building.dbt_run import DbtRun
from warehouse.publishing.compact import mart_tables

DATABASE = "marts_file"


def check_contracts(connection: Any, dbt: DbtRun) -> list[Finding]:
    """Return findings: every mart is a table with its declared columns and types, and no other is there."""
    promised, present = dbt.marts(), mart_tables(connection, DATABASE)
    findings = []
    for name in sorted({*promised, *present}):
        problem = _problem(connection, name, promised.get(name), name in present)
        if problem:
            findings.append(Finding("contract holds", name, FAILED, problem))
    if "mart_run" in present:
        rows = connection.execute("select count(*) from marts_file.marts.mart_run").fetchall()[0][0]
        if rows != 1:
            findings.append(Finding("contract holds", "mart_run", FAILED, f"{rows} rows instead of one"))
    else:
        findings.append(Finding("contract holds", "mart_run", FAILED, "the mart that names the run is missing"))
    return findings or [Finding("contract holds", "all marts", PASSED, f"{len(present)} marts as declared")]


def _problem(connection: Any, name: str, promised: dict[str, Any] | None, is_present: bool) -> str | None:
    if promised is None:
        return "a table that is no mart of the project"
    if not is_present:
        return "the table is missing"
    rows = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = 'marts' and table_name = ? order by column_index",
        [DATABASE, name],
    ).fetchall()
    types = dict(rows)
    declared = {column["name"]: column.get("data_type") for column in promised["columns"].values()}
    missing = sorted(declared.keys() - types.keys())
    if missing:
        return f"columns are missing: {', '.join(missing)}"
    if promised["config"].get("contract", {}).get("enforced"):
        surplus = sorted(types.keys() - declared.keys())
        if surplus:
            return f"columns are not declared: {', '.join(surplus)}"
    wrong = [
        f"{column} is {types[column]}, declared {wanted}"
        for column, wanted in declared.items()
        if wanted and _type(connection, wanted) != types[column]
    ]
    return "; ".join(wrong) or None


def _type(connection: Any, declared: str) -> str:
    """Return the engine's own name of a declared type: `text` is VARCHAR."""
    text: str = connection.execute(f"select typeof(cast(null as {declared}))").fetchall()[0][0]
    return text
