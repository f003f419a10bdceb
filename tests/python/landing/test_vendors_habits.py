"""What exports bring with them that is no data: words for nothing, invisible marks, dates the other way round."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from landing.conftest import Warehouse
from warehouse.contract import entities
from warehouse.errors import WarehouseError
from warehouse.landing.rows import escaped
from warehouse.landing.transform import Changes

Write = Callable[..., Path]
DAYS = """
source: shop
files:
  - name: orders*
    entities:
      - entity: orders
        columns:
          order_id: {from: Number, prefix: shop-}
          account_id: {from: Account, default: "0", prefix: shop-}
          ordered_at: {from: Day, date_format: ["%d/%m/%Y %H:%M", "%d/%m/%Y"]}
          amount: Sum
          product_id: {from: Product, prefix: shop-}
"""


def land_days(warehouse: Warehouse, write: Write, *days: str) -> str | None:
    rows = "".join(f"{number},A,{day},5,\n" for number, day in enumerate(days))
    mapping = write("shop.yml", DAYS)
    report = warehouse.land(write("orders.csv", f"Number,Account,Day,Sum,Product\n{rows}"), source=str(mapping))
    return report.files[0].reason


@pytest.mark.parametrize("word", ["NULL", "\\N", "#N/A", "None", "nan", "(No value)", "–"])
def test_words_for_nothing_are_no_identifiers(word: str, warehouse: Warehouse, write: Write) -> None:
    header = "order_id,account_id,ordered_at,amount,product_id,currency\n"
    text = f"{header}1,{word},2024-01-01,5,{word},{word}\n2,A,2024-01-01,5,NULLs,\n"
    report = warehouse.land(write("orders.csv", text))
    columns = "account_id, product_id, currency"
    assert warehouse.rows("orders", columns) == [(None, None, word), ("A", "NULLs", None)]
    assert "words for nothing in identifiers taken as empty: 2" in report.files[0].repairs


def test_identifiers_beside_words_for_nothing_stay(warehouse: Warehouse, write: Write) -> None:
    keys = ["Nora", "N", "-1", "–x", "n/ab", "None of them", "nul", "#1", "(x)", "\\n"]
    text = "account_id\n" + "".join(f"{key}\n" for key in keys)
    warehouse.land(write("accounts.csv", text))
    assert [key for (key,) in warehouse.rows("accounts", "account_id")] == keys


def test_invisible_marks_make_no_other_customer(warehouse: Warehouse, write: Write) -> None:
    text = "account_id,account_name\n\u200eA1\u200f,\u202bשלום\u202c\n\u2067A2\u2069\u200b,a\u200db\n"
    report = warehouse.land(write("accounts.csv", text))
    assert warehouse.rows("accounts", "account_id, account_name") == [("A1", "שלום"), ("A2", "a\u200db")]
    assert "blanks around cells trimmed" in report.files[0].repairs


def test_a_declared_date_is_read_in_any_digits_and_with_marks(warehouse: Warehouse, write: Write) -> None:
    days = ("\u200f05/03/2024", "٠٦/٠٣/٢٠٢٤", "07\u200f/03\u200f/2024 10:30", "۰۸/۰۳/۲۰۲۴")
    assert land_days(warehouse, write, *days) is None
    assert [day for (day,) in warehouse.rows("orders", "ordered_at")] == [
        "2024-03-05",
        "2024-03-06",
        "2024-03-07 10:30:00",
        "2024-03-08",
    ]


@pytest.mark.parametrize(
    ("days", "is_rejected"),
    [
        (("05/06/2024", "06/13/2024"), True),
        (("05/06/2024 10:00", "06/13/2024 10:00"), True),
        (("13/06/2024", "06/14/2024"), False),
        (("05/06/2024", "06/06/2024"), False),
        (("13/06/2024", "14/06/2024", "06/13/2024"), False),
        (("05/06/2024", "2024-06-13"), False),
    ],
)
def test_dates_in_the_other_order_reject_the_file(
    days: tuple[str, ...], is_rejected: bool, warehouse: Warehouse, write: Write
) -> None:
    reason = land_days(warehouse, write, *days)
    assert (reason is not None) == is_rejected
    if reason:
        assert reason.startswith(
            "the dates for ordered_at have day and month in the other order than the mapping declares"
        )
        assert not any(day in reason for day in days)
        assert warehouse.deliveries() == []


def test_what_the_blocks_of_a_file_say_about_dates_adds_up() -> None:
    changes = Changes(day_orders={"Day": (1, 0)})
    changes.add(Changes(day_orders={"Day": (2, 4), "Other": (0, 1)}))
    assert changes.day_orders == {"Day": (3, 4), "Other": (0, 1)}


def test_identifiers_of_two_sources_are_kept_apart_by_a_prefix(warehouse: Warehouse, write: Write) -> None:
    rows = "Number,Account,Day,Sum,Product\n1,A,01/02/2024,5,\n2,,01/02/2024,5,P\n"
    warehouse.land(write("orders.csv", rows), source=str(write("shop.yml", DAYS)))
    assert warehouse.rows("orders", "order_id, account_id, product_id") == [
        ("shop-1", "shop-A", None),
        ("shop-2", "shop-0", "shop-P"),
    ]


def test_json_numbers_that_are_whole_are_whole(warehouse: Warehouse, write: Write) -> None:
    text = '[{"account_id": 17.0, "account_name": 1.50}, {"account_id": -3.000, "account_name": "18.0"}]'
    warehouse.land(write("accounts.json", text))
    assert warehouse.rows("accounts", "account_id, account_name") == [("17", "1.50"), ("-3", "18.0")]


def test_half_a_character_is_one_bad_row(warehouse: Warehouse, write: Write) -> None:
    good = json.dumps({"account_id": "1", "account_name": "\U0001f600"})
    text = good + '\n{"account_id": "2", "account_name": "cut \\ud83d"}\n'
    report = warehouse.land(write("accounts.jsonl", text))
    (result,) = report.files
    assert (result.verdict, result.rows_in, result.rows_landed, result.rows_quarantined) == ("accepted", 2, 1, 1)
    assert [row["reason"] for row in warehouse.quarantine()] == ["bad_json"]


def test_what_is_no_character_is_shown_as_it_is_spelled() -> None:
    assert escaped("wrong \udcff, none \0, half \ud83d, whole \U0001f600") == (
        "wrong \\xff, none \\x00, half \\ud83d, whole \U0001f600"
    )


def test_every_identifier_is_of_a_type_that_words_for_nothing_are_taken_from() -> None:
    kinds = {column.type for entity in entities().values() for column in entity.columns if column.name.endswith("_id")}
    assert kinds == {"id"}


QUESTION = '"On a scale from 0-10,\nhow likely are you to\nrecommend us?"'
TYPEFORM = "#,{},Why did you give that score?,{},Submit Date (UTC)\nr1,9,fine,dull,2024-06-01 10:00:00\n"


def test_a_question_may_be_broken_over_lines(warehouse: Warehouse, write: Write) -> None:
    warehouse.land(write("answers.csv", TYPEFORM.format(QUESTION, "Team")), source="typeform")
    assert warehouse.rows("survey_responses", "score, comment") == [("9", "fine")]


def test_two_questions_for_a_comment_are_none(warehouse: Warehouse, write: Write) -> None:
    text = TYPEFORM.format(QUESTION, "Why did you choose us?")
    report = warehouse.land(write("answers.csv", text), source="typeform")
    assert warehouse.rows("survey_responses", "score, comment") == [("9", None)]
    assert any("columns 3, 4 fit the mapping's pattern for comment" in note for note in report.files[0].repairs)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            "How likely are you to recommend our shop?",
            "columns 2, 4 fit the mapping's pattern for score, which takes one",
        ),
        (None, "no column fits the mapping's pattern for score, which takes one"),
    ],
)
def test_the_question_for_the_score_is_one(
    second: str | None, message: str, warehouse: Warehouse, write: Write
) -> None:
    text = TYPEFORM.format(QUESTION, second) if second else TYPEFORM.format("How are you?", "Team")
    report = warehouse.land(write("answers.csv", text), source="typeform")
    assert message in str(report.files[0].reason)


@pytest.mark.parametrize(
    "name",
    [
        "LeadHistory.csv",
        "LeadStatus.csv",
        "AccountShare.csv",
        "CaseComment.csv",
        "AccountHistory.csv",
        "UserRole.csv",
        "UserLicense.csv",
    ],
)
def test_the_neighbours_of_salesforce_objects_are_skipped(name: str, warehouse: Warehouse, write: Write) -> None:
    write(name, "Id,Name,AccountId,CreatedDate\n1,x,2,2024-01-01\n")
    lead = write("Lead.csv", "Id,CreatedDate\n00Q1,2024-01-01T10:00:00.000Z\n")
    report = warehouse.land(lead.parent, source="salesforce", is_full=True)
    assert [(result.file, result.verdict) for result in report.files] == [("Lead.csv", "accepted")]
    assert [skipped for skipped, _ in report.skipped] == [name]


def test_a_closing_day_stands_in_for_a_closing_time(warehouse: Warehouse, write: Write) -> None:
    text = (
        "Record Id,Deal Name,Account Name,Stage,Closing Date,Closed Time,Created Time\n"
        "1,D,Org,Closed Won,2024-03-01,,2024-01-01 10:00:00\n"
        "2,D,Org,Closed Won,2024-03-01,2024-02-28 10:00:00,2024-01-01 10:00:00\n"
    )
    warehouse.land(write("Deals.csv", text), source="zoho")
    assert warehouse.rows("deals", "closed_at") == [("2024-03-01",), ("2024-02-28 10:00:00",)]


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("010", "010"),
        ("1.50", "1.50"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("7", "7"),
    ],
)
def test_scalars_of_a_mapping_are_texts(scalar: str, expected: str, warehouse: Warehouse, write: Write) -> None:
    mapping = f"""
