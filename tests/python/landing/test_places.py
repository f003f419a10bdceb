"""Where the landing zone lies: nothing in the name of its folder makes it read another one."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from landing.conftest import ORDERS
from warehouse.contract import entities
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.report import Options
from warehouse.locks import exclusive
from warehouse.paths import WarehousePaths, warehouse_paths
from warehouse.quarantining.listing import Wanted, quarantined_rows
from warehouse.runs.landing import land

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "beside"),
    [("a*b", "aXb"), ("w[1]", "w1"), ("z[9]", "unlike"), ("[[]", "["), ("**", "deep"), ("it's", "its")],
)
def test_the_marks_of_a_pattern_are_none_in_the_name_of_a_folder(
    name: str, beside: str, tmp_path: Path, write: Write
) -> None:
    own, other = (WarehousePaths(tmp_path / each) for each in (name, beside))
    raw = write("orders.csv", ORDERS + "O4\n")
    for paths, files in ((own, [raw]), (other, [raw, write("orders_2.csv", ORDERS.replace("O", "X") + "X4\n")])):
        land(paths, files, Options(), lambda _: lambda __: None)
    assert quarantined_rows(own, Wanted()).total == 1
    orders = entities()["orders"]
    with duckdb.connect() as connection:
        for table in (zone.landed_rows(own.landing, orders), zone.rows_of_folder(own.landing, "orders")):
            found = connection.execute(f"select order_id from {table} order by order_id").fetchall()
            assert found == [("O1",), ("O2",), ("O3",)]


@pytest.mark.parametrize("name", ["a?b", "a#b", "a\\b"])
def test_a_folder_that_the_engine_cannot_name_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / name))
    with pytest.raises(WarehouseError, match="set WAREHOUSE_DIR to a folder without them"):
        warehouse_paths()


def mode_of(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_rows_of_customers_are_for_their_owner_and_what_is_published_for_everybody(
    tmp_path: Path, write: Write
) -> None:
    before = os.umask(0o022)
    try:
        paths = WarehousePaths(tmp_path / "warehouse")
        land(paths, [write("orders.csv", ORDERS)], Options(), lambda _: lambda __: None)
        with exclusive(paths, "a test"):
            paths.published.mkdir()
    finally:
        os.umask(before)
    private = ("landing", "builds", "versions", "cache")
    assert {mode_of(paths.root / name) for name in private} == {0o700}
    assert {mode_of(folder) for folder in (paths.root, paths.published)} == {0o755}


def test_others_are_shut_out_of_an_older_warehouse_and_its_group_is_not(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    for folder, mode in ((paths.landing, 0o755), (paths.builds, 0o2770), (paths.published, 0o755)):
        folder.mkdir(parents=True)
        folder.chmod(mode)
    with exclusive(paths, "a test"), zone.locked(paths):
        assert [mode_of(each) for each in (paths.landing, paths.builds, paths.published)] == [0o750, 0o2770, 0o755]
