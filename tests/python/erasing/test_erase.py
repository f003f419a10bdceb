"""Erasing a customer: out of every byte, merged accounts and mentions included, and a redelivery stays erased."""

import random
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from publishing.companies import keep, marks
from publishing.forked import KILLS, Forked
from warehouse.erasing.customer import find_customer
from warehouse.erasing.landing import FOLDER, READY, drop_remembered, finish_erasure, prepare_erasure
from warehouse.erasing.memory import erased_hashes, remember, remembered, without_erased
from warehouse.erasing.texts import patterns_of_names, patterns_of_tokens, redacted
from warehouse.erasing.torn_lines import lines_of_erased
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.mapping import load_mapping
from warehouse.landing.report import Options
from warehouse.landing.zone import read_loads
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import publish_version, published_state
from warehouse.publishing.versions import Version, keep_version, kept_versions
from warehouse.quarantining.listing import Wanted, export_quarantined
from warehouse.runs.erasing import erase_customer
from warehouse.runs.landing import land

# Ids and texts of the customer that is erased; none of them may be left in any byte.
SECRETS = (
    "ACC-SECRET", "ACC-MERGED", "Noa Levi Trading", "Noa Levi the Elder", "DEAL-SECRET", "CONTACT-SECRET",
    "ORDER-SECRET", "LEAD-SECRET", "RESPONDENT-SECRET", "what a dreadful service", "Noa's big renewal",
)  # fmt: skip

EXPORTS = {
    "accounts": """account_id,account_name,email,referred_by_account_id,merged_into_account_id
ACC-SECRET,Noa Levi Trading,noa@levi.example,,
ACC-MERGED,Noa Levi the Elder,old@levi.example,,ACC-SECRET
ACC-OTHER,Other House,other@house.example,ACC-SECRET,
""",
    "contacts": """contact_id,account_id,full_name,email
CONTACT-SECRET,ACC-SECRET,Noa Levi the Elder,noa@levi.example
CONTACT-OTHER,ACC-OTHER,Some Body,some@house.example
""",
    "deals": """deal_id,account_id,stage,deal_name
DEAL-SECRET,ACC-SECRET,demo,Noa's big renewal
DEAL-OTHER,ACC-OTHER,demo,Other renewal
""",
    "deal_stage_history": """deal_id,stage,entered_at
DEAL-SECRET,demo,2025-01-01
DEAL-OTHER,demo,2025-01-01
""",
    "leads": """lead_id,created_at,converted_account_id,converted_deal_id
LEAD-SECRET,2025-01-01,,DEAL-SECRET
LEAD-OTHER,2025-01-01,ACC-OTHER,DEAL-OTHER
""",
    "orders": """order_id,account_id,ordered_at,amount,refund_of_order_id
ORDER-SECRET,ACC-MERGED,2025-01-01,10,
ORDER-OTHER,ACC-OTHER,2025-01-01,10,
""",
    "activities": """activity_id,account_id,activity_type,occurred_at,contact_id
1,ACC-SECRET,call,2025-01-01,CONTACT-SECRET
2,ACC-OTHER,call,2025-01-01,CONTACT-SECRET
""",
    "survey_responses": """response_id,account_id,survey,score,comment,responded_at,respondent_id
1,ACC-SECRET,nps,1,what a dreadful service,2025-01-01,RESPONDENT-SECRET
2,,nps,2,what a dreadful service,2025-02-01,RESPONDENT-SECRET
3,ACC-OTHER,nps,9,better than NOA levi trading and write to noa@levi.example,2025-01-01,RESPONDENT-OTHER
""",
    # One field too many: a row of bad structure that keeps its raw line.
    "support_tickets": """ticket_id,account_id,opened_at,category
7,ACC-SECRET,2025-01-01,billing,one too many
8,ACC-OTHER,2025-01-01,billing
""",
}


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    folder = tmp_path / "exports"
    folder.mkdir()
    for entity, text in EXPORTS.items():
        (folder / f"{entity}.csv").write_text(text, "utf-8")
    paths = WarehousePaths(tmp_path / "warehouse")
    report = land(paths, [folder], Options(), lambda _: lambda __: None)
    assert not report.has_rejected
    return paths


