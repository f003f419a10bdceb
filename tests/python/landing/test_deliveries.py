"""Deliveries over time: replays, full deliveries, export times, crashes, locks."""

import datetime
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from landing.conftest import ORDERS, Warehouse
from warehouse.landing import deliveries, zone
from warehouse.landing.files import Contents
from warehouse.landing.report import Options

Write = Callable[..., Path]


def test_the_same_file_again_changes_nothing(warehouse: Warehouse, write: Write) -> None:
    first = warehouse.land(write("orders.csv", ORDERS))
    before = warehouse.deliveries()
    again = warehouse.land(write("orders_copy.csv", ORDERS))
    assert warehouse.deliveries() == before
    assert again.load_id == first.load_id
    assert (again.files[0].verdict, again.files[0].rows_in, again.files[0].rows_landed) == ("accepted", 3, 3)
    assert "already landed" in again.files[0].repairs[0]


def test_the_same_file_as_a_full_delivery_is_recorded(warehouse: Warehouse, write: Write) -> None:
    path = write("orders.csv", ORDERS)
    warehouse.land(path)
    warehouse.land(path, is_full=True)
    warehouse.land(path, is_full=True)
    assert [load["is_full"] for load in warehouse.loads()] == [False, True]


def test_two_files_of_one_name_keep_their_own(warehouse: Warehouse, write: Write) -> None:
    one = write("orders.csv", ORDERS, "1")
    two = write("orders.csv", ORDERS.replace("O", "P"), "2")
    report = warehouse.land(one, two)
    assert [result.file for result in report.files] == ["1/orders.csv", "2/orders.csv"]
    assert len({(load["load_id"], load["entity"], load["file"]) for load in warehouse.loads()}) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders_2024-07-02.csv", datetime.datetime(2024, 7, 2)),
        ("orders_20240702.csv", datetime.datetime(2024, 7, 2)),
        ("orders_2024-01-01_2024-06-30.csv", datetime.datetime(2024, 6, 30)),
        ("orders_20241399.csv", None),
        ("orders_2099-01-01.csv", None),
        ("orders.csv", None),
    ],
)
def test_export_time_from_the_file_name(
    name: str, expected: datetime.datetime | None, warehouse: Warehouse, write: Write
) -> None:
    warehouse.land(write(name, ORDERS))
    assert warehouse.loads()[0]["exported_at"] == expected


def test_the_option_wins_over_the_file_name(warehouse: Warehouse, write: Write) -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
    warehouse.land(write("orders_2024-07-02.csv", ORDERS), exported_at=moment)
    assert warehouse.loads()[0]["exported_at"] == moment


def test_a_full_delivery_that_loses_most_keys_is_held(warehouse: Warehouse, write: Write) -> None:
    warehouse.land(write("orders.csv", ORDERS), is_full=True)
    small = write("orders_2.csv", "".join(ORDERS.splitlines(keepends=True)[:2]))
    held = warehouse.land(small, is_full=True)
    assert held.files[0].verdict == "rejected"
    assert "--accept-drop" in (held.files[0].reason or "")
    assert len(warehouse.loads()) == 1
    accepted = warehouse.land(small, is_full=True, accepts_drop=True)
    assert accepted.files[0].rows_landed == 1


def test_a_full_delivery_of_several_files_counts_as_one(warehouse: Warehouse, write: Write) -> None:
    lines = ORDERS.splitlines(keepends=True)
    warehouse.land(write("orders.csv", ORDERS), is_full=True)
    parts = [write(f"orders_{number}.csv", lines[0] + lines[number]) for number in (1, 2, 3)]
    assert not warehouse.land(*parts, is_full=True).has_rejected


def landed_in_turn(warehouse: Warehouse) -> list[tuple[int, str]]:
    """Return (sequence, file) of all that was landed."""
    return sorted((load["load_sequence"], load["file"]) for load in warehouse.loads())


