"""The audit notices what dbt does not: each check is shown something broken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.auditing.contracts import check_contracts
from warehouse.auditing.executed_nodes import check_dbt_result
from warehouse.auditing.findings import Finding, failed
from warehouse.auditing.held_back import check_held_back
from warehouse.auditing.identities import IDENTITIES, check_identities
from warehouse.auditing.reconciliation import check_reconciliation
from warehouse.auditing.run import Published, audit
from warehouse.auditing.shared_keys import check_shared_keys
from warehouse.auditing.shrinkage import check_shrinkage
from warehouse.building.dbt_run import DbtRun, expected_nodes
from warehouse.building.folders import RunFolder
from warehouse.building.inputs import LANDED, SEEDS, Inputs


def node(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "resource_type": kind,
        "name": name,
        "fqn": ["retention_warehouse", "marts", name],
        "schema": "marts",
        "alias": name,
        "config": {"materialized": "table", "meta": more.pop("meta", {}), "schema": more.get("schema", "marts")},
        "depends_on": {"nodes": more.pop("needs", [])},
        "columns": {column: {"name": column, "data_type": kind} for column, kind in more.pop("columns", {}).items()},
        "unique_id": f"{kind}.{name}",
        **more,
    }


def dbt_run(nodes: list[dict[str, Any]], executed: dict[str, str], **more: Any) -> DbtRun:
    manifest = {"nodes": {each["unique_id"]: each for each in nodes}, "metadata": {"invocation_id": "this"}}
    expected, left_out = expected_nodes(manifest, is_landed=False)
    values: dict[str, Any] = {
        "is_successful": True,
        "invocation_id": "this",
        "seconds": 1.0,
        "expected": expected,
        "left_out": left_out,
        "executed": executed,
        "failures": (),
        "skipped": 0,
        "manifest": manifest,
        "results": {"metadata": {"invocation_id": "this"}},
        **more,
    }
    return DbtRun(**values)


NODES = [node("model", "nps"), node("test", "nps_is_whole")]
GOOD = {"model.nps": "success", "test.nps_is_whole": "pass"}


def test_a_complete_result_of_this_run_passes() -> None:
    assert failed(check_dbt_result(dbt_run(NODES, GOOD))) == []


@pytest.mark.parametrize(
    ("run", "words"),
    [
        # The run_results.json that a failed run leaves is the one before it.
        (dbt_run(NODES, GOOD, results={"metadata": {"invocation_id": "before"}}), "another invocation"),
        (dbt_run(NODES, GOOD, invocation_id=""), "another invocation"),
        # `dbt build --select typo` is green.
        (dbt_run(NODES, {}), "2 of 2 nodes did not run"),
        (dbt_run([], {}), "no nodes"),
        (dbt_run(NODES, {"model.nps": "success"}), "1 of 2 nodes did not run (test.nps_is_whole)"),
        (dbt_run(NODES, {**GOOD, "model.other": "success"}), "1 ran that the project does not have (model.other)"),
        (dbt_run(NODES, {**GOOD, "test.nps_is_whole": "warn"}), "ended as warn"),
        (dbt_run(NODES, {**GOOD, "test.nps_is_whole": "skipped"}), "ended as skipped"),
    ],
)
def test_a_result_that_is_not_whole_fails(run: DbtRun, words: str) -> None:
    assert any(words in finding.details for finding in failed(check_dbt_result(run)))


def test_a_warning_with_a_stated_reason_is_noted() -> None:
    nodes = [node("test", "odd", meta={"allowed_warning": "known"})]
    findings = check_dbt_result(dbt_run(nodes, {"test.odd": "warn"}))
    check = "no failures and warnings"
    assert findings[-2:] == [
        Finding(check, "test.odd", "noted", "allowed: known"),
        Finding(check, "run_results.json", "passed", "1 nodes passed, 1 with an allowed warning"),
    ]
    assert failed(findings) == []
    bad = check_dbt_result(dbt_run([*nodes, *NODES], {**GOOD, "test.odd": "warn", "model.nps": "error"}))
    assert [(each.subject, each.verdict) for each in bad if each.check == check] == [
        ("model.nps", "failed"),
        ("test.odd", "noted"),
    ]


def test_raw_seeds_and_their_tests_are_no_part_of_a_landed_build() -> None:
    seed = node("seed", "raw_orders", schema="raw")
    manifest = {
        "nodes": {
            each["unique_id"]: each
            for each in (
                seed,
                node("test", "of_seed", needs=["seed.raw_orders"]),
                node("seed", "fx", schema="reference"),
            )
        }
    }
    assert expected_nodes(manifest, is_landed=True) == (frozenset({"seed.fx"}), ("test.of_seed",))
    assert expected_nodes(manifest, is_landed=False)[0] == {"seed.raw_orders", "test.of_seed", "seed.fx"}


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (100, 100, "passed"),
        (100, 80, "passed"),
        (100, 79, "failed"),
        (12, 2, "passed"),
        (12, 0, "failed"),
        (0, 0, "passed"),
        (0, 5, "passed"),
    ],
)
def test_a_mart_may_lose_a_fifth_of_its_rows(before: int, now: int, verdict: str) -> None:
    findings = check_shrinkage({"nps": now}, {"nps": before}, None, is_accepted=False)
    assert [finding.verdict for finding in findings] == [verdict]


def test_a_loss_that_is_accepted_is_recorded() -> None:
    findings = check_shrinkage({"nps": 1}, {"nps": 100, "gone": 3}, None, is_accepted=True)
    assert [(finding.subject, finding.verdict) for finding in findings] == [("gone", "accepted"), ("nps", "accepted")]


def test_a_loss_after_an_erasure_is_told_and_blocks_nothing() -> None:
    before, now = {"nps": 100, "churn_cohorts": 12, "funnel": 5}, {"nps": 1, "churn_cohorts": 0, "funnel": 5}
    found = check_shrinkage(now, before, None, is_accepted=False, erased_rows=1200)
    assert failed(found) == []
    assert [(finding.subject, finding.verdict) for finding in found] == [
        ("all marts", "passed"),
        ("churn_cohorts", "noted"),
        ("nps", "noted"),
    ]
    assert "12 rows published, now 0: 1,200 landed rows erased since" in found[1].sentence()
    # A mart that is gone is no matter of rows.
    assert [each.subject for each in failed(check_shrinkage({}, {"nps": 1}, None, False, erased_rows=1))] == ["nps"]


def test_a_replay_and_a_first_build_may_shrink() -> None:
    assert failed(check_shrinkage({"nps": 1}, {"nps": 100}, "a replay", is_accepted=False)) == []
    assert failed(check_shrinkage({"nps": 1}, None, None, is_accepted=False)) == []


def test_predictions_are_there_where_enough_is_known() -> None:
    assert failed(check_shrinkage({"backtest": 0}, {"backtest": 1}, None, is_accepted=False)) == []


def test_what_is_held_back_may_become_empty_and_must_be() -> None:
    """The variable no longer allows the mart: that is why it is empty. A mart that lost its rows otherwise is not."""
    before, now = {"nps": 100, "survey_comments": 100}, {"nps": 100, "survey_comments": 0}
    found = check_shrinkage(now, before, None, is_accepted=False, held_back=["survey_comments"])
    assert [(finding.subject, finding.verdict) for finding in found] == [
        ("all marts", "passed"),
        ("survey_comments", "noted"),
    ]
    assert "100 rows published, now held back" in found[1].sentence()
    assert [each.subject for each in failed(check_shrinkage(now, before, None, False))] == ["survey_comments"]
    assert failed(check_held_back(now, ["survey_comments"])) == []
    assert failed(check_held_back(before, [])) == []
    (finding,) = failed(check_held_back(before, ["survey_comments"]))
    assert finding.subject == "survey_comments"


def test_the_models_say_what_is_held_back() -> None:
    nodes = [node("model", "nps"), node("model", "survey_comments", meta={"is_held_back": True})]
    assert dbt_run(nodes, {}).held_back_marts() == {"survey_comments"}


# ---------------------------------------------------------------- marts


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """Marts that are empty and typed, as an empty delivery makes them."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as marts_file")
        connection.execute("create schema marts_file.marts")
        for statement in (
            "retention_rate (basis varchar, period_type varchar, period_start date, period_state varchar, "
            "dimension varchar, dimension_value varchar, customers_at_start bigint, customers_at_end bigint, "
            "new_customers bigint, retained_customers bigint, reactivated_customers bigint, "
            "churned_customers bigint, flash_customers bigint)",
            "funnel_conversion (pipeline varchar, stage varchar, period_type varchar, dimension varchar, "
            "entered bigint, advanced bigint, lost bigint, open bigint)",
            "load_reconciliation (load_id varchar, entity varchar, file varchar, rows_in bigint, "
            "rows_staged bigint, rows_quarantined bigint, rows_superseded bigint, rows_erased bigint, "
            "is_reconciled boolean)",
            "quarantined_rows (load_id varchar, file varchar, entity varchar, reason varchar)",
        ):
            connection.execute(f"create table marts_file.marts.{statement}")
        yield connection