def uncompressed(paths: WarehousePaths) -> dict[Path, bytes]:
    """Return the bytes of every file; Parquet is written again without compression and encodings that hide texts."""
    contents = {}
    for path in paths.root.rglob("*"):
        if path.suffix == ".parquet":
            plain = path.with_suffix(".plain")
            pq.write_table(pq.read_table(path, partitioning=None), plain, compression="none", use_dictionary=False)
            contents[path] = plain.read_bytes()
            plain.unlink()
        elif path.is_file():
            contents[path] = path.read_bytes()
    return contents


def rows(paths: WarehousePaths, entity: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted((paths.landing / entity).glob("*.parquet")):
        found += pq.read_table(path, partitioning=None).to_pylist()
    return found


def test_no_byte_of_the_customer_is_left(paths: WarehousePaths) -> None:
    before = b"".join(uncompressed(paths).values())
    assert all(secret.encode() in before for secret in SECRETS)
    tokens = [row["email"].encode() for row in rows(paths, "accounts")[:2]]
    erased = erase_customer(paths, "ACC-SECRET")
    assert erased.accounts == 2
    for path, contents in uncompressed(paths).items():
        for secret in (*(secret.encode() for secret in SECRETS), *tokens):
            assert secret not in contents, (path, secret)


def test_erased_rows_are_counted_where_they_were(paths: WarehousePaths) -> None:
    erased = erase_customer(paths, "ACC-SECRET")
    counted = {row["entity"]: row["rows_erased"] for row in rows(paths, zone.ERASED)}
    assert counted == {
        "accounts": 2, "contacts": 1, "deals": 1, "deal_stage_history": 1, "leads": 1, "orders": 1,
        "activities": 1, "survey_responses": 2, "support_tickets": 1,
    }  # fmt: skip
    assert erased.landed_rows == sum(counted.values())
    assert rows(paths, zone.QUARANTINE) == []


def test_rows_of_others_stay_without_the_mention(paths: WarehousePaths) -> None:
    erase_customer(paths, "ACC-SECRET")
    assert [(row["account_id"], row["referred_by_account_id"]) for row in rows(paths, "accounts")] == [
        ("ACC-OTHER", None)
    ]
    assert [(row["activity_id"], row["contact_id"]) for row in rows(paths, "activities")] == [("2", None)]
    comments = [row["comment"] for row in rows(paths, "survey_responses")]
    assert comments == ["better than (erased) and write to (erased)"]


def test_any_of_the_merged_accounts_names_the_customer(paths: WarehousePaths) -> None:
    assert erase_customer(paths, "ACC-MERGED").accounts == 2
    assert [row["account_id"] for row in rows(paths, "accounts")] == ["ACC-OTHER"]


MERGED = "account_id,merged_into_account_id\nACC-A,ACC-B\nACC-B,\n"
APART = "account_id,merged_into_account_id\nACC-B,\nACC-A,\n"
ORDERS = "order_id,account_id,ordered_at,amount\nO-A,ACC-A,2024-01-02,10\nO-B,ACC-B,2024-01-02,10\n"


@pytest.mark.parametrize(
    ("calls", "left"),
    [
        # An undated file of the same call is no later delivery of the accounts.
        ([{"accounts_2024-01-01": MERGED, "orders": ORDERS}, {"accounts_2024-06-01": APART}], {"ACC-B"}),
        ([{"accounts_2024-01-01": APART, "accounts_2024-06-01": MERGED, "orders": ORDERS}], set()),
        ([{"accounts_2024-06-01": MERGED, "orders": ORDERS}, {"accounts_2024-01-01": APART}], set()),
        ([{"accounts": MERGED, "orders": ORDERS}, {"accounts": APART}], {"ACC-B"}),
    ],
)
def test_the_latest_merges_say_who_the_customer_is(tmp_path: Path, calls: list[dict[str, str]], left: set[str]) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    for number, files in enumerate(calls):
        folder = tmp_path / f"call_{number}"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.csv").write_text(text, "utf-8")
        assert not land(paths, [folder], Options(), lambda _: lambda __: None).has_rejected
    erase_customer(paths, "ACC-A")
    assert {row["account_id"] for row in [*rows(paths, "accounts"), *rows(paths, "orders")]} == left


def test_the_files_of_a_full_delivery_are_one_when_the_customer_is_looked_for(tmp_path: Path) -> None:
    """Its older file is as young as its youngest, so that it replaces what was exported between them."""
    paths = WarehousePaths(tmp_path / "warehouse")
    other = "account_id,merged_into_account_id\nACC-C,\nACC-D,\n"
    first = {"accounts_2024-01-02": APART + "ACC-C,\nACC-D,\n", "orders": ORDERS}
    for number, files in enumerate((first, {"accounts_2024-01-01": MERGED, "accounts_2024-01-03": other})):
        folder = tmp_path / f"call_{number}"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.csv").write_text(text, "utf-8")
        land(paths, [folder], Options(is_full=number == 1), lambda _: lambda __: None)
    assert erase_customer(paths, "ACC-B").accounts == 2
    assert {row["account_id"] for row in [*rows(paths, "accounts"), *rows(paths, "orders")]} == {"ACC-C", "ACC-D"}


def test_a_row_that_the_published_build_refused_merges_and_parts_nobody(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    for number, text in enumerate((MERGED, "account_id,created_at\nACC-A,not a date\n")):
        folder = tmp_path / f"call_{number}"
        folder.mkdir()
        (folder / "accounts.csv").write_text(text, "utf-8")
        land(paths, [folder], Options(), lambda _: lambda __: None)
    (row,) = (row for row in rows(paths, "accounts") if row["created_at"] is not None)
    paths.published.mkdir(parents=True)
    with duckdb.connect(str(paths.published_file)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.mart_run as select 'run' as run_id")
        address = "? as load_id, ? as file, ? as record_number, 'accounts' as entity"
        connection.execute(
            f"create table marts.quarantined_rows as select {address}",
            [row["load_id"], row["file"], row["record_number"]],
        )
    customer = find_customer(paths, "ACC-B")
    assert customer is not None and customer.accounts == {"ACC-A", "ACC-B"}
    paths.published_file.unlink()
    alone = find_customer(paths, "ACC-B")
    assert alone is not None and alone.accounts == {"ACC-B"}


def test_an_account_may_be_named_by_the_address_that_identifies_it(paths: WarehousePaths, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,account_id,ordered_at,amount\n9,by@address.example,2025-01-01,5\n", "utf-8")
    land(paths, [orders], Options(), lambda _: lambda __: None)
    assert erase_customer(paths, "by@address.example").landed_rows == 1


def test_an_unknown_account_changes_nothing(paths: WarehousePaths) -> None:
    before = {path: path.read_bytes() for path in paths.landing.rglob("*.parquet")}
    with pytest.raises(WarehouseError, match="names this account"):
        erase_customer(paths, "ACC-SECRE")
    assert {path: path.read_bytes() for path in paths.landing.rglob("*.parquet")} == before
    assert erased_hashes(paths) == frozenset()


def test_nothing_is_exported_to_where_no_erasure_would_find_it(paths: WarehousePaths) -> None:
    for target in (paths.root / "open.csv", paths.landing / "open"):
        with pytest.raises(WarehouseError, match="lie in WAREHOUSE_DIR"):
            export_quarantined(paths, Wanted(), target, overwrites=True)


def test_erasing_twice_is_no_error(paths: WarehousePaths) -> None:
    erase_customer(paths, "ACC-SECRET")
    assert erase_customer(paths, "ACC-SECRET").landed_rows == 0


def test_kept_versions_and_the_published_file_lose_the_customer(paths: WarehousePaths, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,account_id,ordered_at,amount\n9,A17,2025-01-01,5\n", "utf-8")
    land(paths, [orders], Options(), lambda _: lambda __: None)
    for run_id in ("first", "second"):
        publish_version(paths, keep(paths, run_id))
    erased = erase_customer(paths, "A17")
    assert erased.version_rows == {"first": 3, "second": 3}
    assert marks(paths.published_file) == {"second"}
    from warehouse.publishing.live import roll_back

    assert published_state(paths) == "live"
    assert roll_back(paths).run_id == "first"
    assert published_state(paths) == "live"


def test_published_names_and_comments_go_with_the_customer(paths: WarehousePaths) -> None:
    """What the variable lets into the published file: own rows, those that name no account, and mentions by others."""
    version = keep(
        paths,
        "run",
        more=[
            "create table made.marts.survey_comments as select * from (values "
            "('1', 'ACC-SECRET', 'what a dreadful service'), ('2', null, 'what a dreadful service'), "
            "('3', 'ACC-OTHER', 'better than NOA Levi trading'), ('4', null, 'fine'), ('5', 'ACC-OTHER', null)"
            ") as made_of(response_id, account_id, comment)",
            "create table made.marts.account_contacts as select * from (values "
            "('CONTACT-SECRET', 'ACC-SECRET', 'Noa Levi the Elder'), ('CONTACT-OTHER', 'ACC-OTHER', 'Some Body')"
            ") as made_of(contact_id, account_id, full_name)",
        ],
    )
    publish_version(paths, version)
    assert erase_customer(paths, "ACC-SECRET").version_rows == {"run": 4}
    with duckdb.connect(str(paths.published_file), read_only=True) as connection:
        comments = connection.execute("from marts.survey_comments order by response_id").fetchall()
        contacts = connection.execute("from marts.account_contacts").fetchall()
    assert comments == [("3", "ACC-OTHER", "better than (erased)"), ("4", None, "fine"), ("5", "ACC-OTHER", None)]
    assert contacts == [("CONTACT-OTHER", "ACC-OTHER", "Some Body")]
    for path, contents in uncompressed(paths).items():
        assert not any(secret.lower().encode() in contents.lower() for secret in SECRETS), path


NAMES = {
    "Ev's (Ltd.) + Co|x": "ev'S (LTD.) + co|X",
    "Łódź Ésta Ünal": "łÓDŹ éSTA üNAL",
    # The longer name holds the shorter one.
    "Noa Levi": "noa LEVI",
    "Noa Levi Trading": "Noa levi TRADING",
}


def test_a_name_is_found_in_any_case_and_with_any_signs(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    exports = tmp_path / "exports"
    exports.mkdir()
    contacts = "".join(f"C{number},A1,{name}\n" for number, name in enumerate(NAMES))
    (exports / "contacts.csv").write_text(f"contact_id,account_id,full_name\n{contacts}", "utf-8")
    torn = "".join(f"O{number},A2,2025-01-01,1,{written}\n" for number, written in enumerate(NAMES.values()))
    (exports / "orders.csv").write_text(
        f"order_id,account_id,ordered_at,amount\n{torn}O9,A2,2025-01-01,1,no\n", "utf-8"
    )
    said = "".join(f"{number},A2,nps,9,not {each} at all,2025-01-01\n" for number, each in enumerate(NAMES.values()))
    header = "response_id,account_id,survey,score,comment,responded_at\n"
    (exports / "survey_responses.csv").write_text(header + said, "utf-8")
    land(paths, [exports], Options(), lambda _: lambda __: None)
    values = ", ".join("('A2', 'not {} at all')".format(each.replace("'", "''")) for each in NAMES.values())
    more = f"create table made.marts.survey_comments as select * from (values {values}) as made_of(account_id, comment)"
    publish_version(paths, keep(paths, "run", more=[more]))
    erase_customer(paths, "A1")
    # What is left of the lines is somebody else's.
    assert [row["raw_line"] for row in rows(paths, zone.QUARANTINE)] == [
        *(f"O{number},A2,2025-01-01,1,(erased)" for number in range(len(NAMES))), "O9,A2,2025-01-01,1,no",
    ]  # fmt: skip
    assert {row["comment"] for row in rows(paths, "survey_responses")} == {"not (erased) at all"}
    with duckdb.connect(str(paths.published_file), read_only=True) as connection:
        assert connection.execute("select distinct comment from marts.survey_comments").fetchall() == [
            ("not (erased) at all",)
        ]


def test_as_many_names_as_a_large_customer_has_are_found() -> None:
    names = [f"person {number} of the house" for number in range(20_000)]
    found = redacted(pa.chunked_array([["by PERSON 19999 of the House", "by nobody"]]), patterns_of_names(names))
    assert found is not None and found.to_pylist() == ["by (erased)", "by nobody"]
    assert redacted(pa.chunked_array([["by nobody"]]), patterns_of_names(names)) is None
    assert patterns_of_names([]) == patterns_of_tokens([]) == []


def test_a_redelivery_stays_erased(paths: WarehousePaths) -> None:
    delivered = {entity: pa.Table.from_pylist(rows(paths, entity)) for entity in ("accounts", "orders", "activities")}
    assert remembered(paths) is None
    erase_customer(paths, "ACC-SECRET")
    contains = remembered(paths)
    assert contains is not None
    for entity, table in delivered.items():
        remaining = without_erased(entity, table, contains)
        assert (remaining.table.num_rows, remaining.erased) == (1, table.num_rows - 1)
        assert not any(secret in str(remaining.table.to_pylist()) for secret in SECRETS)


def test_a_load_that_brings_the_customer_back_is_landed_without(paths: WarehousePaths, tmp_path: Path) -> None:
    again = WarehousePaths(tmp_path / "again")
    private = tmp_path / "private"
    shutil.copytree(paths.landing, private)
    load_id = rows(paths, "orders")[0]["load_id"]
    erase_customer(paths, "ACC-SECRET")
    registry = {"load_id": load_id, "entity": "orders", "file": "orders.csv", "rows_landed": 2, "rows_quarantined": 0}
    result = SimpleNamespace(rows_landed=2, rows_quarantined=0, repairs=[])
    delivery = SimpleNamespace(registry=registry, result=result, quarantine=None)
    assert drop_remembered(again, private, [delivery]) == 0
    assert drop_remembered(paths, private, [delivery]) == 11
    assert registry["rows_landed"] == result.rows_landed == 1
    assert result.repairs == ["rows of erased customers left out: 1"]
    orders = pq.read_table(next((private / "orders").glob("0*.parquet")), partitioning=None)
    assert orders.column("order_id").to_pylist() == ["ORDER-OTHER"]
    counted = pq.read_table(private / zone.ERASED / f"{load_id}.parquet", partitioning=None).to_pylist()
    assert sum(row["rows_erased"] for row in counted) == 11


def torn(*lines: tuple[str, str], key_value: str | None = None) -> pa.Table:
    """Return rows of bad structure: the entity and the raw line of each."""
    found = [{"entity": entity, "raw_line": line, "key_value": key_value} for entity, line in lines]
    return pa.Table.from_pylist(found, zone.QUARANTINE_SCHEMA)


def test_a_redelivered_line_of_bad_structure_is_known(paths: WarehousePaths) -> None:
    erase_customer(paths, "ACC-SECRET")
    contains = remembered(paths)
    assert contains is not None
    lines = {
        ("support_tickets", "7,ACC-SECRET,2025-01-01,billing,one too many"): True,
        ("support_tickets", "8,ACC-SECRETARY,2025-01-01"): False,
        ("orders", '"ORDER-SECRET";"1"'): True,
        ("orders", '{"order_id": "ORDER-SECRET", "amount":'): True,
        ("orders", "9,ACC-OTHER,2025-01-01,1,ORDER-SECRET"): False,
        ("deals", "ORDER-SECRET,ACC-OTHER,demo,torn"): False,
        ("orders", '{"order_id":"9","account_id":"ACC-SECRET","amount":'): True,
        ("orders", ""): False,
    }
    assert lines_of_erased(torn(*lines), contains) == list(lines.values())
    assert lines_of_erased(torn(("orders", "1,2"), key_value="ORDER-SECRET"), contains) == [True]


@pytest.mark.parametrize(
    ("account", "line"),
    [
        ("Noa Levi", "O2,Noa Levi,2025-01-02,10,torn"),
        ("Noa Levi", '{"order_id":"O2","account_id": "Noa Levi", "amount":'),
        ("17", '{"order_id":2,"account_id":17,"amount":'),
        ("crm:17", "O2,crm:17,2025-01-02,10,torn"),
        ("O'Neil", "O2,O'Neil,2025-01-02,10,torn"),
    ],
)
def test_an_identifier_of_any_shape_is_found_in_a_line_of_bad_structure(
    account: str, line: str, tmp_path: Path
) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    remember(paths, {"account": [account]})
    contains = remembered(paths)
    assert contains is not None
    lines = torn(("orders", line), ("orders", line.replace(account, "18")))
    assert lines_of_erased(lines, contains) == [True, False]


@pytest.mark.parametrize(
    ("rule", "account"),
    [
        ("{from: Customer, prefix: shop-}", "shop-A1"),
        ("{from: Customer, values: {A1: '0815'}}", "0815"),
        ("{from: Customer, first_part: '/', prefix: shop-}", "shop-A1"),
        ("{join: [Region, Customer], separator: '-'}", "north-A1"),
        ("{lookup: {file: names.csv, on: Customer, match: name, take: id}}", "4711"),
        ("{first_filled: [{from: Nobody, prefix: x-}, {from: Customer, prefix: shop-}]}", "shop-A1"),
    ],
)
def test_an_identifier_that_the_mapping_makes_is_found_in_a_torn_row(rule: str, account: str, tmp_path: Path) -> None:
    mapping = tmp_path / "shop.yml"
    mapping.write_text(
        "source: shop\nfiles:\n  - header: [Order, Nobody, Region, Customer, Day, Total]\n"
        "    entities:\n      - entity: orders\n"
        f"        columns: {{order_id: Order, account_id: {rule}, ordered_at: Day, amount: Total}}\n",
        "utf-8",
    )
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "names.csv").write_text("id,name\n4711,A1\n4712,A2\n", "utf-8")
    header = "Order,Nobody,Region,Customer,Day,Total\n"
    torn = "2,,north,A1,2025-01-02,10,torn\n3,,north,A2,2025-01-02,10,torn\n"
    (exports / "orders.csv").write_text(f"{header}1,,north,A1,2025-01-01,10\n{torn}", "utf-8")
    paths = WarehousePaths(tmp_path / "warehouse")
    land(paths, [exports / "orders.csv"], Options(mapping=load_mapping(str(mapping))), lambda _: lambda __: None)
    erase_customer(paths, account)
    assert [row["raw_line"] for row in rows(paths, zone.QUARANTINE)] == ["3,,north,A2,2025-01-02,10,torn"]
    (exports / "orders.csv").write_text(f"{header}{torn}", "utf-8")
    land(paths, [exports / "orders.csv"], Options(mapping=load_mapping(str(mapping))), lambda _: lambda __: None)
    assert {row["raw_line"] for row in rows(paths, zone.QUARANTINE)} == {"3,,north,A2,2025-01-02,10,torn"}


def test_a_torn_row_that_stays_erased_is_no_quarantined_row(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    remember(paths, {"account": ["A1"]})
    export = tmp_path / "orders.csv"
    export.write_text("order_id,account_id,ordered_at,amount\nO1,A1,2025-01-01,1,torn\nO2,A2,2025-01-01,1,torn\n")
    report = land(paths, [export], Options(), lambda _: lambda _: None)
    assert report.reasons == {"ragged_row": 1}
    assert (report.files[0].rows_in, report.files[0].rows_quarantined) == (2, 1)


@pytest.mark.parametrize("contents", ["", "{", "[]", '{"x": 1}', '{"hashes": "none"}'])
def test_a_damaged_memory_lands_nothing(contents: str, tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    remember(paths, {"account": ["A1"]})
    (paths.root / "erased.json").write_text(contents)
    export = tmp_path / "accounts.csv"
    export.write_text("account_id\nA1\n")
    with pytest.raises(WarehouseError, match=r"erased\.json .* is damaged"):
        land(paths, [export], Options(), lambda _: lambda _: None)
    with pytest.raises(WarehouseError, match=r"erased\.json .* is damaged"):
        remember(paths, {"account": ["A2"]})
    assert read_loads(paths) == []


def test_the_memory_is_of_use_with_its_own_key_only(paths: WarehousePaths) -> None:
    erase_customer(paths, "ACC-SECRET")
    kept = (paths.root / "token.key").read_text()
    (paths.root / "token.key").unlink()
    with pytest.raises(WarehouseError, match=r"restore token\.key"):
        remembered(paths)
    (paths.root / "token.key").write_text(kept)
    contains = remembered(paths)
    assert contains is not None
    assert contains("account", pa.array(["ACC-SECRET", "ACC-OTHER"])).to_pylist() == [True, False]
    assert "ACC-SECRET" not in (paths.root / "erased.json").read_text()


def test_a_deleted_key_goes_with_its_customer_and_stays_away(tmp_path: Path) -> None:
    paths = WarehousePaths(tmp_path / "warehouse")
    mapping = tmp_path / "shop.yml"
    mapping.write_text(
        "source: shop\nfiles:\n"
        "  - name: accounts*\n    entities: [{entity: accounts, columns: {account_id: Id}, deleted: {Gone: yes}}]\n"
        "  - name: tickets*\n    entities:\n"
        "      - entity: support_tickets\n        columns: {ticket_id: Id, account_id: Of, opened_at: Day}\n"
        "        deleted: {Gone: yes}\n"
    )
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, tail in ((first, ""), (second, "A3,\n")):
        folder.mkdir()
        (folder / "accounts.csv").write_text(f"Id,Gone\nA1,\nA2,\nA1,yes\nA2,yes\n{tail}")
        (folder / "tickets.csv").write_text(
            f"Id,Of,Day,Gone\nA1,A9,2025-01-01,yes\n{tail.replace(',', ',A9,2025-01-01,')}"
        )
    options = Options(mapping=load_mapping(str(mapping)))
    land(paths, [first], options, lambda _: lambda __: None)
    erase_customer(paths, "A1")
    land(paths, [second], options, lambda _: lambda __: None)
    keys = [(row["entity"], row["key_value"]) for row in rows(paths, zone.DELETIONS)]
    assert sorted(keys) == [("accounts", "A2")] * 2 + [("support_tickets", "A1")] * 2


def test_an_erasure_killed_at_any_moment_is_finished_by_the_next(paths: WarehousePaths, tmp_path: Path) -> None:
    for run_id in ("first", "second"):
        version = keep(paths, run_id, more=["insert into made.marts.nps values ('" + run_id + "', 'ACC-SECRET', 1)"])
        publish_version(paths, version)
    whole = WarehousePaths(tmp_path / "whole")
    shutil.copytree(paths.root, whole.root)
    begun = time.monotonic()
    erase_customer(whole, "ACC-SECRET")
    longest = time.monotonic() - begun
    chance = random.Random(20250701)
    kills, again = max(4, KILLS // 10), 0
    with Forked("erase") as erasing:
        for number in range(kills):
            copy = WarehousePaths(tmp_path / f"copy-{number}")
            shutil.copytree(paths.root, copy.root)
            erasing.killed(copy, chance.uniform(0, longest))
            # Readers see one whole run, with this customer or without.
            assert marks(copy.published_file) == {"second"}
            if published_state(copy) == "damaged":
                again += 1
            erase_customer(copy, "ACC-SECRET")
            assert published_state(copy) == "live"
            assert marks(copy.published_file) == {"second"}
            for path, contents in uncompressed(copy).items():
                assert not any(secret.encode() in contents for secret in SECRETS), path
            shutil.rmtree(copy.root)
    sys.stdout.write(f"{kills} killed erasures, {again} between a version and the published file\n")


@pytest.mark.parametrize("step", ["publishing.versions.keep_version", "erasing.versions.swap_in"])
def test_an_erasure_killed_between_two_renames_is_finished_by_the_next(
    paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    for run_id in ("first", "second"):
        version = keep(paths, run_id, more=["insert into made.marts.nps values ('" + run_id + "', 'ACC-SECRET', 1)"])
        publish_version(paths, version)
    published = uncompressed(paths)[paths.published_file]

    def killed(place: WarehousePaths, *arguments: Any) -> Version:
        if step.endswith("swap_in") or "second" in arguments:
            raise KeyboardInterrupt
        return keep_version(place, *arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(f"warehouse.{step}", killed)
        erase_customer(paths, "ACC-SECRET")
    assert uncompressed(paths)[paths.published_file] == published
    erase_customer(paths, "ACC-SECRET")
    assert published_state(paths) == "live"
    assert list(kept_versions(paths)) == ["first", "second"]
    assert marks(paths.published_file) == {"second"}
    for path, contents in uncompressed(paths).items():
        assert not any(secret.encode() in contents for secret in SECRETS), path


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_killed_erasure_is_finished_or_never_was(paths: WarehousePaths, is_ready: bool) -> None:
    customer = find_customer(paths, "ACC-SECRET")
    assert customer is not None
    prepare_erasure(paths, customer)
    if is_ready:
        (paths.root / FOLDER / READY).touch()
        # The kill came when one file was in place already.
        first = sorted((paths.root / FOLDER).glob("*/*.parquet"))[0]
        first.replace(paths.landing / first.parent.name / first.name)
    finish_erasure(paths)
    left = {row["account_id"] for row in rows(paths, "accounts")}
    assert left == ({"ACC-OTHER"} if is_ready else {"ACC-OTHER", "ACC-SECRET", "ACC-MERGED"})
    assert bool(rows(paths, zone.ERASED)) is is_ready
    assert not (paths.root / FOLDER).exists()
