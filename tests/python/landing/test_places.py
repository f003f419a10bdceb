"""Where the landing zone lies: nothing in the name of its folder makes it read another one."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from landing.conftest import ORDERS
from warehouse.contract import entities
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.report import Options
from warehouse.landing.run import land
from warehouse.paths import WarehousePaths, warehouse_paths
from warehouse.publishing.quarantined import Wanted, quarantined_rows

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