def test_a_full_delivery_holds_its_unchanged_files(warehouse: Warehouse, write: Write) -> None:
    header, first, *rest = ORDERS.splitlines(keepends=True)
    old, new = write("orders_2024.csv", header + first), write("orders_2025.csv", header + rest[0])
    warehouse.land(old, new, is_full=True)
    again = warehouse.land(old, new, is_full=True)
    assert [result.repairs[0][:14] for result in again.files] == ["already landed"] * 2
    write("orders_2025.csv", header + "".join(rest))
    report = warehouse.land(old, new, is_full=True)
    assert landed_in_turn(warehouse) == [
        (turn, file) for turn in (1, 2) for file in ("orders_2024.csv", "orders_2025.csv")
    ]
    assert sorted((result.file, result.rows_landed) for result in report.files) == [
        ("orders_2024.csv", 1),
        ("orders_2025.csv", len(rest)),
    ]


def test_a_full_delivery_without_one_of_its_files_is_another_one(warehouse: Warehouse, write: Write) -> None:
    header, *lines = ORDERS.splitlines(keepends=True)
    most, least = write("orders_1.csv", header + "".join(lines[:2])), write("orders_2.csv", header + lines[2])
    warehouse.land(most, least, is_full=True)
    warehouse.land(most, is_full=True)
    assert landed_in_turn(warehouse) == [(1, "orders_1.csv"), (1, "orders_2.csv"), (2, "orders_1.csv")]


def test_a_full_delivery_may_return_to_earlier_contents(warehouse: Warehouse, write: Write) -> None:
    one, two = write("orders_a.csv", ORDERS), write("orders_b.csv", ORDERS.replace("O1", "O9"))
    for path in (one, two, one, one):
        warehouse.land(path, is_full=True)
    assert landed_in_turn(warehouse) == [(1, "orders_a.csv"), (2, "orders_b.csv"), (3, "orders_a.csv")]


def test_unchanged_files_of_a_full_delivery_are_read_again_with_all_their_entities(
    warehouse: Warehouse, write: Write
) -> None:
    # A lookup in the other order: the file of both entities follows the one that changed, and its accounts the file.
    both = write("both.csv", "Order,Account,Day,Sum,Name\nO1,A1,2024-01-01,5,One\n", "full")
    own = write("own.csv", "Order,Account,Day,Sum\nO2,A1,2024-01-01,5\n", "full")
    names = write("names.csv", "Account,Name\nA2,Two\n", "full")
    mapping = write(
        "shop.yml",
        """
source: shop
files:
  - name: both*.csv
    entities:
      - {entity: orders, columns: {order_id: Order, account_id: Account, ordered_at: Day, amount: Sum}}
      - {entity: accounts, columns: {account_id: Account, account_name: Name}}
  - name: own*.csv
    entities: [{entity: orders, columns: {order_id: Order, account_id: Account, ordered_at: Day, amount: Sum}}]
  - name: names*.csv
    entities: [{entity: accounts, columns: {account_id: Account, account_name: Name}}]
""",
    )
    warehouse.land(both, own, names, source=str(mapping), is_full=True)
    write("own.csv", "Order,Account,Day,Sum\nO2,A1,2024-01-01,6\n", "full")
    warehouse.land(both, own, names, source=str(mapping), is_full=True)
    second = [(load["entity"], load["file"]) for load in warehouse.loads() if load["load_sequence"] == 2]
    assert sorted(second) == [
        ("accounts", "both.csv"),
        ("accounts", "names.csv"),
        ("orders", "both.csv"),
        ("orders", "own.csv"),
    ]


def test_a_dated_full_delivery_is_one_when_the_next_is_compared(warehouse: Warehouse, write: Write) -> None:
    header, *lines = ORDERS.splitlines(keepends=True)
    parts = [write(f"orders_2024-0{number}-01.csv", header + line) for number, line in enumerate(lines, 1)]
    warehouse.land(*parts, is_full=True)
    assert warehouse.land(write("orders_2024-09-01.csv", header + lines[0]), is_full=True).has_rejected


