"""Mapping files: what they can say, how they fail, and the shipped ones on each vendor's documented shape."""

# ruff: noqa: E501 - the header lines of the vendors are kept whole.

import datetime
import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from landing.conftest import Warehouse
from warehouse.errors import WarehouseError
from warehouse.landing.mapping import load_mapping, shipped_mappings

Write = Callable[..., Path]


@pytest.mark.parametrize("name", shipped_mappings())
def test_shipped_mappings_are_valid_and_named_like_their_file(name: str) -> None:
    assert load_mapping(name).name == name


def rule(**settings: object) -> str:
    entity = {
        "entity": "orders",
        "columns": {"order_id": "id", "account_id": "who", "ordered_at": "day", "amount": "sum"},
    }
    return yaml.safe_dump({"files": [{"name": "*.csv", "entities": [{**entity, **settings}]}]})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("files: [", "line"),
        ("- 1", "table"),
        ("source: x", "'files' is missing"),
        ("files: []\nsurce: x", "did you mean source"),
        ("files: [{name: '*', entities: [{entity: order, columns: {}}]}]", "did you mean orders"),
        (
            "files: [{name: '*', entities: [{entity: orders, columns: {order_id: id}}]}]",
            "'account_id' is neither",
        ),
        ("files: [{entities: [{entity: orders}]}]", "needs 'name'"),
        (rule(columns={"order_idd": "id"}), "did you mean order_id"),
        (rule(constants={"order_id": "x"}), "given twice"),
        (rule(where={"a": {"nott": "x"}}), "unknown setting"),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  header_rows: 0"), "column_names"),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  delimiter: x"), "delimiter"),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  encoding: klingon"), "encoding"),
        (rule().replace("amount: sum", "amount: {from: sum, date_format: YYYY}"), "%Y-%m-%d"),
        (rule().replace("amount: sum", "amount: {matches: '('}"), "pattern"),
        (
            rule().replace("amount: sum", "amount: {from: sum, divide_by: 0}"),
            "divide_by: must be a whole number from 1",
        ),
        (
            rule().replace("amount: sum", "amount: {from: sum, divide_by: {column: c, values: {month: 0}}}"),
            "divide_by: must be a whole number from 1",
        ),
        (
            rule().replace("ordered_at: day", "ordered_at: {from: day, timezone: Europe/Nowhere}"),
            "ordered_at, timezone: must be a name of the IANA database",
        ),
        (rule().replace("ordered_at: day", "ordered_at: {from: day, timezone: [UTC]}"), "timezone: must be a name"),
        (
            rule().replace("amount: sum", "amount: {from: sum, timezone: UTC}"),
            "timezone, day and add_days are for columns of times",
        ),
        (
            rule().replace("amount: sum", "amount: {first_filled: [a, {from: sum, timezone: UTC}]}"),
            "timezone, day and add_days are for columns of times",
        ),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  note: [a]"), "note: must be one line"),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  note: ''"), "note: must be one line"),
        (rule().replace("name: '*.csv'", f"name: '*.csv'\n  note: {'a' * 301}"), "note: must be one line"),
        (rule().replace("amount: sum", "amount: {from: sum, add_days: 1}"), "add_days are for columns of times"),
        (
            rule().replace("ordered_at: day", "ordered_at: {from: day, add_days: 367}"),
            "add_days: must be a whole number from -366 to 366",
        ),
        (rule().replace("ordered_at: day", "ordered_at: {from: day, day: false}"), "ordered_at, day: must be true"),
        (rule().replace("amount: sum", "amount: {from: sum, day: true}"), "day and add_days are for columns of times"),
        ("files: [{name: a, entities: [{entity: deals}, {entity: deals}]}]", "twice"),
        ("a: &a [*a]\nfiles: *a", ""),
        (rule(where=["Paid"]), "where: must be a table"),
        ("files: [{name: a, entities: [{entity: []}]}]", "unknown entity"),
        (rule().replace("files:", "provides: true\nfiles:"), "provides: must be a table"),
        *(
            (rule().replace("amount: sum", f"amount: {{from: sum, {setting}}}"), f"{place}: must be a text")
            for setting, place in (
                ("values: {a: [b]}", "values"),
                ("default: {a: b}", "default"),
                ("first_part: [a]", "first_part"),
                ("divide_by: {column: [a], values: {b: 2}}", "divide_by, column"),
            )
        ),
        (rule().replace("amount: sum", "amount: {join: [a, b], separator: [a]}"), "separator: must be a text"),
        (
            rule().replace("amount: sum", "amount: {lookup: {file: [a], on: b, match: c, take: d}}"),
            "lookup, file: must be a text",
        ),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  sheet: [a]"), "sheet: must be a text"),
        (rule().replace("name: '*.csv'", "name: '*.csv'\n  delimiter: [a]"), "delimiter: must be a text"),
    ],
)
def test_wrong_mappings_say_where_in_one_line(text: str, word: str, write: Write) -> None:
    with pytest.raises(WarehouseError) as caught:
        load_mapping(str(write("mine.yml", text)))
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("mine.yml")


# Each line stands for ten times the values of the line before it.
BOMB = "".join(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 20))


@pytest.mark.parametrize(
    "text",
    [
        f"a0: &a0 [x]\n{BOMB}files: *a19\n",
        f"a0: &a0 {{k: v}}\n{BOMB}files: [{{<<: *a19, name: a, entities: []}}]\n",
    ],
)
def test_aliases_of_aliases_are_refused_before_they_are_written_out(text: str, write: Write) -> None:
    begun = time.monotonic()
    with pytest.raises(WarehouseError, match=r"^mine.yml: its aliases \(\*\) stand for too many values$"):
        load_mapping(str(write("mine.yml", text)))
    assert time.monotonic() - begun < 5


def test_an_alias_repeats_a_setting(write: Write) -> None:
    text = rule(columns={"order_id": "id", "account_id": "who", "ordered_at": "day", "amount": "sum"})
    text = text.replace("account_id: who", "account_id: &who {from: who, default: x}\n      currency: *who")
    columns = load_mapping(str(write("mine.yml", text))).files[0].entities[0].columns
    assert columns["currency"] == columns["account_id"]


@pytest.mark.parametrize("name", ["salesforc", "../salesforce", "nothing.yml", "/etc/passwd"])
def test_unknown_mappings(name: str) -> None:
    with pytest.raises(WarehouseError, match="no mapping"):
        load_mapping(name)


