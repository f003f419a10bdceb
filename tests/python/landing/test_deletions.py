"""Rows that say that a key was deleted at its source: what a mapping declares, and what is landed of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from landing.conftest import Warehouse
from warehouse.errors import WarehouseError

Write = Callable[..., Path]
SHOP = """
source: shop
files:
  - name: orders*.csv
    entities:
      - entity: orders
        columns: {order_id: Number, account_id: Account, ordered_at: Day, amount: Sum}
        where: {Kind: [sale, gone]}
        deleted: {Kind: gone, Kept: ["", "no"]}
"""
HEADER = "Number,Account,Day,Sum,Kind,Kept\n"
DELETED = "entity, file, line_number, record_number, key_value"


def test_a_flagged_row_is_no_row_but_the_end_of_its_key(warehouse: Warehouse, write: Write) -> None:
    rows = (
        "1,A,2024-01-01,5,sale,\n"
        "2,A,2024-01-01,5,gone,\n"
        "3,A,2024-01-01,5,gone,yes\n"
        "4,,,,gone,no\n"
        "5,A,2024-01-01,5,other,\n"
    )
    report = warehouse.land(write("orders.csv", HEADER + rows), source=str(write("shop.yml", SHOP)))
    assert warehouse.rows("orders", "order_id") == [("1",), ("3",)]
    assert warehouse.rows("_deletions", DELETED) == [
        ("orders", "orders.csv", 3, 2, "2"),
        ("orders", "orders.csv", 5, 4, "4"),
    ]
    (result,) = report.files
    assert (result.rows_in, result.rows_landed) == (2, 2)
    assert {"rows that are no orders: 1", "rows that say that their key was deleted: 2"} <= set(result.repairs)


def test_a_file_without_the_mark_deletes_nothing(warehouse: Warehouse, write: Write) -> None:
    mapping = write("shop.yml", SHOP.replace("        where: {Kind: [sale, gone]}\n", ""))
    warehouse.land(write("orders.csv", "Number,Account,Day,Sum\n1,A,2024-01-01,5\n"), source=str(mapping))
    assert warehouse.rows("orders", "order_id") == [("1",)]
    assert warehouse.rows("_deletions") == []


def test_a_missing_column_is_as_good_as_empty(warehouse: Warehouse, write: Write) -> None:
    mapping = write("shop.yml", SHOP)
    warehouse.land(write("orders.csv", "Number,Account,Day,Sum,Kind\n1,A,2024-01-01,5,gone\n"), source=str(mapping))
    assert warehouse.rows("_deletions", "key_value") == [("1",)]


def test_a_rejected_file_deletes_nothing(warehouse: Warehouse, write: Write) -> None:
    row = "1,A,2024-01-01,5,gone,\n"
    report = warehouse.land(write("orders.csv", HEADER + row + '2,A,"open'), source=str(write("shop.yml", SHOP)))
    assert report.has_rejected
    assert warehouse.deliveries() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("order_id: Number", "order_id: {generated: true}"),
        ("entity: orders", "entity: subscription_periods"),
    ],
)
def test_a_key_that_a_row_cannot_name_alone_is_no_key_to_delete(
    old: str, new: str, warehouse: Warehouse, write: Write
) -> None:
    text = SHOP.replace(old, new)
    if "subscription" in new:
        columns = "{subscription_id: Number, account_id: Account, started_at: Day, mrr: Sum}"
        text = text.replace("{order_id: Number, account_id: Account, ordered_at: Day, amount: Sum}", columns)
    mapping = write("shop.yml", text)
    with pytest.raises(WarehouseError, match="deleted: needs an entity whose key is one column, and not generated"):
        warehouse.land(write("orders.csv", HEADER), source=str(mapping))


def test_accounts_that_salesforce_merged_are_no_deleted_ones(warehouse: Warehouse, write: Write) -> None:
    accounts = (
        "Id,IsDeleted,MasterRecordId,Name,OwnerId\n"
        "001A,false,000000000000000AAA,Stays,000000000000000AAA\n"
        "001B,true,001A,Merged,005A\n"
        "001C,true,000000000000000AAA,Gone,005A\n"
        "001D,true,,Gone too,005A\n"
        "001E,True,NULL,Gone as well,005A\n"
    )
    warehouse.land(write("Account.csv", accounts), source="salesforce")
    assert warehouse.rows("accounts", "account_id, merged_into_account_id, owner_id") == [
        ("001A", None, None),
        ("001B", "001A", "005A"),
    ]
    assert warehouse.rows("_deletions", "entity, key_value") == [("accounts", key) for key in ("001C", "001D", "001E")]


def test_a_row_without_a_key_ends_none_and_is_staged(warehouse: Warehouse, write: Write) -> None:
    rows = ",A,2024-01-01,5,gone,\nNULL,A,2024-01-01,5,gone,\n"
    warehouse.land(write("orders.csv", HEADER + rows), source=str(write("shop.yml", SHOP)))
    assert warehouse.rows("_deletions") == []
    assert warehouse.rows("orders", "order_id") == [(None,), (None,)]


@pytest.mark.parametrize("deleted", ["false", "{Kind: []}", "[Kind]"])
def test_conditions_that_say_nothing_are_wrong(deleted: str, warehouse: Warehouse, write: Write) -> None:
    mapping = write("shop.yml", SHOP.replace('{Kind: gone, Kept: ["", "no"]}', deleted))
    with pytest.raises(WarehouseError, match="deleted: must be a"):
        warehouse.land(write("orders.csv", HEADER), source=str(mapping))


def test_keys_that_were_deleted_are_none_that_a_full_delivery_could_lose(warehouse: Warehouse, write: Write) -> None:
    mapping = str(write("shop.yml", SHOP))

    def land(name: str, *rows: tuple[int, str], **options: bool) -> bool:
        text = HEADER + "".join(f"{key},A,2024-01-01,{key},{kind},\n" for key, kind in rows)
        return warehouse.land(write(name, text), source=mapping, **options).has_rejected

    land("orders_1.csv", *((key, "sale") for key in range(10)))
    land("orders_2.csv", *((key, "gone") for key in range(2, 10)))
    assert not land("orders_3.csv", (0, "sale"), (1, "sale"), is_full=True)


def test_keys_that_came_back_can_be_lost(warehouse: Warehouse, write: Write) -> None:
    mapping = str(write("shop.yml", SHOP))
    rows = [f"{key},A,2024-01-01,{{}},{{}},\n" for key in range(10)]
    for name, amount, kind in (("orders_1.csv", 1, "sale"), ("orders_2.csv", 1, "gone"), ("orders_3.csv", 2, "sale")):
        warehouse.land(write(name, HEADER + "".join(row.format(amount, kind) for row in rows)), source=mapping)
    report = warehouse.land(write("orders_4.csv", HEADER + rows[0].format(3, "sale")), source=mapping, is_full=True)
    assert "1 keys of orders where 10 were current" in str(report.files[0].reason)