def test_every_identity_holds_on_empty_marts_or_is_not_checked(marts: duckdb.DuckDBPyConnection) -> None:
    findings = check_identities(marts, ["retention_rate", "funnel_conversion"])
    assert len(findings) == len(IDENTITIES)
    assert {finding.verdict for finding in findings} == {"passed", "noted"}


def broken(marts: duckdb.DuckDBPyConnection, present: list[str]) -> list[str]:
    return [finding.check for finding in failed(check_identities(marts, present))]


def test_a_retention_row_that_does_not_add_up_fails(marts: duckdb.DuckDBPyConnection) -> None:
    row = "('contract', 'month', '2025-01-01', 'complete', 'all', 'all', 10, 9, 2, 7, 0, 2, 0)"
    marts.execute(f"insert into marts_file.marts.retention_rate values {row}")
    assert broken(marts, ["retention_rate"]) == ["retention: start = kept + churned, end = kept + new + reactivated"]


def test_an_end_that_is_not_the_next_start_fails(marts: duckdb.DuckDBPyConnection) -> None:
    rows = (
        "('contract', 'month', '2025-01-01', 'complete', 'all', 'all', 10, 10, 2, 8, 0, 2, 0), "
        "('contract', 'month', '2025-02-01', 'complete', 'all', 'all', 9, 9, 0, 9, 0, 0, 0)"
    )
    marts.execute(f"insert into marts_file.marts.retention_rate values {rows}")
    assert broken(marts, ["retention_rate"]) == ["retention: the end of a complete period is the start of the next"]