EVERYTHING = """
source: everything
files:
  - name: "export*.csv"
    delimiter: semicolon
    encoding: cp1252
    skip_rows: 2
    decimal: ","
    thousands: "."
    entities:
      - entity: deals
        columns:
          deal_id: {join: [Year, Number], separator: "-"}
          account_id: Customer
          stage: {from: [Phase, State], values: {gewonnen: Won}}
          amount: Value
          created_at: {from: Opened, date_format: ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}
          closed_at: {first_filled: [Closed, {from: Opened, date_format: "%d.%m.%Y"}]}
          competitor: {from: Rivals, first_part: "/"}
          lost_reason: {from: Nothing}
          owner_id: {from: Nobody, default: house}
          deal_name: {lookup: {file: "names*.csv", "on": Number, match: Number, take: Name}}
        constants: {currency: EUR}
        where: {Number: filled, Kind: {not: [Test]}}
      - entity: accounts
        columns: {account_id: Customer, account_name: Customer}
        where: {Customer: filled}
        distinct: true
provides:
  deal_stages:
    - {pipeline: default, stage: Won, stage_order: 1, is_won: true, is_lost: false}
"""


def test_what_a_mapping_can_say(warehouse: Warehouse, write: Write) -> None:
    mapping = write("everything.yml", EVERYTHING, "mappings")
    text = (
        "Report\nmade today\nYear;Number;Customer;State;Value;Opened;Closed;Rivals;Kind\n"
        "24;1;Müller;gewonnen;1.234,50;01.02.2024 10:30;;a / b;Deal\n"
        "24;2;Müller;offen;12,3.4;31.02.2024;05.06.2024;;Deal\n"
        "24;3;Test;offen;1;;;;Test\n"
        ";;;;;;;;Total\n"
        "24;4;Ada;offen;12;03.04.2024;;;Deal\n"
    )
    write("names.csv", "Number,Name\n1,One\n4,Four\n")
    report = warehouse.land(write("export.csv", text.encode("cp1252")), source=str(mapping))
    assert {result.entity: (result.rows_in, result.rows_landed) for result in report.files} == {
        "deals": (3, 3), "accounts": (3, 3), "deal_stages": (1, 1),
    }  # fmt: skip
    columns = "deal_id, account_id, stage, amount, created_at, closed_at, competitor, owner_id, deal_name, currency"
    assert warehouse.rows("deals", columns) == [
        (
            "24-1",
            "Müller",
            "Won",
            "1234.50",
            "2024-02-01 10:30:00",
            "01.02.2024 10:30",
            "a",
            "house",
            "One",
            "EUR",
        ),
        # What a declared format or separator does not fit stays for staging to quarantine.
        ("24-2", "Müller", "offen", "12,3.4", "31.02.2024", "05.06.2024", None, "house", None, "EUR"),
        ("24-4", "Ada", "offen", "12", "2024-04-03", "2024-04-03", None, "house", "Four", "EUR"),
    ]
    assert warehouse.rows("deals", "line_number, record_number") == [(4, 1), (5, 2), (8, 5)]
    deals = next(result for result in report.files if result.entity == "deals")
    assert "rows that are no deals: 2" in deals.repairs
    accounts = next(result for result in report.files if result.entity == "accounts")
    assert "equal rows taken once: 1 left out" in accounts.repairs
    assert not warehouse.land(write("export_2.csv", text.encode("cp1252")), source=str(mapping)).has_rejected
    assert len(warehouse.rows("deals")) == 3


def test_a_corrected_mapping_lands_the_file_anew(warehouse: Warehouse, write: Write) -> None:
    export = write("data.csv", "id,who,day,sum\n1,2,2024-01-01,4\n")
    warehouse.land(export, source=str(write("mine.yml", rule(), "mappings")))
    warehouse.land(export, source=str(write("mine.yml", rule(constants={"currency": "USD"}), "mappings")))
    warehouse.land(export, source=str(write("mine.yml", rule(constants={"currency": "USD"}), "mappings")))
    assert len(warehouse.loads()) == 2


def test_generated_keys_match_again_and_keep_duplicates(warehouse: Warehouse, write: Write) -> None:
    text = rule().replace("order_id: id", "order_id: {generated: true}")
    mapping = str(write("mine.yml", text, "mappings"))
    lines = ["who,day,sum", "A,2024-01-01,5", "A,2024-01-01,5", "B,2024-01-01,5"]
    warehouse.land(write("one.csv", "\n".join(lines)), source=mapping)
    warehouse.land(write("two.csv", "\n".join([*lines, "C,2024-01-02,1"])), source=mapping)
    first = [row[0] for row in warehouse.rows("orders", "order_id") if row]
    assert len(first) == 7
    assert len(set(first)) == 4


def test_generated_keys_do_not_depend_on_new_columns_or_their_order(warehouse: Warehouse, write: Write) -> None:
    mapping = str(write("mine.yml", rule().replace("order_id: id", "order_id: {generated: true}"), "mappings"))
    warehouse.land(write("one.csv", "who,day,sum\nA,2024-01-01,5\nB,2024-01-01,\n"), source=mapping)
    later = "day,who,new,sum\n2024-01-01,A,,5\n2024-01-01,B,,\n2024-01-01,B,5,\n,5,,\n"
    warehouse.land(write("two.csv", later), source=mapping)
    keys = [key for (key,) in warehouse.rows("orders", "order_id") if key]
    # Cells under other names are other contents.
    assert (len(keys), len(set(keys))) == (6, 4)


def test_a_missing_mapped_column_names_the_closest(warehouse: Warehouse, write: Write) -> None:
    mapping = str(write("mine.yml", rule(), "mappings"))
    result = warehouse.land(write("data.csv", "id,who,day,sums\n1,2,3,4\n"), source=mapping).files[0]
    assert (result.verdict, "'sums'" in str(result.reason)) == ("rejected", True)


def landed(warehouse: Warehouse, path: Path, source: str, columns: str) -> list[tuple[object, ...]]:
    report = warehouse.land(path, source=source)
    assert not report.has_rejected, report.files[0].reason
    return warehouse.rows(str(report.files[0].entity), columns)


def test_hubspot_view_export(warehouse: Warehouse, write: Write) -> None:
    text = (
        "Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Pipeline,Create Date,Associated Company IDs\n"
        "101,Big one,Closed Won,2024-03-01 10:00,Ann,5000,Sales Pipeline,2024-01-01 09:00,7;8\n"
    )
    rows = landed(
        warehouse,
        write("hubspot-crm-exports-all-deals-2024-03-02.csv", text),
        "hubspot",
        "deal_id, stage, account_id, pipeline, closed_at",
    )
    assert rows == [("101", "Closed Won", "7", "Sales Pipeline", "2024-03-01 10:00")]
    assert str(warehouse.loads()[0]["exported_at"])[:10] == "2024-03-02"


HUBSPOT_DEALS = (
    "Record ID,Deal Name,Deal Stage,Close Date,Amount,Pipeline,Create Date\n"
    "101,Big one,Closed Won,2024-03-01 10:00,5000,Sales Pipeline,2024-01-01 09:00\n"
)
HUBSPOT_COMPANIES = "Record ID,Company name\n7,Noa Levi Trading\n"


