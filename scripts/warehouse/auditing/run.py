"""The whole audit of one build, on its private files."""

from dataclasses import dataclass
from typing import Any

from warehouse.auditing.contracts import check_contracts
from warehouse.auditing.executed_nodes import check_dbt_result
from warehouse.auditing.findings import FAILED, NOTED, PASSED, Finding
from warehouse.auditing.held_back import check_held_back
from warehouse.auditing.identities import check_identities
from warehouse.auditing.reconciliation import check_reconciliation
from warehouse.auditing.shared_keys import check_shared_keys
from warehouse.auditing.shrinkage import check_shrinkage
from warehouse.building.dbt_run import DbtRun
from warehouse.building.folders import RunFolder
from warehouse.building.inputs import Inputs
from warehouse.engine import literal, open_engine
from warehouse.publishing.compact import mart_tables


@dataclass(frozen=True)
class Published:
    """What the audit compares with: rows per mart of the last publication, or why they are not compared.

    `erased_rows` are the landed rows that were erased since.
    """

    rows: dict[str, int] | None
    exempt_because: str | None = None
    erased_rows: int = 0


@dataclass(frozen=True)
class Audit:
    """The findings, and the stages that the reference does not know with the number of deals in each."""

    findings: list[Finding]
    unmapped_stages: dict[str, int]


def audit(run: RunFolder, dbt: DbtRun, inputs: Inputs, published: Published, is_change_accepted: bool) -> Audit:
    """Audit the two databases of a run. An engine error (a damaged file) becomes a finding."""
    import duckdb

    findings = check_dbt_result(dbt)
    unmapped: dict[str, int] = {}
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(run.build_file))} as build (read_only)")
        connection.execute(f"attach {literal(str(run.marts_file))} as marts_file (read_only)")
        findings += check_contracts(connection, dbt)
        marts = mart_tables(connection, "marts_file")
        if {"load_reconciliation", "quarantined_rows"} <= set(marts):
            findings += check_reconciliation(connection, inputs)
        findings += check_identities(connection, marts)
        rows = {mart: _count(connection, mart) for mart in marts}
        findings += check_held_back(rows, dbt.held_back_marts())
        findings += check_shrinkage(
            rows,
            published.rows,
            published.exempt_because,
            is_change_accepted,
            dbt.held_back_marts(),
            published.erased_rows,
        )
        findings += check_shared_keys(connection, inputs)
        unmapped = _unmapped_stages(connection)
        findings.append(_stages_finding(unmapped))
    except duckdb.Error as error:
        kind = type(error).__name__
        findings.append(
            Finding("files readable", "build", FAILED, f"the engine could not read the built files ({kind})")
        )
    finally:
        connection.close()
    return Audit(findings, unmapped)


def _count(connection: Any, mart: str) -> int:
    return int(connection.execute(f"select count(*) from marts_file.marts.{mart}").fetchall()[0][0])  # noqa: S608


def _unmapped_stages(connection: Any) -> dict[str, int]:
    rows = connection.execute(
        """
        select stage_key || ' (pipeline ' || pipeline_key || ')', count(distinct deal_id)
        from build.intermediate.int_deal_entries where is_unmapped group by all order by 2 desc, 1
        """
    ).fetchall()
    return dict(rows)


def _stages_finding(unmapped: dict[str, int]) -> Finding:
    if not unmapped:
        return Finding("stages known", "deal_stages", PASSED, "every stage is in the reference")
    named = named_stages(dict(list(unmapped.items())[:10]))
    return Finding("stages known", "deal_stages", NOTED, f"{len(unmapped)} stages count as (unmapped): {named}")


def named_stages(unmapped: dict[str, int]) -> str:
    """Return the stages with the number of their deals, for the user."""
    return ", ".join(f"{stage}: {deals} deal{'s'[: deals != 1]}" for stage, deals in unmapped.items())