OTHER_ORDERS = ORDERS.replace("O1", "O9")


def test_the_contents_of_another_day_are_another_delivery(warehouse: Warehouse, write: Write) -> None:
    days = (("01", ORDERS), ("02", OTHER_ORDERS), ("03", ORDERS), ("03", ORDERS), ("04", ORDERS))
    files = [write(f"orders_2025-01-{day}.csv", contents) for day, contents in days]
    for file in files:
        warehouse.land(file)
    assert landed_in_turn(warehouse) == [(turn, f"orders_2025-01-0{turn}.csv") for turn in (1, 2, 3, 4)]
    assert "nothing changed" in warehouse.land(files[2]).files[0].repairs[0]


def test_a_folder_of_dated_files_may_return_to_earlier_contents(warehouse: Warehouse, write: Write) -> None:
    days = (("01", ORDERS), ("02", OTHER_ORDERS), ("03", ORDERS))
    warehouse.land(*(write(f"orders_2025-01-{day}.csv", contents) for day, contents in days))
    assert [load["exported_at"].day for load in warehouse.loads()] == [1, 2, 3]


def test_a_file_of_today_that_returns_to_earlier_contents_lands(
    warehouse: Warehouse, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime.datetime(2025, 3, 2, 12)
    for hour, contents in enumerate((ORDERS, ORDERS, OTHER_ORDERS, ORDERS)):
        loads = zone.read_loads(warehouse.paths)
        stamp = replace(zone.new_stamp(loads), landed_at=noon + datetime.timedelta(hours=hour))
        monkeypatch.setattr(zone, "new_stamp", lambda _, stamp=stamp: stamp)
        warehouse.land(write("orders_2025-03-02.csv", contents))
        monkeypatch.undo()
    assert [load["exported_at"].hour for load in warehouse.loads()] == [12, 14, 15]


def test_an_undated_file_that_returns_to_earlier_contents_says_how_to_land_it(
    warehouse: Warehouse, write: Write
) -> None:
    one, two = write("orders.csv", ORDERS), write("orders_2.csv", ORDERS.replace("O1", "O9"))
    warehouse.land(one)
    assert "--exported-at" not in warehouse.land(one).files[0].repairs[0]
    warehouse.land(two)
    assert "other orders came later; --exported-at lands it again" in warehouse.land(one).files[0].repairs[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders_2025-03-01.csv", datetime.datetime(2025, 3, 1)),
        ("orders_2025-03-02.csv", datetime.datetime(2025, 3, 2, 15, 30)),
        ("orders_2025-03-03.csv", datetime.datetime(2025, 3, 2, 15, 30)),
        ("orders_2025-03-04.csv", None),
    ],
)
def test_a_file_of_today_is_as_old_as_its_landing(
    name: str, expected: datetime.datetime | None, tmp_path: Path
) -> None:
    contents = SimpleNamespace(path=tmp_path / name, inner_name=name)
    landed_at = datetime.datetime(2025, 3, 2, 15, 30)
    assert deliveries.exported_time(Options(), cast(Contents, contents), landed_at)[0] == expected


def test_a_full_delivery_with_a_rejected_part_is_no_full_delivery(warehouse: Warehouse, write: Write) -> None:
    report = warehouse.land(write("orders.csv", ORDERS), write("orders_2.csv", "nonsense\n1\n"), is_full=True)
    assert [result.verdict for result in report.files] == ["rejected", "rejected"]
    assert not warehouse.loads()