def zipped(**contents: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in contents.items():
            archive.writestr(f"{name}.csv", text)
    return buffer.getvalue()


def test_archives_of_a_folder_are_matched_by_the_name_inside(warehouse: Warehouse, write: Write) -> None:
    write("export3.zip", zipped(all_deals=HUBSPOT_DEALS))
    write("export4.zip", zipped(invoices="Number\n1\n"))
    write("both.zip", zipped(all_deals=HUBSPOT_DEALS, all_companies=HUBSPOT_COMPANIES))
    folder = write("torn.zip", "PK").parent
    report = warehouse.land(folder, source="hubspot")
    assert [(each.file, each.verdict) for each in report.files if each.entity == "deals"] == [
        ("export3.zip/all_deals.csv", "accepted")
    ]
    assert not report.has_rejected
    assert report.skipped == [
        ("both.zip", "holds 2 files: an archive must hold exactly one"),
        ("export4.zip", "no part of the mapping hubspot"),
        ("torn.zip", "is a damaged ZIP archive"),
    ]


def test_files_of_other_vendors_in_a_folder_are_skipped(warehouse: Warehouse, write: Write) -> None:
    # Fewer rows than a header of Qualtrics has.
    others = [write("companies.csv", HUBSPOT_COMPANIES), write("deals.csv", HUBSPOT_DEALS), write("one.csv", "id\n")]
    with pytest.raises(WarehouseError, match="no export files there"):
        warehouse.land(others[0].parent, source="qualtrics")
    import_ids = ",".join('"{""ImportId"":""QID1""}"' for _ in range(6)) + "\n"
    folder = write("survey.csv", QUALTRICS_NAMES + QUALTRICS_WORDING + import_ids + QUALTRICS_ROW).parent
    report = warehouse.land(folder, source="qualtrics")
    assert {each.file: each.verdict for each in report.files if each.entity != "surveys"} == {"survey.csv": "accepted"}
    assert report.skipped == [(path.name, "no part of the mapping qualtrics") for path in others]
    # What is named itself, and what the vendor's header says to be its own, is not passed over.
    assert warehouse.land(*others, source="qualtrics").has_rejected
    write("survey.csv", QUALTRICS_NAMES + QUALTRICS_ROW)
    (result,) = warehouse.land(folder, source="qualtrics").files
    assert (result.file, result.verdict) == ("survey.csv", "rejected")


def test_a_header_alone_tells_which_files_of_a_folder_are_meant(warehouse: Warehouse, write: Write) -> None:
    mapping = write("mine.yml", rule().replace("name: '*.csv'", "header: [who, sum]"), "mappings")
    write("data.csv", "id,who,day,sum\n1,2,2024-01-01,4\n")
    folder = write("deals.csv", HUBSPOT_DEALS).parent
    report = warehouse.land(folder, source=str(mapping))
    assert ([each.verdict for each in report.files], report.skipped) == (
        ["accepted"], [("deals.csv", "no part of the mapping mine")],
    )  # fmt: skip


def test_a_name_or_a_header_tells_which_files_of_a_folder_are_meant(warehouse: Warehouse, write: Write) -> None:
    by_header = "{header: [who, sum], entities: [{entity: products, columns: {product_id: who}}]}"
    by_name = "{name: 'mine*.csv', entities: [{entity: products, columns: {product_id: code}}]}"
    mapping = write("mine.yml", f"files: [{by_header}, {by_name}]", "mappings")
    write("mine.csv", "code\nP1\n")
    write("data.csv", "who,sum\nP2,1\n")
    other = write("notes.csv", "X,Y\n1,2\n")
    report = warehouse.land(other.parent, source=str(mapping))
    assert {each.file: each.verdict for each in report.files} == {"data.csv": "accepted", "mine.csv": "accepted"}
    assert report.skipped == [("notes.csv", "no part of the mapping mine")]
    # A file that is named itself is not passed over.
    assert warehouse.land(other, source=str(mapping)).has_rejected


def test_a_file_in_which_values_are_looked_up_is_not_called_unknown(warehouse: Warehouse, write: Write) -> None:
    lookup = "{lookup: {file: 'companies*', 'on': id, match: deal, take: company}}"
    entities = f"entities: [{{entity: deals, columns: {{deal_id: id, stage: stage, account_id: {lookup}}}}}]"
    mapping = write("mine.yml", f"files: [{{name: 'deals*.csv', {entities}}}]", "mappings")
    write("deals.csv", "id,stage\nD1,won\n")
    folder = write("companies_of_deals.csv", "deal,company\nD1,A1\n").parent
    write("notes.csv", "X,Y\n1,2\n")
    report = warehouse.land(folder, source=str(mapping))
    assert report.skipped == [
        ("companies_of_deals.csv", "the mapping looks values up in it"),
        ("notes.csv", "no part of the mapping mine"),
    ]
    assert warehouse.rows("deals", "account_id") == [("A1",)]


def test_a_lookup_that_cannot_be_made_says_what_it_needs(warehouse: Warehouse, write: Write) -> None:
    lookup = "{lookup: {file: 'companies*', 'on': id, match: deal, take: company}}"
    entities = f"entities: [{{entity: deals, columns: {{deal_id: id, stage: stage, account_id: {lookup}}}}}]"
    mapping = write("mine.yml", f"files: [{{name: 'deals*.csv', {entities}}}]", "mappings")
    deals = write("deals.csv", "id,stage\nD1,won\n")
    write("companies.csv", "deal,company,company\nD1,A1,A2\n")
    [result] = warehouse.land(deals, source=str(mapping)).files
    needs = "needs exactly one column 'deal' and one 'company': so the mapping says"
    assert result.reason == f"the lookup file companies.csv {needs}"
    write("companies_2.csv", "deal,company\nD1,A1\n")
    [result] = warehouse.land(deals, source=str(mapping)).files
    assert str(result.reason).startswith("companies.csv, companies_2.csv beside it fit the mapping's lookup")


def test_a_vendor_brings_its_stages_along_with_deals(warehouse: Warehouse, write: Write) -> None:
    broken = write("broken_deals.csv", HUBSPOT_DEALS.replace("Deal Stage", "Phase"))
    warehouse.land(write("companies.csv", HUBSPOT_COMPANIES), broken, source="hubspot")
    assert warehouse.rows("deal_stages") == []
    warehouse.land(write("deals.csv", HUBSPOT_DEALS), source="hubspot")
    moment = datetime.datetime(2025, 1, 1)
    warehouse.land(write("deals.csv", HUBSPOT_DEALS + "\n"), source="hubspot", is_full=True, exported_at=moment)
    assert [load["load_sequence"] for load in warehouse.loads() if load["entity"] == "deal_stages"] == [2]
    outcomes = warehouse.rows("deal_stages", "pipeline, stage, is_won, is_lost")
    assert ("Sales Pipeline", "Closed Won", "true", "false") in outcomes
    assert ("Sales Pipeline", "Closed Lost", "false", "true") in outcomes
    # The same again brings nothing, another vendor its own.
    warehouse.land(write("deals_2.csv", HUBSPOT_DEALS.replace("101", "102")), source="hubspot")
    assert len(warehouse.rows("deal_stages")) == len(outcomes)
    warehouse.land(
        write("deals.csv", "Deal - ID,Deal - Stage,Deal - Status\n1,Demo Scheduled,won\n"), source="pipedrive"
    )
    assert ("Won",) in warehouse.rows("deal_stages", "stage")


def test_stages_of_ones_own_speak_whatever_a_vendor_brings_along(warehouse: Warehouse, write: Write) -> None:
    own = "pipeline,stage,stage_order,is_won,is_lost\nSales Pipeline,Signed,1,true,false\n"
    warehouse.land(write("deal_stages.csv", own))
    warehouse.land(write("deals.csv", HUBSPOT_DEALS), source="hubspot")
    assert warehouse.rows("deal_stages", "stage") == [("Signed",)]


def test_stages_of_ones_own_replace_what_a_vendor_brought_along(warehouse: Warehouse, write: Write) -> None:
    """They are of one source, within which a full delivery deletes; the deals are another's."""
    warehouse.land(write("deals.csv", HUBSPOT_DEALS), source="hubspot", is_full=True)
    own = "pipeline,stage,stage_order,is_won,is_lost\nSales Pipeline,Signed,1,true,false\n"
    warehouse.land(write("deal_stages.csv", own), is_full=True)
    assert [(load["entity"], load["file"], load["source"], load["is_full"]) for load in warehouse.loads()] == [
        ("deals", "deals.csv", "hubspot", True),
        ("deal_stages", "hubspot.yml", "", False),
        ("deal_stages", "deal_stages.csv", "", True),
    ]


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        # Which day an instant lies on depends on the reporting_timezone: staging says it.
        ("2024-03-01T14:30:00.000+0000", "2024-03-01T14:30:00.000+0000 day"),
        ("2024-03-01T14:30:00Z", "2024-03-01T14:30:00Z day"),
        ("2024-03-01 14:30 -0500", "2024-03-01 14:30 -0500 day"),
        ("2024-03-01 14:30:00", "2024-03-01"),
        ("2024-03-01T14:30", "2024-03-01"),
        ("2024-03-01", "2024-03-01"),
        ("soon", "soon"),
    ],
)
def test_the_day_of_a_closing_is_compared_with_the_day_of_the_creation(
    warehouse: Warehouse, write: Write, created: str, expected: str
) -> None:
    deals = (
        f"Id,StageName,CloseDate,CreatedDate,RecordTypeId\n006A,Closed Won,2024-03-01,{created},012000000000000AAA\n"
    )
    rows = landed(warehouse, write("Opportunity.csv", deals), "salesforce", "created_at, closed_at, pipeline")
    assert rows == [(expected, "2024-03-01", None)]
    deals = f"id,account_id,stage_name,close_date,created_date\n006B,001,Closed Won,2024-03-01 00:00:00,{created}\n"
    warehouse.land(write("sf_opportunity_data.csv", deals), source="salesforce_connector")
    assert warehouse.rows("deals", "created_at", "deal_id desc")[0] == (expected,)
    deals = f"Record Id,Deal Name,Account Name,Closing Date,Stage,Created Time\nzcrm_1,D,Org,2024-03-01,Closed Won,{created}\n"
    warehouse.land(write("Deals.csv", deals), source="zoho")
    assert warehouse.rows("deals", "created_at, closed_at", "deal_id desc")[0] == (expected, "2024-03-01")


