"""Typed rows that are kept from build to build: what can be added to, and that adding gives what a full build gives."""

import datetime
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from building.conftest import Command
from recomputation.companies import random_company
from recomputation.exports import write_exports
from warehouse.building.folders import RunFolder, new_run_folder
from warehouse.building.inputs import LANDED, SEEDS, Inputs
from warehouse.building.kept_rows import entities_to_type_again, keep_rows, take_kept_rows
from warehouse.paths import PROJECT_DIR, WarehousePaths

MARCH = datetime.datetime(2025, 3, 1)


def load(sequence: int, entity: str, **changes: Any) -> dict[str, Any]:
    return {
        "load_id": f"{sequence:05d}-aaaaaaaa",
        "entity": entity,
        "source": None,
        "file": f"{entity}.csv",
        "file_sha256": "0",
        "rows_in": 1,
        "is_full": False,
        "exported_at": None,
        "landed_at": MARCH + datetime.timedelta(days=sequence),
        "load_sequence": sequence,
        **changes,
    }


KEPT = [load(1, "orders"), load(1, "deals"), load(2, "orders")]


@pytest.mark.parametrize(
    ("new", "again"),
    [
        ([], ()),
        ([load(3, "orders"), load(3, "accounts")], ()),
        ([load(3, "orders", is_full=True), load(3, "deals")], ("orders",)),
        ([load(3, "orders", exported_at=MARCH)], ("orders",)),
        ([load(3, "orders", exported_at=MARCH + datetime.timedelta(days=2))], ()),
        ([load(3, "deals", exported_at=MARCH + datetime.timedelta(days=1))], ()),
        (
            [load(3, "fx_rates")],
            ("deals", "fx_rates", "marketing_spend", "orders", "sales_targets", "subscription_periods"),
        ),
        ([load(3, "deal_stages")], ("deal_stages", "deals")),
        ([load(3, "churn_reasons")], ("churn_reasons",)),
    ],
)
def test_later_loads_add_to_what_is_kept(new: list[dict[str, Any]], again: tuple[str, ...]) -> None:
    assert entities_to_type_again(KEPT, [*KEPT, *new]) == again


@pytest.mark.parametrize(("day", "again"), [(8, ("orders",)), (10, ())])
def test_the_files_of_a_full_delivery_are_as_old_as_the_youngest(day: int, again: tuple[str, ...]) -> None:
    exported = [MARCH + datetime.timedelta(days=days) for days in (0, 9)]
    kept = [load(1, "orders", is_full=True, file=f"{at:%d}.csv", exported_at=at) for at in exported]
    new = load(2, "orders", exported_at=MARCH + datetime.timedelta(days=day))
    assert entities_to_type_again(kept, [*kept, new]) == again


@pytest.mark.parametrize(
    "current",
    [
        KEPT[1:],
        [load(1, "orders", rows_in=2), *KEPT[1:]],
        [load(1, "orders", landed_at=MARCH), *KEPT[1:]],
        [*KEPT, load(2, "accounts")],
    ],
)
def test_loads_that_are_not_those_kept_start_afresh(current: list[dict[str, Any]]) -> None:
    assert entities_to_type_again(KEPT, current) is None


def contents(file: Path, schema: str, pattern: str) -> dict[str, Any]:
    """Return the number of rows and the sum of their hashes of every table."""
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = ? and table_name like ? "
            "and table_name <> 'mart_run'",
            [schema, pattern],
        ).fetchall()
        return {
            name: connection.execute(
                f'select count(*), sum(hash("{name}")::hugeint) from "{schema}"."{name}"'
            ).fetchall()
            for (name,) in names
        }


@pytest.mark.parametrize(
    ("new", "again"),
    [
        ([load(3, "orders")], ()),
        ([load(3, "orders", source="shop")], ("orders",)),
        ([load(4, "orders", source="shop")], ()),
        ([load(3, "orders"), load(3, "deals", source="crm")], ("deals",)),
    ],
)
def test_keys_that_two_sources_may_have_delivered_are_typed_again_when_one_deletes(
    new: list[dict[str, Any]], again: tuple[str, ...]
) -> None:
    assert entities_to_type_again(KEPT, [*KEPT, *new], {load(3, "orders")["load_id"]}) == again