def test_a_funnel_row_that_does_not_add_up_fails(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("insert into marts_file.marts.funnel_conversion values ('d', 's', 'month', 'all', 10, 5, 4, 0)")
    assert broken(marts, ["funnel_conversion"]) == ["funnel: entered = advanced + lost + open"]


LOAD = {"load_id": "1", "entity": "orders", "file": "orders.csv", "rows_in": 5}


def reconciled(marts: duckdb.DuckDBPyConnection, inputs: Inputs) -> list[Finding]:
    return failed(check_reconciliation(marts, inputs))


def test_a_load_that_balances_passes(marts: duckdb.DuckDBPyConnection) -> None:
    rows = "('1', 'orders', 'orders.csv', 5, 3, 1, 1, 0, true)"
    marts.execute(f"insert into marts_file.marts.load_reconciliation values {rows}")
    marts.execute("insert into marts_file.marts.quarantined_rows values ('1', 'orders.csv', 'orders', 'bad')")
    assert reconciled(marts, Inputs(LANDED, None, [LOAD])) == []
    assert reconciled(marts, Inputs(SEEDS)) == []


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ("('1', 'orders', 'orders.csv', 5, 3, 0, 1, 0, false)", "rows reconcile"),
        # A mart that says true of numbers that do not balance is not believed.
        ("('1', 'orders', 'orders.csv', 5, 3, 0, 1, 0, true)", "rows reconcile"),
        # The registry, which dbt did not write, knows more rows.
        ("('1', 'orders', 'orders.csv', 4, 4, 0, 0, 0, true)", "loads complete"),
        ("('2', 'orders', 'orders.csv', 5, 5, 0, 0, 0, true)", "loads complete"),
        ("('1', 'orders', 'orders.csv', 5, 4, 1, 0, 0, true)", "quarantine agrees"),
    ],
)
def test_a_load_that_does_not_balance_fails(marts: duckdb.DuckDBPyConnection, row: str, check: str) -> None:
    marts.execute(f"insert into marts_file.marts.load_reconciliation values {row}")
    assert [finding.check for finding in reconciled(marts, Inputs(LANDED, None, [LOAD]))] == [check]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"load_id": "varchar", "reason": "text"}, None),
        ({"load_id": "varchar", "no_such": "text"}, "columns are missing: no_such"),
        ({"load_id": "bigint"}, "load_id is VARCHAR, declared bigint"),
    ],
)
def test_a_broken_contract_fails(marts: duckdb.DuckDBPyConnection, columns: dict[str, str], words: str | None) -> None:
    nodes = [node("model", name) for name in ("retention_rate", "funnel_conversion", "load_reconciliation")]
    run = dbt_run([*nodes, node("model", "quarantined_rows", columns=columns), node("model", "mart_run")], {})
    marts.execute("create table marts_file.marts.mart_run as select 'this' as run_id")
    found = [finding.details for finding in failed(check_contracts(marts, run))]
    assert found == ([words] if words else [])