def test_google_forms_times_are_those_of_the_sheet(warehouse: Warehouse, write: Write) -> None:
    text = "Timestamp,How likely are you to recommend us?\n{}\n"
    times = ["2024/06/01 10:00:00 AM EET", "2024/06/01 1:00:00 PM GMT+3", "6/1/2024 10:00:00", "2024/06/01 10 AM EET"]
    path = write("form.csv", text.format("\n".join(f"{time},9" for time in times)))
    found = [row[0] for row in landed(warehouse, path, "google_forms", "responded_at")]
    assert found == ["2024-06-01 10:00:00", "2024-06-01 13:00:00", "2024-06-01 10:00:00", "2024/06/01 10 AM EET"]


@pytest.mark.parametrize(
    ("timezone", "cells"),
    [
        (
            "Europe/Berlin",
            {
                "2024-06-01 10:01:00": "2024-06-01 10:01:00+02:00",
                "2024-01-01T10:01": "2024-01-01T10:01+01:00",
                "2024-06-01 9:05:00.123456789": "2024-06-01 9:05:00.123456789+02:00",
                # Before, at and after both ambiguous hours of the day that has 25, and the hour that another day lacks.
                "2024-10-27 01:59:59": "2024-10-27 01:59:59+02:00",
                "2024-10-27 02:30": "2024-10-27 02:30+02:00",
                "2024-10-27 03:00": "2024-10-27 03:00+01:00",
                "2024-03-31 02:30": "2024-03-31 02:30+01:00",
                "2024-03-31 03:30": "2024-03-31 03:30+02:00",
                # Days, times with an offset, and what is no time stay.
                "2024-06-01": "2024-06-01",
                "2024-06-01 10:01:00Z": "2024-06-01 10:01:00Z",
                "2024-06-01 10:01:00 -05:00": "2024-06-01 10:01:00 -05:00",
                "1713497396": "1713497396",
                "2024-06-31 10:00": "2024-06-31 10:00",
                "2024-06-01 24:00": "2024-06-01 24:00",
                "9999-12-31 23:59": "9999-12-31 23:59+01:00",
                "1890-01-01 00:00": "1890-01-01 00:00",
                "٢٠٢٤-٠٦-٠١ ١٠:٠٠": "2024-06-01 10:00+02:00",
                # After the declared format.
                "06/01/2024 10:01 PM": "2024-06-01 22:01:00+02:00",
                "06/01/2024": "2024-06-01",
            },
        ),
        ("UTC", {"2024-10-27 02:30:00": "2024-10-27 02:30:00+00:00"}),
        # Clocks are changed at midnight, in both directions.
        ("Asia/Beirut", {"2024-03-31 00:30": "2024-03-31 00:30+02:00", "2024-03-31 01:30": "2024-03-31 01:30+03:00"}),
        (
            "America/Havana",
            {"2024-11-03 00:30": "2024-11-03 00:30-04:00", "2024-11-03 01:30": "2024-11-03 01:30-05:00"},
        ),
    ],
)
def test_times_of_a_declared_zone_get_its_offset(
    timezone: str, cells: dict[str, str], warehouse: Warehouse, write: Write
) -> None:
    formats = '["%m/%d/%Y %I:%M %p", "%m/%d/%Y"]'
    text = rule().replace("ordered_at: day", f"ordered_at: {{from: day, date_format: {formats}, timezone: {timezone}}}")
    lines = "".join(f"{number},a,{cell},1\n" for number, cell in enumerate(cells))
    report = warehouse.land(
        write("data.csv", f"id,who,day,sum\n{lines}"), source=str(write("mine.yml", text, "mappings"))
    )
    assert [moment for (moment,) in warehouse.rows("orders", "ordered_at")] == list(cells.values())
    changed = sum(len(after) > len("2024-06-01") and before != after for before, after in cells.items())
    assert f"times read in the declared zone: {changed}" in report.files[0].repairs