files:
  - name: orders*
    entities:
      - entity: orders
        columns:
          order_id: Number
          account_id: {{from: Account, values: {{NULL: nobody, 0001: one, true: yes}}}}
          ordered_at: Day
          amount: Sum
        constants: {{product_id: {scalar}}}
        where: {{Number: [{scalar}]}}
"""
    accounts = "".join(f"{scalar},{account},2024-01-01,1\n" for account in ("NULL", "0001", "true"))
    rows = f"Number,Account,Day,Sum\n{accounts}x,A,,\n"
    warehouse.land(write("orders.csv", rows), source=str(write("shop.yml", mapping)))
    assert warehouse.rows("orders", "account_id, product_id") == [
        ("nobody", expected),
        ("one", expected),
        ("yes", expected),
    ]


def test_an_array_without_words_for_nothing_is_not_copied() -> None:
    from warehouse.landing.transform import _without_words_for_nothing

    for texts in (["N1", "A"], [None, ""], []):
        array = pa.array(texts, pa.string())
        found, count = _without_words_for_nothing(array)
        assert (found is array, count) == (True, 0)


WORDS = """
files:
  - name: orders*
    entities:
      - entity: orders
        columns:
          order_id: {from: Number, prefix: s-}
          account_id: {first_filled: [Account, Mail], default: guest, prefix: s-}
          ordered_at: Day
          amount: Sum
          product_id: {from: Product, values: {NULL: unknown}}
        where: {Mail: {not: "x"}, Kind: filled}