def test_a_missing_mart_and_a_foreign_table_fail(marts: duckdb.DuckDBPyConnection) -> None:
    found = {finding.subject: finding.details for finding in failed(check_contracts(marts, dbt_run(NODES, {})))}
    assert found["nps"] == "the table is missing"
    assert found["retention_rate"] == "a table that is no mart of the project"
    assert "missing" in found["mart_run"]


def test_a_damaged_build_file_fails(tmp_path: Path) -> None:
    run = RunFolder("this", tmp_path)
    for file in (run.build_file, run.marts_file):
        with duckdb.connect(str(file)) as connection:
            connection.execute("create schema marts")
            connection.execute("create table marts.mart_run as select i as run_id from range(100000) as made(i)")
        damaged = bytearray(file.read_bytes())
        damaged[4096 * 3 :] = b"\xff" * len(damaged[4096 * 3 :])
        file.write_bytes(damaged)
    found = audit(run, dbt_run(NODES, GOOD), Inputs(SEEDS), Published(None), is_change_accepted=False)
    assert "the engine could not read the built files" in " ".join(
        finding.details for finding in failed(found.findings)
    )


# ---------------------------------------------------------------- sources


DELIVERED = (
    # of two sources, the later one counts
    ("l1", "a.csv", "O1", "superseded"),
    ("l2", "b.csv", "O1", "current"),
    # of one source, twice
    ("l1", "a.csv", "O2", "superseded"),
    ("l1", "a2.csv", "O2", "current"),
    # refused, or gone from both
    ("l1", "a.csv", "O3", "current"),
    ("l2", "b.csv", "O3", "quarantined"),
    ("l1", "a.csv", "O4", "superseded"),
    ("l2", "b.csv", "O4", "superseded"),
)
SOURCES = (("l1", "a.csv", "shop_a"), ("l1", "a2.csv", "shop_a"), ("l2", "b.csv", "shop_b"))


@pytest.mark.parametrize(
    ("delivered", "verdict", "details"),
    [
        (DELIVERED, "noted", "several sources deliver 1 of orders: of each the last row counts"),
        (DELIVERED[2:], "passed", "no key of orders comes from two sources"),
    ],
)
def test_keys_that_two_sources_deliver_are_told(
    delivered: tuple[tuple[str, ...], ...], verdict: str, details: str
) -> None:
    loads = [
        {"load_id": load, "entity": "orders", "file": file, "source": source, "repairs": "[]"}
        for load, file, source in SOURCES
    ]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute("create schema build.intermediate")
        connection.execute(
            "create table build.intermediate.int_rows__orders (load_id text, file text, order_id text, row_state text)"
        )
        connection.execute(
            "create table build.intermediate.int_deliveries (load_id text, entity text, file text, source text)"
        )
        connection.executemany("insert into build.intermediate.int_rows__orders values (?, ?, ?, ?)", delivered)
        for load in loads:
            for entity in ("orders", "accounts"):
                row = [load["load_id"], entity, load["file"], load["source"] if entity == "orders" else "other"]
                connection.execute("insert into build.intermediate.int_deliveries values (?, ?, ?, ?)", row)
        (finding,) = check_shared_keys(connection, Inputs(LANDED, None, loads))
        assert (finding.verdict, finding.details) == (verdict, details)
        assert check_shared_keys(connection, Inputs(LANDED, None, loads[:2])) == []
        references = [{**load, "entity": "deal_stages"} for load in loads]
        assert check_shared_keys(connection, Inputs(LANDED, None, references)) == []
        provided = [{**load, "entity": "surveys", "repairs": '["mapping provided"]'} for load in loads]
        assert check_shared_keys(connection, Inputs(LANDED, None, provided)) == []