def test_a_clock_that_jumps_back_does_not_turn_the_order(
    warehouse: Warehouse, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.land(write("orders.csv", ORDERS))
    (first,) = warehouse.loads()
    later = first["landed_at"] + datetime.timedelta(days=400)
    stamp = zone.new_stamp([{**first, "landed_at": later}])
    assert stamp.landed_at == later
    assert stamp.sequence == 2
    assert stamp.load_id > first["load_id"]


def test_a_rejected_file_leaves_nothing_and_the_others_land(warehouse: Warehouse, write: Write) -> None:
    report = warehouse.land(
        write("orders.csv", ORDERS),
        write("deals.csv", "a,b\n1,2\n"),
        write("accounts.csv", "account_id\nA1\n"),
    )
    assert [result.verdict for result in report.files] == ["accepted", "rejected", "accepted"]
    assert report.has_rejected
    assert {load["entity"] for load in warehouse.loads()} == {"orders", "accounts"}
    assert not (warehouse.paths.landing / zone.UNFINISHED / str(report.load_id)).exists()


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_a_crash_leaves_nothing_half_visible(
    moves: int, warehouse: Warehouse, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.land(write("accounts.csv", "account_id\nA1\n"))
    real, done = Path.replace, []

    def crashing(source: Path, target: Path) -> Path:
        if len(done) == moves:
            raise KeyboardInterrupt
        done.append(target)
        return real(source, target)

    torn = ORDERS + "O4,A1\n"
    monkeypatch.setattr(Path, "replace", crashing)
    files = [write("orders.csv", torn), write("deals.csv", "deal_id,stage\nD1,Won\n")]
    with pytest.raises(KeyboardInterrupt):
        warehouse.land(*files)
    monkeypatch.undo()
    assert len(warehouse.loads()) == 1
    warehouse.land(write("products.csv", "product_id\nP1\n"))
    assert warehouse.rows("orders") == []
    assert warehouse.rows("deals") == []
    assert warehouse.quarantine() == []
    assert warehouse.land(*files).files[0].rows_in == 4


def test_damaged_contents_raise_nothing(warehouse: Warehouse, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret@private.example")

    monkeypatch.setattr(deliveries, "transform", broken)
    report = warehouse.land(write("orders.csv", ORDERS))
    assert report.files[0].verdict == "rejected"
    assert "secret" not in report.as_json()


def _land(root: str, path: str) -> None:
    Warehouse(Path(root)).land(Path(path))


def test_landings_at_once_wait_for_each_other(warehouse: Warehouse, write: Write) -> None:
    files = [write(f"orders_{number}.csv", ORDERS.replace("O", f"O{number}")) for number in range(3)]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_land, args=(str(warehouse.paths.root), str(file))) for file in files]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert sorted(load["load_sequence"] for load in warehouse.loads()) == [1, 2, 3]
    assert len(warehouse.rows("orders")) == 9


def test_the_zone_holds_an_empty_file_for_every_entity(warehouse: Warehouse) -> None:
    zone.ensure_landing_zone(warehouse.paths)
    for entity in zone.entities():
        assert warehouse.rows(entity) == []
    assert warehouse.loads() == []
    assert warehouse.quarantine() == []


SHOP = """
source: shop
files:
  - name: orders*.csv
    entities:
      - entity: orders
        columns: {order_id: order_id, account_id: account_id, ordered_at: ordered_at, amount: amount}
        constants: {currency: CURRENCY}
provides:
  churn_reasons: [{raw_wording: pricy, reason: REASON}]
"""


def test_a_correction_of_a_mapping_may_be_taken_back(warehouse: Warehouse, write: Write) -> None:
    def land(currency: str, reason: str) -> None:
        mapping = write("shop.yml", SHOP.replace("CURRENCY", currency).replace("REASON", reason))
        warehouse.land(write("orders.csv", ORDERS), source=str(mapping))

    for currency, reason in (("EUR", "price"), ("USD", "budget"), ("EUR", "price"), ("EUR", "price")):
        land(currency, reason)
    of_each = [sorted(load["entity"] for load in warehouse.loads() if load["load_sequence"] == turn) for turn in (1, 3)]
    assert of_each == [["churn_reasons", "orders"]] * 2
    assert max(load["load_sequence"] for load in warehouse.loads()) == 3
    last = warehouse.rows("orders", "distinct currency, load_id", order="load_id")[-1]
    assert last[0] == "EUR"
    assert warehouse.rows("churn_reasons", "reason", order="load_id")[-1] == ("price",)