"""


def test_words_for_nothing_go_before_what_stands_in_for_them(warehouse: Warehouse, write: Write) -> None:
    cells = ("1,NULL,real,{},NULL,a", "2,nan,NULL,{},,a", "3,A,,{},None,a", "4,A,,{},,NULL")
    rows = "".join(f"{row.format('2024-01-01,5')}\n" for row in cells)
    text = f"Number,Account,Mail,Day,Sum,Product,Kind\n{rows}"
    warehouse.land(write("orders.csv", text), source=str(write("shop.yml", WORDS)))
    assert warehouse.rows("orders", "order_id, account_id, product_id") == [
        ("s-1", "s-real", "unknown"),
        ("s-2", "s-guest", None),
        ("s-3", "s-A", None),
    ]


TWO_DATES = """
files:
  - name: tickets*
    entities:
      - entity: support_tickets
        columns:
          ticket_id: Id
          account_id: Of
          opened_at: {matches: "^Opened", date_format: ["%Y-%m-%d %H:%M", "%d/%m/%Y"]}
          closed_at: {matches: "^Shut", date_format: "%m/%d/%Y"}
"""


def test_each_column_of_dates_is_judged_by_its_own(warehouse: Warehouse, write: Write) -> None:
    rows = (
        "1,A,03/04/2024,01/13/2024\n2,A,01/13/2024,01/14/2024\n"
        "3,A,2024-01-13 10:00,01/15/2024\n4,A,2024-01-14 10:00,01/16/2024\n"
    )
    report = warehouse.land(
        write("tickets.csv", f"Id,Of,Opened on,Shut on\n{rows}"), source=str(write("help.yml", TWO_DATES))
    )
    assert str(report.files[0].reason).startswith("the dates for opened_at have day and month in the other order")


@pytest.mark.parametrize(
    "text",
    ["files: !!map [a, b]\n", "files: !!int abc\n", "files: !!bool foo\n", "files: !!timestamp abc\n"],
)
def test_a_mapping_whose_tags_do_not_fit_is_no_valid_yaml(text: str, warehouse: Warehouse, write: Write) -> None:
    with pytest.raises(WarehouseError, match="is no valid YAML"):
        warehouse.land(write("orders.csv", "a\n"), source=str(write("odd.yml", text)))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("order_id: {from: Number, prefix: [a]}", "prefix: must be a text"),
        ("order_id: {generated: true, prefix: a}", "prefix: must be a text"),
    ],
)
def test_a_prefix_is_a_text(setting: str, message: str, warehouse: Warehouse, write: Write) -> None:
    mapping = WORDS.replace("order_id: {from: Number, prefix: s-}", setting)
    with pytest.raises(WarehouseError, match=message):
        warehouse.land(write("orders.csv", "a\n"), source=str(write("shop.yml", mapping)))


def test_a_file_of_ragged_rows_alone_says_where_to_look(warehouse: Warehouse, write: Write) -> None:
    note = "every row has more or fewer cells than the header: look at its delimiters"
    report = warehouse.land(write("accounts.csv", "account_id,country\nA1,MY,\nA2,IL,\n"))
    assert note in report.files[0].repairs
    report = warehouse.land(write("accounts_2.csv", "account_id,country\nA1,MY,\nA2,IL\n"))
    assert note not in report.files[0].repairs


def test_hubspot_does_not_tell_renewals_from_upsells(warehouse: Warehouse, write: Write) -> None:
    """Existing business is neither, unless the portal has types of its own."""
    types = ["newbusiness", "Existing Business", "existingbusiness", "Renewal", "Upsell", "Cross-sell", "Pilot", ""]
    rows = "".join(f"{number},D,Closed Lost,{each}\n" for number, each in enumerate(types))
    warehouse.land(write("all-deals.csv", f"Record ID,Deal Name,Deal Stage,Deal Type\n{rows}"), source="hubspot")
    found = [each for (each,) in warehouse.rows("deals", "deal_type")]
    assert found == ["new", "existing", "existing", "renewal", "upsell", "cross_sell", "Pilot", None]


def test_hubspot_writes_the_pipeline_behind_a_stage(warehouse: Warehouse, write: Write) -> None:
    text = (
        "Record ID,Deal Name,Deal Stage,Pipeline,Create Date\n"
        "1,D,Closed Won (Sales Pipeline),Sales Pipeline,2024-01-01 10:00\n"
        "2,D,Demo (online),Sales Pipeline,2024-01-01 10:00\n"
    )
    warehouse.land(write("all-deals.csv", text), source="hubspot")
    assert warehouse.rows("deals", "stage") == [("Closed Won",), ("Demo (online)",)]