@pytest.mark.parametrize("name", shipped_mappings())
def test_columns_that_name_their_zone_are_read_in_it(name: str) -> None:
    for file in load_mapping(name).files:
        for column in (column for entity in file.entities for column in entity.columns.values()):
            named = [source for part in (column, *column.first_filled) for source in part.sources]
            if any(re.search(r"\b(UTC|GMT)\b", source) for source in named):
                assert {part.timezone or column.timezone for part in column.first_filled or (column,)} == {"UTC"}


@pytest.mark.parametrize(
    ("setting", "cells"),
    [
        (
            "add_days: 1",
            {
                "2024-02-28": "2024-02-29",
                "2024-2-9": "2024-02-10",
                "31/12/2024": "2025-01-01",
                "9999-12-31": "9999-12-31",
                "2024-02-30": "2024-02-30",
                "2024-02-28 23:59:59": "2024-02-28 23:59:59",
                "20240228": "20240228",
                "": None,
            },
        ),
        ("day: true, add_days: -1", {"2024-03-01 23:59:59": "2024-02-29"}),
    ],
)
def test_bare_days_can_be_moved(setting: str, cells: dict[str, str | None], warehouse: Warehouse, write: Write) -> None:
    text = rule().replace("ordered_at: day", f"ordered_at: {{from: day, date_format: '%d/%m/%Y', {setting}}}")
    lines = "".join(f"{number},a,{cell},1\n" for number, cell in enumerate(cells))
    mapping = str(write("mine.yml", text, "mappings"))
    warehouse.land(write("data.csv", f"id,who,day,sum\n{lines}"), source=mapping)
    assert [moment for (moment,) in warehouse.rows("orders", "ordered_at")] == list(cells.values())


def test_refunds_written_as_positive_numbers_get_their_sign(warehouse: Warehouse, write: Write) -> None:
    text = rule().replace("amount: sum", 'amount: {from: sum, decimal: ",", prefix: "-"}')
    mapping = str(write("mine.yml", text, "mappings"))
    path = write("data.csv", 'id,who,day,sum\n1,a,2024-01-01,"1.234,50"\n2,a,2024-01-01,\n3,a,2024-01-01,0\n')
    warehouse.land(path, source=mapping)
    assert warehouse.rows("orders", "amount") == [("-1234.50",), (None,), ("-0",)]


NAMED = """
source: crm
files:
  - name: deals*
    entities:
      - entity: deals
        columns:
          deal_id: Id
          stage: Stage
          account_id:
            first_filled:
              - {lookup: {file: "organizations*", on: Organization, match: Name, take: ID}}
              - Organization
          pipeline: {lookup: {file: "organizations*", on: Organization, match: Name, take: Segment}}
"""


def test_columns_of_a_second_sheet_and_ids_of_names_are_looked_up(warehouse: Warehouse, write: Write) -> None:
    write("organizations.csv", "ID,Name,Segment\n7,Org,SMB\n")
    deals = write("deals.csv", "Id,Stage,Organization\n1,Won,Org\n2,Won,Other\n3,Won,\n")
    warehouse.land(deals, source=str(write("crm.yml", NAMED, "mappings")))
    assert warehouse.rows("deals", "account_id, pipeline") == [("7", "SMB"), ("Other", None), (None, None)]


def test_salesforce_object_export(warehouse: Warehouse, write: Write) -> None:
    deals = (
        '"Id","IsDeleted","AccountId","Name","StageName","Amount","CloseDate","Type","LeadSource","OwnerId","CreatedDate"\n'
        '"006A","false","001A","Deal","Closed Won","10.5","2024-03-01","New Business","Web","005A","2024-01-01T00:00:00.000Z"\n'
        '"006B","true","001A","Gone","Closed Lost","","2024-03-01","","","005A","2024-01-01T00:00:00.000Z"\n'
    )
    rows = landed(
        warehouse,
        write("Opportunity.csv", deals),
        "salesforce",
        "deal_id, stage, deal_type, closed_at, amount",
    )
    assert rows == [("006A", "Closed Won", "new", "2024-03-01", "10.5")]
    history = "Id,OpportunityId,StageName,CreatedDate,CreatedById\n1,006A,Prospecting,2024-01-01T00:00:00.000Z,005A\n"
    rows = landed(
        warehouse,
        write("OpportunityHistory.csv", history),
        "salesforce",
        "deal_id, stage, entered_at, changed_by",
    )
    assert rows == [("006A", "Prospecting", "2024-01-01T00:00:00.000Z", "005A")]


def test_pipedrive_list_export(warehouse: Warehouse, write: Write) -> None:
    text = (
        "Deal - ID,Deal - Title,Deal - Value,Deal - Currency of value,Deal - Organization,Deal - Pipeline,Deal - Stage,"
        "Deal - Status,Deal - Deal created,Deal - Won time,Deal - Lost time,Deal - Lost reason\n"
        "1,A,100,EUR,Org,Sales,Proposal Made,won,2024-01-01 10:00:00,2024-02-01 10:00:00,,\n"
        "2,B,100,EUR,Org,Sales,Proposal Made,Lost,2024-01-01 10:00:00,,2024-02-02 10:00:00,Price\n"
        "3,C,100,EUR,Org,Sales,Demo,open,2024-01-01 10:00:00,,,\n"
    ).replace("Lost,2024-01", "lost,2024-01")
    rows = landed(warehouse, write("deals-1234.csv", text), "pipedrive", "deal_id, stage, closed_at, lost_reason")
    assert rows == [
        ("1", "Won", "2024-02-01 10:00:00", None),
        ("2", "Lost", "2024-02-02 10:00:00", "Price"),
        ("3", "Demo", None, None),
    ]


def test_zoho_module_export(warehouse: Warehouse, write: Write) -> None:
    text = (
        "Record Id,Deal Owner.id,Deal Owner,Amount,Deal Name,Closing Date,Account Name.id,Account Name,Stage,Type,Lead Source,Created Time\n"
        "zcrm_1,zcrm_9,Ann,10,D,2024-03-01,zcrm_5,Org,Closed Won,New Business,Web,2024-01-01 10:00:00\n"
    )
    rows = landed(
        warehouse,
        write("Deals_2024_03_02.csv", text),
        "zoho",
        "deal_id, account_id, owner_id, stage, deal_type",
    )
    assert rows == [("zcrm_1", "zcrm_5", "zcrm_9", "Closed Won", "new")]


