"""Whether every delivered row arrived, counted against the load registry that dbt did not write."""

from typing import Any

from warehouse.auditing.findings import FAILED, NOTED, PASSED, Finding
from warehouse.building.inputs import LANDED, Inputs


def check_reconciliation(connection: Any, inputs: Inputs) -> list[Finding]:
    """Return findings on delivered rows. `connection` has the marts attached as `marts_file`."""
    return [_balance(connection), _registry(connection, inputs), _quarantine(connection)]


def _balance(connection: Any) -> Finding:
    rows = connection.execute(
        """
        select load_id, entity, file, rows_in, accounted_for
        from (
            select *, rows_staged + rows_quarantined + rows_superseded + rows_erased as accounted_for
            from marts_file.marts.load_reconciliation
        )
        where is_reconciled is not true or rows_in is distinct from accounted_for
        order by all
        """
    ).fetchall()
    if rows:
        load_id, entity, file, rows_in, accounted = rows[0]
        first = f"{entity} of {file} in load {load_id}: {rows_in} rows in, {accounted} accounted for"
        return Finding("rows reconcile", "load_reconciliation", FAILED, f"{len(rows)} files do not balance; {first}")
    count = connection.execute("select count(*) from marts_file.marts.load_reconciliation").fetchall()[0][0]
    return Finding("rows reconcile", "load_reconciliation", PASSED, f"{count} files balance")


def _registry(connection: Any, inputs: Inputs) -> Finding:
    if inputs.kind != LANDED:
        return Finding("loads complete", "load registry", NOTED, f"built from the {inputs.kind}: there is no registry")
    counted = connection.execute(
        "select load_id, entity, file, sum(rows_in)::bigint from marts_file.marts.load_reconciliation group by all"
    ).fetchall()
    built = {(load_id, entity, file): rows for load_id, entity, file, rows in counted}
    landed: dict[tuple[str, str, str], int] = {}
    for load in inputs.loads:
        key = (load["load_id"], load["entity"], load["file"])
        landed[key] = landed.get(key, 0) + int(load["rows_in"])
    wrong = [key for key, rows in landed.items() if built.get(key) != rows]
    if wrong:
        load_id, entity, file = wrong[0]
        first = f"{entity} of {file} in load {load_id}"
        details = f"{len(wrong)} landed files are missing or counted differently; first: {first}"
        return Finding("loads complete", "load registry", FAILED, details)
    return Finding("loads complete", "load registry", PASSED, f"{len(landed)} files, {sum(landed.values()):,} rows in")


def _quarantine(connection: Any) -> Finding:
    rows = connection.execute(
        """
        select entity, coalesce(counted, 0), coalesce(listed, 0)
        from (
            select entity, sum(rows_quarantined) as counted
            from marts_file.marts.load_reconciliation group by entity
        )
        full join (
            select entity, count(*) as listed from marts_file.marts.quarantined_rows group by entity
        ) using (entity)
        order by entity
        """
    ).fetchall()
    wrong = [f"{entity}: {counted} counted, {listed} listed" for entity, counted, listed in rows if counted != listed]
    if wrong:
        return Finding("quarantine agrees", "quarantined_rows", FAILED, "; ".join(wrong))
    return Finding(
        "quarantine agrees", "quarantined_rows", PASSED, f"{sum(row[2] for row in rows):,} rows in both marts"
    )
