"""Records out of bytes: the fast and the careful way agree, lines are counted right, nothing is guessed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from landing.conftest import ORDERS, Warehouse
from warehouse.landing import delimited

Write = Callable[..., Path]
HEADER = "order_id,account_id,ordered_at,amount,currency\n"


def generated(rows: int, odd: bool = False) -> str:
    lines = []
    for number in range(rows):
        name = f'"A, {number % 7}"' if odd and number % 5 == 0 else f"A{number % 7}"
        currency = " USD " if odd and number % 11 == 0 else ""
        lines.append(f"O{number:06d},{name},2024-01-{number % 28 + 1:02d},{number}.50,{currency}\n")
        if odd and number % 1000 == 999:
            lines.append("\n" if number % 2000 == 999 else f"O{number}x,ragged\n")
        if odd and number % 3000 == 2999:
            lines.append(f'M{number},"two\nlines",2024-01-01,1,USD\n')
    return HEADER + "".join(lines)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_fast_and_the_careful_way_agree(
    odd: bool, end: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("orders.csv", generated(6_000, odd).replace("\n", end))
    monkeypatch.setattr("warehouse.landing.files.CHUNK_BYTES", 50_000)
    monkeypatch.setattr("warehouse.landing.reading._HEAD_BYTES", 1_000)
    fast, careful = Warehouse(tmp_path / "fast"), Warehouse(tmp_path / "careful")
    fast_result = fast.land(path).files[0]
    monkeypatch.setattr(delimited.DelimitedReader, "_parse_fast", lambda *_: None)
    careful_result = careful.land(path).files[0]
    assert fast_result == careful_result
    assert fast_result.rows_in == (6_000 if not odd else 6_000 + 3 + 2)
    columns = "order_id, account_id, ordered_at, amount, currency, line_number, record_number"
    assert fast.rows("orders", columns, "record_number") == careful.rows("orders", columns, "record_number")
    pick = ("line_number", "record_number", "reason", "raw_line")
    assert [[row[name] for name in pick] for row in fast.quarantine()] == [
        [row[name] for name in pick] for row in careful.quarantine()
    ]


def test_most_of_a_clean_file_takes_the_fast_way(
    warehouse: Warehouse, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    real = delimited.DelimitedReader._parse_fast

    def counting(reader: delimited.DelimitedReader, data: bytes) -> object:
        rows = real(reader, data)
        calls.append(rows is not None)
        return rows

    monkeypatch.setattr(delimited.DelimitedReader, "_parse_fast", counting)
    warehouse.land(write("orders.csv", generated(3_000)))
    assert calls
    assert all(calls)


def test_physical_lines_are_counted_through_quoted_breaks(warehouse: Warehouse, write: Write) -> None:
    text = (
        "response_id,survey,responded_at,comment\r\n"
        'R1,nps,d,"a\r\nb\r\n\r\nc"\r\n\r\nR2,nps,d,e\r\nR3,nps\r\nR4,nps,d,\r\n'
    )
    warehouse.land(write("survey_responses.csv", text))
    assert warehouse.rows("survey_responses", "response_id, line_number, record_number") == [
        ("R1", 2, 1), ("R2", 7, 2), ("R4", 9, 4),
    ]  # fmt: skip
    assert [(row["line_number"], row["record_number"]) for row in warehouse.quarantine()] == [(8, 3)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("O9,A1,2024-01-01", "ragged_row"),
        ("O9,A1,2024-01-01,1,USD,more", "ragged_row"),
        ("O9,A1,2024-01-01,1,234,", "ragged_row"),
        (",,,,", "blank_row"),
        ('"", ,"",,', "blank_row"),
        ("O9,A\0,2024-01-01,1,USD", "nul_byte"),
        ('O9,"A"x,2024-01-01,1,USD', "bad_quotes"),
        ("Order-ID,account_id,Ordered At,AMOUNT,currency", "repeated_header"),
        ("O9," + "x" * (2**20 + 1) + ",2024-01-01,1,USD", "cell_too_large"),
    ],
)
def test_bad_rows_and_their_reasons(row: str, reason: str, warehouse: Warehouse, write: Write) -> None:
    report = warehouse.land(write("orders.csv", ORDERS + row + "\nO8,A1,2024-01-01,1,USD\n"))
    result = report.files[0]
    assert (result.verdict, result.rows_in, result.rows_landed, result.rows_quarantined) == (
        "accepted",
        5,
        4,
        1,
    )
    (bad,) = warehouse.quarantine()
    assert (bad["reason"], bad["line_number"], bad["record_number"]) == (reason, 5, 4)
    assert bad["raw_line"] == row.replace("\0", "\\x00")


def test_wrong_bytes_in_a_file_that_is_utf8_elsewhere(warehouse: Warehouse, write: Write) -> None:
    data = (ORDERS + "O4,Café,2024-01-01,1,USD\n").encode() + b"O5,Caf\xe9,2024-01-01,1,USD\n"
    result = warehouse.land(write("orders.csv", data)).files[0]
    assert (result.rows_landed, result.rows_quarantined) == (4, 1)
    assert warehouse.quarantine()[0]["reason"] == "bad_bytes"
    assert warehouse.quarantine()[0]["raw_line"].startswith("O5,Caf\\xe9")


def test_an_unclosed_quote_that_meets_a_later_one_swallows_nothing(warehouse: Warehouse, write: Write) -> None:
    text = (
        "response_id,survey,score,comment,responded_at\n"
        'R0001,nps,9,"open,2024-01-01\nR0002,nps,9,b,2024-01-02\nR0003,nps,9,"c",2024-01-03\n'
        'R0004,nps,9,"d\nR0005,nps,9,e,2024-01-05\nR0006,nps,9,inch 5",2024-01-06\nR0007,nps,1,g,2024-01-07\n'
    )
    report = warehouse.land(write("survey_responses.csv", text))
    landed = {row[0] for row in warehouse.rows("survey_responses", "response_id")}
    raw = "\n".join(row["raw_line"] for row in warehouse.quarantine())
    assert report.files[0].verdict == "accepted"
    for number in range(1, 8):
        assert f"R000{number}" in landed or f"R000{number}" in raw
    assert "R0007" in landed


def test_a_second_header_in_another_order_rejects_the_file(warehouse: Warehouse, write: Write) -> None:
    other = "account_id,order_id,amount,ordered_at,currency\nA1,O7,5,2024-01-01,USD\n"
    result = warehouse.land(write("orders.csv", ORDERS + other)).files[0]
    assert result.verdict == "rejected"
    assert "second header" in str(result.reason)


def test_a_second_header_of_an_entity_with_one_required_column(warehouse: Warehouse, write: Write) -> None:
    text = "account_id,account_name\nA1,Acme\naccount_name,account_id\nBolt,A2\n"
    assert warehouse.land(write("accounts.csv", text)).files[0].verdict == "rejected"
    text = "account_id,account_name\nA1,Acme\nAccount ID,Account-Name\nA2,B\n"
    same = warehouse.land(write("accounts.csv", text))
    assert (same.files[0].rows_landed, same.files[0].rows_quarantined) == (2, 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_the_header(delimiter: str, warehouse: Warehouse, write: Write) -> None:
    result = warehouse.land(write("orders.csv", ORDERS.replace(",", delimiter))).files[0]
    assert result.rows_landed == 3
    assert ("delimiter" in str(result.repairs)) == (delimiter != ",")


def test_old_line_ends_the_excel_hint_and_padding(warehouse: Warehouse, write: Write) -> None:
    old = warehouse.land(write("orders_1.csv", ORDERS.replace("\n", "\r"))).files[0]
    assert old.rows_landed == 3
    hint = warehouse.land(write("orders_2.csv", "sep=;\r\n" + ORDERS.replace(",", ";").replace("O", "H"))).files[0]
    assert hint.rows_landed == 3
    assert warehouse.rows("orders", "min(line_number)", "1 desc")[0][0] == 2
    padded = warehouse.land(write("orders_3.csv", HEADER + "P1 , A1,2024-01-01 10:00:00 ,\u00a05\u00a0,\n")).files[0]
    assert "blanks around cells trimmed" in padded.repairs
    assert warehouse.rows("orders", "order_id, account_id, ordered_at, amount, currency")[-1] == (
        "P1", "A1", "2024-01-01 10:00:00", "5", None,
    )  # fmt: skip


def test_a_header_alone_lands_no_rows(warehouse: Warehouse, write: Write) -> None:
    result = warehouse.land(write("orders.csv", HEADER)).files[0]
    assert (result.verdict, result.rows_in) == ("accepted", 0)
    assert warehouse.rows("orders") == []


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("order_id,order_id,account_id,ordered_at,amount", "occurs 2 times"),
        ("order_id,Order ID,account_id,ordered_at,amount", "occurs 2 times"),
        ("order_id,,account_id,ordered_at,amount", "no name"),
        ("order_id,account_id,ordered_at,amoutn,currency", "amoutn"),
        ("contact_id,account_id,full_name,email,role", "contacts"),
    ],
)
def test_headers_that_are_refused(header: str, word: str, warehouse: Warehouse, write: Write) -> None:
    result = warehouse.land(write("orders.csv", header + "\n1,2,3,4,5\n")).files[0]
    assert result.verdict == "rejected"
    assert word in str(result.reason)


def test_the_header_of_another_entity_is_refused_although_it_would_do(warehouse: Warehouse, write: Write) -> None:
    text = "contact_id,account_id,full_name,email,role,created_at\nC1,A1,x,,,\n"
    result = warehouse.land(write("accounts.csv", text)).files[0]
    assert (result.verdict, "contacts" in str(result.reason)) == ("rejected", True)
    enriched = "order_id,account_id,ordered_at,amount,account_name,segment,industry,country\n1,2,3,4,5,6,7,8\n"
    assert warehouse.land(write("orders.csv", enriched)).files[0].verdict == "accepted"


def test_messages_show_no_cells(warehouse: Warehouse, write: Write) -> None:
    report = warehouse.land(write("orders.csv", "O0001,A0001,Jane Doe,2024-02-03,secret comment\n"))
    for word in ("Jane", "secret", "O0001"):
        assert word not in report.as_json()