SHOP = """
source: shop
files:
  - name: orders*.csv
    entities:
      - entity: orders
        columns: {order_id: Number, account_id: Account, ordered_at: Day, amount: Sum, currency: Currency}
        deleted: {Deleted: "true"}
"""
SHOP_DAYS = (
    "1,A,2024-01-01,1,USD,false\n2,A,2024-01-02,2,XTS,false\n3,B,2024-01-03,4,USD,false\n4,B,2024-01-04,8,USD,true\n",
    "2,A,2024-01-02,2,XTS,true\n3,B,2024-01-03,4,USD,true\n5,B,2024-01-05,16,USD,false\n",
    "3,B,2024-01-03,32,USD,false\n5,B,2024-01-05,16,USD,true\n5,B,2024-01-05,64,USD,false\n",
)


def test_rows_that_delete_keys_count_from_day_to_day(tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    (tmp_path / "shop.yml").write_text(SHOP)
    # 2 had no rate of exchange when it was deleted; 3 comes back; 5 is deleted in the file that delivers it.
    for number, rows in enumerate(SHOP_DAYS, 1):
        day = tmp_path / f"orders_{number}.csv"
        day.write_text(f"Number,Account,Day,Sum,Currency,Deleted\n{rows}")
        command.run("land", day, "--source", tmp_path / "shop.yml")
        built = command.run("build", "--accept-change")
    assert "rows of 2 earlier loads are kept" in built.stdout + built.stderr
    kept = command.root / "builds" / "kept_rows"
    added = contents(kept / "build.duckdb", "intermediate", "int_rows__%")
    with duckdb.connect(str(kept / "build.duckdb"), read_only=True) as connection:
        states = connection.execute("select order_id, amount, row_state from intermediate.int_rows__orders").fetchall()
    assert sorted(states) == [
        ("1", 1, "current"),
        ("2", 2, "superseded"),
        ("3", 4, "superseded"),
        ("3", 32, "current"),
        ("5", 16, "superseded"),
        ("5", 64, "superseded"),
    ]
    shutil.rmtree(kept)
    command.run("build", "--accept-change")
    assert contents(kept / "build.duckdb", "intermediate", "int_rows__%") == added


def test_adding_loads_gives_what_typing_all_of_them_gives(tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    kept = command.root / "builds" / "kept_rows"
    first, *later = write_exports(random_company(11), tmp_path / "exports")
    command.run("land", first)
    command.run("build")
    for folder in later:
        command.run("land", folder)
    # A complete delivery of the first tickets and half the orders: what is missing from it was deleted.
    orders = (first / "orders.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (first / "orders.csv").write_text("".join(orders[: len(orders) // 2]), encoding="utf-8")
    command.run("land", first / "orders.csv", first / "support_tickets.csv", "--full", "--accept-drop")
    added = command.run("build", "--accept-change", "--relearn")
    assert "typing orders, support_tickets again" in added.stdout + added.stderr
    rows = contents(kept / "build.duckdb", "intermediate", "int_%")
    marts = contents(command.paths.published_file, "marts", "%")
    shutil.rmtree(kept)
    afresh = command.run("build", "--accept-change", "--relearn")
    assert "kept" not in (afresh.stdout + afresh.stderr).split("audited")[0]
    assert contents(kept / "build.duckdb", "intermediate", "int_%") == rows
    assert contents(command.paths.published_file, "marts", "%") == marts
    assert rows["int_rows__orders"] != [(0, None)]


def test_the_first_delivery_of_a_reference_takes_the_place_of_its_seed(tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "orders.csv").write_text("order_id,account_id,ordered_at,amount,currency\nO1,A1,2024-05-02,10,EUR\n")
    command.run("land", exports / "orders.csv")
    command.run("build")
    (exports / "fx_rates.csv").write_text("currency,valid_from,rate\nEUR,2020-01-01,2\nCHF,2020-01-01,3\n")
    command.run("land", exports / "fx_rates.csv")
    added = command.run("build")
    assert "typing deals, fx_rates," in added.stdout + added.stderr
    with duckdb.connect(str(command.paths.published_file), read_only=True) as connection:
        assert connection.execute("select historical_value from marts.customer_lifetime_value").fetchall() == [(20,)]
        reference = "select rows_in, rows_staged from marts.load_reconciliation where entity = 'fx_rates'"
        assert connection.execute(reference).fetchall() == [(2, 2)]


TABLES = ("int_rows__orders", "int_rows__deals", "int_account_versions")


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    return WarehousePaths(tmp_path / "warehouse")


def built(paths: WarehousePaths) -> RunFolder:
    """Return the folder of a run whose database holds tables of rows."""
    run = new_run_folder(paths)
    with duckdb.connect(str(run.build_file)) as connection:
        connection.execute("create schema intermediate")
        for table in TABLES:
            connection.execute(f"create table intermediate.{table} as select 1 as row_state")
    return run


def tables(run: RunFolder) -> set[str]:
    if not run.build_file.exists():
        return set()
    with duckdb.connect(str(run.build_file), read_only=True) as connection:
        return {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}


def test_what_is_kept_is_taken_once(paths: WarehousePaths) -> None:
    inputs = Inputs(LANDED, paths.landing, KEPT)
    keep_rows(paths, built(paths), inputs, {})
    new = [load(3, "orders", is_full=True), load(3, "accounts")]
    run = new_run_folder(paths)
    reuse = take_kept_rows(paths, run, Inputs(LANDED, paths.landing, [*KEPT, *new]), {})
    assert reuse is not None
    assert (reuse.kept_loads, reuse.new_loads, reuse.typed_again) == (2, 1, ("orders",))
    assert tables(run) == {"int_rows__deals", "int_account_versions"}
    assert take_kept_rows(paths, new_run_folder(paths), inputs, {}) is None


def test_variables_that_rows_do_not_read_change_nothing(paths: WarehousePaths) -> None:
    inputs = Inputs(LANDED, paths.landing, KEPT)
    keep_rows(paths, built(paths), inputs, {"reporting_timezone": "UTC", "as_of": "2025-01-01"})
    run = new_run_folder(paths)
    assert take_kept_rows(paths, run, inputs, {"reporting_timezone": "UTC", "grace_days": 3}) is not None
    assert tables(run) == set(TABLES)


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("laid_out", "reference/fx_rates.csv"),
        ("laid_out", "raw/_raw__seeds.yml"),
        ("flat", "fx_rates.csv"),
        ("flat", "_reference__seeds.yml"),
    ],
)
def test_rows_depend_on_the_seeds_that_dbt_reads(
    paths: WarehousePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, file: str
) -> None:
    seeds = tmp_path / folder
    (shutil.copytree if folder == "laid_out" else copy_flat)(PROJECT_DIR / "seeds", seeds)
    monkeypatch.setenv("WAREHOUSE_SEEDS", str(seeds))
    inputs = Inputs(LANDED, paths.landing, KEPT)
    keep_rows(paths, built(paths), inputs, {})
    run = new_run_folder(paths)
    assert take_kept_rows(paths, run, inputs, {}) is not None
    keep_rows(paths, run, inputs, {})
    with (seeds / file).open("a") as changed:
        changed.write("\n")
    assert take_kept_rows(paths, new_run_folder(paths), inputs, {}) is None


def copy_flat(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.glob("*/*"):
        shutil.copyfile(path, target / path.name)


@pytest.mark.parametrize("change", ["zone", "erased", "damaged", "missing", "seeds"])
def test_a_foreign_or_damaged_database_is_not_taken(paths: WarehousePaths, change: str) -> None:
    inputs = Inputs(LANDED, paths.landing, KEPT)
    keep_rows(paths, built(paths), Inputs(SEEDS) if change == "seeds" else inputs, {"reporting_timezone": "UTC"})
    variables = {"reporting_timezone": "Asia/Riyadh" if change == "zone" else "UTC"}
    database = paths.builds / "kept_rows" / "build.duckdb"
    if change == "erased":
        erased = paths.landing / "_erased"
        erased.mkdir(parents=True)
        (erased / "00009.parquet").touch()
    elif change == "damaged":
        database.write_bytes(b"no database")
    elif change == "missing":
        database.unlink()
    run = new_run_folder(paths)
    assert take_kept_rows(paths, run, inputs, variables) is None
    assert tables(run) == set()