def test_stripe_subscriptions(warehouse: Warehouse, write: Write) -> None:
    text = (
        "id,Customer ID,Customer Description,Customer Email,Plan,Quantity,Currency,Interval,Amount,Status,Created (UTC),"
        "Start (UTC),Current Period Start (UTC),Current Period End (UTC),Canceled At (UTC),Cancel At Period End,Ended At (UTC)\n"
        "sub_1,cus_1,,a@private.example,pro,1,usd,month,50.00,active,2024-01-01 00:00,2024-01-01 00:00,,,,false,\n"
        "sub_2,cus_2,,b@private.example,pro,1,usd,year,1200.00,canceled,2023-01-01 00:00,2023-01-01 00:00,,,2023-06-01 00:00,true,2024-01-01 00:00\n"
        "sub_3,cus_3,,c@private.example,pro,1,usd,week,10.00,active,2024-01-01 00:00,2024-01-01 00:00,,,,false,\n"
        "sub_4,cus_4,,d@private.example,pro,1,usd,month,10.00,incomplete,2024-01-01 00:00,2024-01-01 00:00,,,,false,\n"
    )
    rows = landed(
        warehouse,
        write("subscriptions.csv", text),
        "stripe_subscriptions",
        "subscription_id, mrr, currency, ended_at, cancel_requested_at",
    )
    assert rows == [
        ("sub_1", "50", "usd", None, None),
        ("sub_2", "100", "usd", "2024-01-01 00:00+00:00", "2023-06-01 00:00+00:00"),
    ]
    assert "rows that are no subscription_periods: 2" in str(warehouse.loads()[0]["repairs"])


def test_stripe_trials_are_no_revenue(warehouse: Warehouse, write: Write) -> None:
    """A converted one begins when its trial ended; one that ended within it says so when it is judged."""
    text = "id,Customer ID,Amount,Interval,Status,Created (UTC),Start Date (UTC),Trial Start (UTC),Trial End (UTC),Ended At (UTC)\n"
    lines = [
        ("converted", "active", "2024-01-15 09:00", ""),
        ("untried", "active", "", ""),
        ("ended_in_trial", "canceled", "2024-01-15 09:00", "2024-01-04 09:00"),
        ("trying", "trialing", "2024-01-15 09:00", ""),
        ("no_payment_method", "paused", "2024-01-15 09:00", ""),
    ]
    for key, status, trial_end, ended in lines:
        text += f"{key},cus_1,50.00,month,{status},2024-01-01 09:00,2024-01-01 09:00,,{trial_end},{ended}\n"
    columns = "subscription_id, started_at, ended_at"
    assert landed(warehouse, write("subscriptions.csv", text), "stripe_subscriptions", columns) == [
        ("converted", "2024-01-15 09:00+00:00", None),
        ("untried", "2024-01-01 09:00+00:00", None),
        ("ended_in_trial", "2024-01-15 09:00+00:00", "2024-01-04 09:00+00:00"),
    ]


def test_a_note_of_a_mapping_is_told_and_kept(warehouse: Warehouse, write: Write) -> None:
    text = "id,Customer ID,Amount,Interval,Status,Created (UTC)\nsub_1,cus_1,50,month,active,2024-01-01 09:00\n"
    report = warehouse.land(write("subscriptions.csv", text), source="stripe_subscriptions")
    notes = [note for note in report.files[0].repairs if note.startswith("note: amounts are today's")]
    assert len(notes) == 1
    assert notes[0] in json.loads(warehouse.loads()[0]["repairs"])


SHOPIFY_HEADER = "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,Billing Country,Cancelled at,Refunded Amount,Id\n"


def shopify_order(name: str, status: str = "paid", email: str = "x@private.example", cancelled: str = "") -> str:
    refunded = "10.00" if "refunded" in status else "0.00"
    day = "2024-05-01 09:58:12 +0200"
    first = f"{name},{email},{status},{day},EUR,29.98,5.00,1.00,35.98,{day},2,Tee,DE,{cancelled},{refunded},5001\n"
    return first + f"{name},{email},,,,,,,,{day},1,Mug,,,,\n"


def test_shopify_orders_are_worth_their_subtotals(warehouse: Warehouse, write: Write) -> None:
    text = SHOPIFY_HEADER + shopify_order("#1") + shopify_order("#2", "partially_refunded")
    text += shopify_order("#3", "voided") + shopify_order("#4", cancelled="2024-05-02 10:00:00 +0200")
    report = warehouse.land(write("orders_export_1.csv", text), source="shopify_orders")
    counts = {each.entity: (each.rows_landed, each.rows_quarantined) for each in report.files}
    assert counts == {"orders": (2, 0), "accounts": (1, 0)}
    columns = "order_id, ordered_at, amount, currency"
    expected = [(name, "2024-05-01 09:58:12 +0200", "29.98", "EUR") for name in ("#1", "#2")]
    assert warehouse.rows("orders", columns) == expected
    (customer,) = {account for (account,) in warehouse.rows("orders", "account_id")}
    assert warehouse.rows("accounts", "account_id, country") == [(customer, "DE")]
    assert str(customer).startswith("email:")
    assert report.files[0].repairs[0].startswith("note: amounts are subtotals")
    # What is refunded whole later on ends what was delivered of it.
    later = write("orders_export_2.csv", SHOPIFY_HEADER + shopify_order("#1", "refunded"))
    (result, _) = warehouse.land(later, source="shopify_orders").files
    assert "rows that say that their key was deleted: 1" in result.repairs


def test_partial_refunds_of_shopify_come_from_a_second_mapping(warehouse: Warehouse, write: Write) -> None:
    """The one that the docs show."""
    docs = (Path(__file__).resolve().parents[3] / "docs" / "mapping_files.md").read_text(encoding="utf-8")
    mapping = write(
        "shopify_refunds.yml", "source: shopify_refunds" + docs.split("source: shopify_refunds")[1].split("```")[0]
    )
    text = SHOPIFY_HEADER + shopify_order("#1") + shopify_order("#2", "partially_refunded")
    warehouse.land(write("orders_export.csv", text), source=str(mapping))
    columns = "order_id, refund_of_order_id, amount"
    assert warehouse.rows("orders", columns) == [("refund-of-#2", "#2", "-10.00")]


def test_reasons_of_stripe_are_wordings_that_the_project_knows(warehouse: Warehouse, write: Write) -> None:
    text = "id,Customer ID,Amount,Interval,Status,Created (UTC),Cancellation Reason,Cancellation Feedback\n"
    reasons = [("cancellation_requested", "too_expensive"), ("payment_failed", ""), ("cancellation_requested", "")]
    for number, (reason, feedback) in enumerate(reasons):
        text += f"sub_{number},cus_1,50.00,month,canceled,2024-01-01 00:00,{reason},{feedback}\n"
    rows = landed(warehouse, write("subscriptions.csv", text), "stripe_subscriptions", "cancel_reason")
    assert rows == [("too expensive",), ("payment failed",), (None,)]


