"""Columns of the contract that are younger than some deliveries, or than all of them: NULL there, and no obstacle."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from harness.compiled_project import run_dbt
from landing.conftest import Warehouse
from warehouse.contract import entities
from warehouse.landing.zone import landed_rows
from warehouse.paths import WarehousePaths
from warehouse.quarantining.listing import Wanted, export_quarantined, quarantined_rows
from warehouse.runs.erasing import erase_customer

Write = Callable[..., Path]
HEADER = "order_id,account_id,ordered_at,amount"


def age(paths: WarehousePaths, entity: str, *younger: str) -> None:
    """Rewrite every landed file of an entity as it was before the contract had these columns."""
    for path in (paths.landing / entity).glob("*.parquet"):
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.drop_columns([name for name in younger if name in table.column_names]), path)


def landed_before_and_after(warehouse: Warehouse, write: Write) -> None:
    """Land O1 and O2 before the contract had product_id and margin, O3 before it had margin."""
    warehouse.land(write("orders.csv", f"{HEADER}\nO1,A1,2024-02-03,1O\nO2,A2,2024-02-04,2\n"))
    age(warehouse.paths, "orders", "product_id")
    warehouse.land(write("orders_2.csv", f"{HEADER},product_id\nO3,A2,2024-02-05,3,P3\n"))
    age(warehouse.paths, "orders", "margin")


def test_staging_reads_deliveries_of_every_age(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    landed_before_and_after(warehouse, write)
    zone = {"landing_zone": str(warehouse.paths.landing)}
    nodes = run_dbt(tmp_path / "project", zone, "compile", "--select", "stg_commerce__orders")
    compiled = nodes["model.retention_warehouse.stg_commerce__orders"]["compiled_code"]
    with duckdb.connect() as connection:
        found = connection.execute(f"select order_id, product_id, margin from ({compiled}) order by all").fetchall()
    assert found == [("O1", None, None), ("O2", None, None), ("O3", "P3", None)]


def test_the_commands_read_deliveries_of_every_age(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    landed_before_and_after(warehouse, write)
    with duckdb.connect() as connection:
        landed = landed_rows(warehouse.paths.landing, entities()["orders"])
        query = f"select order_id, product_id, margin from {landed} order by all"
        assert connection.execute(query).fetchall() == [("O1", None, None), ("O2", None, None), ("O3", "P3", None)]

    # The list of quarantined rows, as a build publishes it, shows the refused row of the older delivery.
    load = warehouse.loads()[0]
    warehouse.paths.published.mkdir(parents=True)
    with duckdb.connect(str(warehouse.paths.published_file)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.quarantined_rows as select ? as load_id, 'orders.csv' as file, "
            "2::bigint as line_number, 1::bigint as record_number, 'orders' as entity, "
            "'amount_not_a_number' as reason, 'O1' as key_value",
            [load["load_id"]],
        )
    (row,) = quarantined_rows(warehouse.paths, Wanted()).rows
    assert "amount=1O" in row["raw_line"]
    exported = tmp_path / "open.csv"
    export_quarantined(warehouse.paths, Wanted(), exported, overwrites=False)
    exported.write_text(exported.read_text(encoding="utf-8-sig").replace("1O", "10"), encoding="utf-8")
    (result,) = warehouse.land(exported).files
    assert (result.rows_landed, result.verdict) == (1, "accepted")
    # A full delivery is compared with all that it would replace.
    full = write("orders_3.csv", f"{HEADER},product_id,margin\nO1,A1,2024-02-03,1,P1,0.5\nO2,A2,2024-02-04,2,,\n")
    (result,) = warehouse.land(full, is_full=True).files
    assert (result.rows_landed, result.verdict) == (2, "accepted")
    assert erase_customer(warehouse.paths, "A2").landed_rows == 3
    assert {row[0] for row in warehouse.rows("orders", "account_id")} == {"A1"}


def test_a_text_of_another_customer_is_taken_out_of_files_of_every_age(warehouse: Warehouse, write: Write) -> None:
    accounts = "account_id,account_name\nA1,Noa Levi\nA2,Other House\n"
    answers = "response_id,account_id,survey,score,responded_at\n1,A2,nps,9,2025-01-01\n"
    warehouse.land(write("accounts.csv", accounts), write("survey_responses.csv", answers))
    age(warehouse.paths, "survey_responses", "comment")
    erase_customer(warehouse.paths, "A1")
    assert warehouse.rows("accounts", "account_id") == [("A2",)]
    assert warehouse.rows("survey_responses", "response_id") == [("1",)]