def test_surveymonkey_two_header_rows(warehouse: Warehouse, write: Write) -> None:
    text = (
        "\ufeffRespondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,Last Name,Custom Data 1,"
        "How likely is it that you would recommend us to a friend?,,What is the main reason for your score?\n"
        ",,,,,,,,,Response,Other (please specify),Open-Ended Response\n"
        "118,9,06/01/2024 01:05:00 PM,06/01/2024 01:06:00 PM,,,,,A1,9,,Good\n"
    )
    rows = landed(
        warehouse,
        write("responses.csv", text),
        "surveymonkey",
        "response_id, account_id, score, comment, responded_at",
    )
    assert rows == [("118", "A1", "9", "Good", "2024-06-01 13:06:00")]


def test_the_respondent_of_surveymonkey_is_a_person_and_no_response(warehouse: Warehouse, write: Write) -> None:
    text = "Respondent ID,Collector ID,End Date,Email Address,Custom Data 1,How likely are you to recommend us?\n,,,,,Response\n"
    for key, address in (("118", "x@private.example"), ("119", "x@private.example"), ("120", "")):
        text += f"{key},9,06/01/2024,{address},A1,9\n"
    rows = landed(warehouse, write("responses.csv", text), "surveymonkey", "response_id, respondent_id")
    assert [key for key, _ in rows] == ["118", "119", "120"]
    people = [person for _, person in rows]
    assert str(people[0]).startswith("email:")
    assert people[1:] == [people[0], None]


@pytest.mark.parametrize("name", shipped_mappings())
def test_no_shipped_mapping_takes_the_key_of_a_response_for_a_person(name: str) -> None:
    for rule in (entity for file in load_mapping(name).files for entity in file.entities):
        if rule.entity == "survey_responses" and "respondent_id" in rule.columns:
            assert not set(rule.columns["respondent_id"].sources) & set(rule.columns["response_id"].sources)


def test_qualtrics_three_header_rows(warehouse: Warehouse, write: Write) -> None:
    text = (
        "StartDate,EndDate,Status,Progress,Finished,RecordedDate,ResponseId,RecipientEmail,ExternalReference,UserLanguage,Q1_NPS_GROUP,Q1,Q2\n"
        "Start Date,End Date,Response Type,Progress,Finished,Recorded Date,Response ID,Recipient Email,External Data Reference,"
        "User Language,How likely are you to recommend us? - Group,How likely are you to recommend us?,What is the main reason?\n"
        '"{""ImportId"":""startDate""}","{}","{}","{}","{}","{}","{}","{}","{}","{}","{}","{}","{""ImportId"":""QID2_TEXT""}"\n'
        "2024-06-01 10:00:00,2024-06-01 10:01:00,IP Address,100,True,2024-06-01 10:01:01,R_1,x@private.example,A1,EN,Promoter,10,fine\n"
        "2024-06-01 10:00:00,2024-06-01 10:01:00,Survey Preview,100,True,2024-06-01 10:01:01,R_2,,,EN,Promoter,10,test\n"
    )
    rows = landed(
        warehouse,
        write("survey.csv", text),
        "qualtrics",
        "response_id, account_id, score, comment, responded_at, language",
    )
    assert rows == [("R_1", "A1", "10", "fine", "2024-06-01 10:01:01", "EN")]
    assert warehouse.rows("survey_responses", "respondent_id")[0][0].startswith("email:")


SURVEYMONKEY_NAMES = (
    "Respondent ID,Collector ID,Start Date,End Date,First Name,How likely is it that you would recommend us?,,"
    "What is the main reason for your score?\n"
)
SURVEYMONKEY_ROW = "118,9,06/01/2024 01:05:00 PM,06/01/2024 01:06:00 PM,Siti Aminah,9,,They rang me\n"
QUALTRICS_NAMES = "StartDate,RecordedDate,ResponseId,RecipientEmail,Q1,Q2\n"
QUALTRICS_WORDING = (
    "Start Date,Recorded Date,Response ID,Recipient Email,How likely are you to recommend us?,Why (2024)?\n"
)
QUALTRICS_ROW = "2024-06-01 10:00:00,2024-06-01 10:01:01,R_1xYzAbCd,x@private.example,10,tell us more they said\n"


@pytest.mark.parametrize(
    ("source", "text", "message"),
    [
        (
            "surveymonkey",
            SURVEYMONKEY_NAMES + 2 * SURVEYMONKEY_ROW,
            "2, .* with both header rows, or .* header_rows: 1$",
        ),
        ("qualtrics", QUALTRICS_NAMES + 3 * QUALTRICS_ROW, "2, .* with all three header rows, or .* header_rows: 1$"),
        ("qualtrics", QUALTRICS_NAMES + QUALTRICS_WORDING + 2 * QUALTRICS_ROW, "3, .* header_rows: 2$"),
    ],
)
def test_a_respondent_is_no_header(warehouse: Warehouse, write: Write, source: str, text: str, message: str) -> None:
    (result,) = warehouse.land(write("survey.csv", text), source=source).files
    assert (result.verdict, result.file, warehouse.loads()) == ("rejected", "survey.csv", [])
    assert re.search(f"holds data in row {message}", str(result.reason))
    assert not re.search("Siti|rang|118|R_1|private|they said|\n", str(result.reason))


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        ("17", "rejected"),
        ("2024-06-01", "rejected"),
        ("06/01/2024 01:05:00 PM", "rejected"),
        ("R_1xYzAbCd", "rejected"),
        ("someone@private.example", "rejected"),
        ("", "accepted"),
        ("Response", "accepted"),
        ("Number of 2024", "accepted"),
        ('"{""ImportId"":""QID1234_TEXT""}"', "accepted"),
        # Names, because the mapping calls them so.
        ("ID-2024-1", "accepted"),
        ("order no", "accepted"),
    ],
)
def test_a_further_header_row_holds_no_keys_and_times(
    warehouse: Warehouse, write: Write, cell: str, verdict: str
) -> None:
    columns = {"order_id": ["ID-2024-1", "Order No"], "account_id": "who", "ordered_at": "day", "amount": "sum"}
    text = rule(columns=columns).replace("name: '*.csv'", "name: '*.csv'\n  header_rows: 2")
    export = write("data.csv", f"Order No,who,day,sum,2023\n{cell},,,2024,2\n1,2,2024-01-01,4,5\n")
    (result,) = warehouse.land(export, source=str(write("mine.yml", text, "mappings"))).files
    assert result.verdict == verdict, result.reason


def test_an_address_is_no_header_whatever_its_column(warehouse: Warehouse, write: Write) -> None:
    text = rule().replace("name: '*.csv'", "name: '*.csv'\n  header_rows: 2")
    export = write("data.csv", "id,who,day,sum,note\n,,,,a@private.example\n1,2,2024-01-01,4,5\n")
    (result,) = warehouse.land(export, source=str(write("mine.yml", text, "mappings"))).files
    assert result.verdict == "rejected"


def test_names_of_columns_left_out_are_those_of_the_first_row(warehouse: Warehouse, write: Write) -> None:
    # A row without a key and a time looks like a header: its texts are not repeated.
    below = ",,,,Siti Aminah,Response,Other: they rang me,Open-Ended Response\n"
    path = write("survey.csv", SURVEYMONKEY_NAMES + below + SURVEYMONKEY_ROW)
    result = warehouse.land(path, source="surveymonkey").files[0]
    assert "columns left out: 'Collector ID', 'Start Date', 'First Name', column 7" in result.repairs
    assert not re.search("Siti|rang me", str(warehouse.loads()))


def test_typeform_delighted_and_google_forms(warehouse: Warehouse, write: Write) -> None:
    typeform = (
        "#,How likely are you to recommend us to a friend?,Why did you give that score?,Response Type,Start Date (UTC),"
        "Stage Date (UTC),Submit Date (UTC),Network ID,Tags\n"
        "abc123,9,Nice,completed,2024-06-01 10:00:00,,2024-06-01 10:01:00,n1,\n"
    )
    rows = landed(warehouse, write("responses.csv", typeform), "typeform", "response_id, score, comment, responded_at")
    assert rows == [("abc123", "9", "Nice", "2024-06-01 10:01:00+00:00")]
    delighted = (
        '{"id": "2", "person": "1", "survey_type": "nps", "score": 9, "comment": null, "created_at": 1713497396}\n'
    )
    landed(warehouse, write("delighted.jsonl", delighted), "delighted", "response_id")
    assert ("2", "1", "9", "1713497396") in warehouse.rows(
        "survey_responses", "response_id, respondent_id, score, responded_at"
    )
    forms = "Timestamp,Email Address,How likely are you to recommend us?\n6/1/2024 10:00:00,x@private.example,10\n"
    landed(warehouse, write("form.csv", forms), "google_forms", "response_id")
    assert ("10", "2024-06-01 10:00:00") in warehouse.rows("survey_responses", "score, responded_at")


NUMBERS = """
files:
  - name: "*.csv"
    delimiter: semicolon
    {separators}
    entities:
      - entity: subscription_periods
        columns:
          subscription_id: id
          account_id: id
          started_at: start
          mrr: {mrr}
"""
BY_INTERVAL = "{from: amount, divide_by: {column: interval, values: {month: 1, year: 12}}}"


@pytest.mark.parametrize(
    ("separators", "mrr", "cells"),
    [
        # What staging would read as a number must not pass undivided.
        ("", BY_INTERVAL, {"1200.00": "100", "1,200.00": "1,200.00 ÷ 12", "1.2e3": "1.2e3 ÷ 12", "-6": "-0.5"}),
        ("", "{from: amount, divide_by: 12}", {"1200": "100", "(1200)": "(1200) ÷ 12"}),
        # Separators come before the division, and once.
        ('decimal: ","', BY_INTERVAL, {"1.200,00": "100", "1.200": "100", "12,6": "1.05"}),
        ('decimal: ","', "{first_filled: [amount, other]}", {"1,500": "1.500", "0,125": "0.125", "12.345": "12345"}),
        ("", '{first_filled: [amount, other], decimal: ","}', {"1,500": "1.500"}),
    ],
)
def test_numbers_are_divided_after_their_separators(
    separators: str, mrr: str, cells: dict[str, str], warehouse: Warehouse, write: Write
) -> None:
    mapping = write("mine.yml", NUMBERS.replace("{separators}", separators).replace("{mrr}", mrr), "mappings")
    lines = "".join(f"{number};2024-01-01;{cell};year;\n" for number, cell in enumerate(cells))
    warehouse.land(write("subs.csv", "id;start;amount;interval;other\n" + lines), source=str(mapping))
    assert [text for (text,) in warehouse.rows("subscription_periods", "mrr")] == list(cells.values())


def test_yes_and_no_are_texts(warehouse: Warehouse, write: Write) -> None:
    text = """
    files:
      - name: "*.csv"
        entities:
          - entity: orders
            columns:
              order_id: No
              account_id: Customer
              ordered_at: Date
              amount: Total
              currency: {from: Country, values: {1: USD, SE: SEK, NO: NOK}}
            where: {Paid: Yes, Closed: {not: true}}
    """
    mapping = write("mine.yml", text, "mappings")
    lines = "1,a,2024-01-01,5,NO,Yes,false\n2,a,2024-01-01,5,SE,No,false\n3,a,2024-01-01,5,1,Yes,true\n"
    warehouse.land(write("o.csv", "No,Customer,Date,Total,Country,Paid,Closed\n" + lines), source=str(mapping))
    assert warehouse.rows("orders", "order_id, currency") == [("1", "NOK")]


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "jsonl"])
def test_separators_are_for_texts_and_not_for_numbers(kind: str, warehouse: Warehouse, tmp_path: Path) -> None:
    separators = NUMBERS.replace("{separators}", 'decimal: ","').replace("{mrr}", "amount").replace("*.csv", "*")
    mapping = tmp_path / "mine.yml"
    mapping.write_text(separators.replace("    delimiter: semicolon\n", ""), encoding="utf-8")
    # A text may have thousands; of two columns, one holds numbers and the other texts.
    numbers, file = [1.085, 1234.5, 12.0, 1234.567, -0.125], tmp_path / f"subs.{kind}"
    rows = [{"id": f"n{at}", "start": "2024-01-01", "amount": number} for at, number in enumerate(numbers)]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        rows.append({"id": "text", "start": "2024-01-01", "amount": "1.085"})
        if kind == "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        else:
            workbook = openpyxl.Workbook()
            for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
                workbook.active.append(row)
            workbook.save(file)
    warehouse.land(file, source=str(mapping))
    landed = [text for (text,) in warehouse.rows("subscription_periods", "mrr")]
    assert [float(text) for text in landed[: len(numbers)]] == numbers
    assert landed[len(numbers) :] == ([] if kind == "parquet" else ["1085"])


def test_the_key_of_a_bad_row_is_the_one_that_the_mapping_makes(warehouse: Warehouse, write: Write) -> None:
    mapping = (
        "source: shop\nfiles:\n  - name: orders.csv\n    entities:\n      - entity: orders\n"
        "        columns: {order_id: ORDER, account_id: Of, ordered_at: Day, amount: Sum}\n"
    )
    rows = "O1,17,A,2025-01-01,5,torn\nO2,17,A\0,2025-01-01,5\nO3,17,A,2025-01-01,5\n"
    path = write("orders.csv", "Number,Shop,Of,Day,Sum\n" + rows)
    for name, rule in (("plain", "{from: Number, prefix: b-}"), ("joined", "{join: [Shop, Number]}")):
        source = write(f"{name}.yml", mapping.replace("ORDER", rule).replace("source: shop", f"source: {name}"))
        warehouse.land(path, source=str(source))
    # Of a torn row nothing but the first cell stands in its own place.
    assert [row["key_value"] for row in warehouse.quarantine()] == ["b-O1", "b-O2", None, "17-O2"]
