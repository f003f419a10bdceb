"""Files before their contents: what is no regular export is refused, whatever it is called."""

import gc
import gzip
import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landing.conftest import ORDERS, Warehouse
from warehouse.landing.files import check_file, list_files
from warehouse.landing.messages import FileRejectedError
from warehouse.landing.recognition import open_delivered
from warehouse.landing.report import Options

Write = Callable[..., Path]


def rejection(warehouse: Warehouse, *files: Path) -> str:
    report = warehouse.land(*files)
    assert {result.verdict for result in report.files} == {"rejected"}
    assert not warehouse.deliveries()
    return str(report.files[0].reason)


def test_symbolic_links_are_not_followed(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    link = tmp_path / "orders.csv"
    link.symlink_to(write("secret.csv", ORDERS))
    assert "symbolic link" in rejection(warehouse, link)


def test_a_pipe_does_not_hang(warehouse: Warehouse, tmp_path: Path) -> None:
    pipe = tmp_path / "orders.csv"
    os.mkfifo(pipe)
    assert "regular file" in rejection(warehouse, pipe)


def test_a_folder_named_like_a_file_is_a_folder(warehouse: Warehouse, tmp_path: Path, write: Write) -> None:
    write("orders_1.csv", ORDERS, "orders.csv")
    report = warehouse.land(tmp_path / "orders.csv")
    assert [(result.file, result.rows_landed) for result in report.files] == [("orders_1.csv", 3)]


def test_missing_and_empty_files(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    assert "no such file" in rejection(warehouse, tmp_path / "orders.csv")
    assert "empty" in rejection(warehouse, write("orders.csv", ""))
    assert "empty" in rejection(warehouse, write("orders.csv", "\n\n  \n"))
    assert "empty" in rejection(warehouse, write("orders.csv", b"\xef\xbb\xbf"))


@pytest.mark.parametrize(
    "name", ["orders[red].csv", "orders*.csv", "orders?.csv", "orders;drop table.csv", "orders {{x}}.csv"]
)
def test_names_are_only_names(name: str, warehouse: Warehouse, write: Write) -> None:
    write("orders_other.csv", ORDERS.replace("O", "X"))
    report = warehouse.land(write(name, ORDERS))
    assert [(result.file, result.rows_landed) for result in report.files] == [(name, 3)]
    assert {row[0] for row in warehouse.rows("orders", "file")} == {name}


def test_names_with_control_characters_are_refused_and_not_printed(warehouse: Warehouse, write: Write) -> None:
    report = warehouse.land(write("orders\x1b[31m.csv", ORDERS))
    assert report.files[0].verdict == "rejected"
    assert "\x1b" not in report.files[0].file


def test_an_address_in_a_file_name_is_not_kept(warehouse: Warehouse, write: Write) -> None:
    report = warehouse.land(write("orders_jane.doe@private.example.csv", ORDERS))
    assert report.files[0].verdict == "accepted"
    assert "jane" not in report.as_json()
    assert all(b"jane.doe" not in path.read_bytes() for path in warehouse.files())


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_gzip_and_zip_with_one_member(warehouse: Warehouse, write: Write) -> None:
    packed = write("orders.csv.gz", gzip.compress(ORDERS.encode()))
    archive = write("export.zip", zipped(**{"orders.csv": ORDERS, "__MACOSX/._orders.csv": "x"}))
    report = warehouse.land(packed, archive)
    assert [(result.file, result.entity, result.rows_landed) for result in report.files] == [
        ("orders.csv.gz", "orders", 3),
        ("export.zip/orders.csv", "orders", 3),
    ]


@pytest.mark.parametrize("member", ["../orders.csv", "/etc/orders.csv", "..\\orders.csv", "C:/orders.csv"])
def test_an_archive_that_climbs_out(member: str, warehouse: Warehouse, write: Write) -> None:
    assert "climbs" in rejection(warehouse, write("orders.zip", zipped(**{member: ORDERS})))


def test_archives_that_swell(warehouse: Warehouse, write: Write) -> None:
    bomb = b"order_id,account_id,ordered_at,amount\n" + b"0" * (80 * 2**20)
    assert "swells" in rejection(warehouse, write("orders.csv.gz", gzip.compress(bomb)))
    assert "swells" in rejection(warehouse, write("orders.zip", zipped(**{"orders.csv": bomb.decode()})))


def test_broken_archives(warehouse: Warehouse, write: Write) -> None:
    packed = gzip.compress(ORDERS.encode() * 1000)
    assert "damaged" in rejection(warehouse, write("orders.csv.gz", packed[: len(packed) // 2]))
    assert "damaged" in rejection(warehouse, write("orders.csv.gz", packed[:-3]))
    archive = zipped(**{"orders.csv": ORDERS})
    assert "ZIP" in rejection(warehouse, write("orders.zip", archive[: len(archive) // 2]))
    assert "gzip" in rejection(warehouse, write("orders.csv.gz", ORDERS))


@pytest.mark.parametrize(
    "start", [b"%PDF-1.7\n", b"\x89PNG\r\n", b"PAR1xx", b"<!DOCTYPE html><html>", b"\xd0\xcf\x11\xe0\xa1"]
)
def test_other_formats_under_the_name_of_a_text(start: bytes, warehouse: Warehouse, write: Write) -> None:
    rejection(warehouse, write("orders.csv", start + ORDERS.encode()))


def test_ten_thousand_columns(warehouse: Warehouse, write: Write) -> None:
    extra = "," + ",".join(f"extra_{letter}x{number}" for letter in "abcdefghij" for number in range(1000))
    cells = "," + ",".join("x" * 1 for _ in range(10_000))
    text = "".join(line + (extra if number == 0 else cells) + "\n" for number, line in enumerate(ORDERS.splitlines()))
    report = warehouse.land(write("orders.csv", text))
    assert (report.files[0].rows_landed, report.files[0].rows_quarantined) == (3, 0)
    assert len(report.as_json()) < 3_000


@pytest.mark.parametrize(("stored", "amount"), [(b"<v>2</v>", "2"), (b"", None), (b"<v></v>", None)])
def test_a_formula_without_a_result_is_no_empty_cell(
    stored: bytes, amount: str | None, warehouse: Warehouse, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["order_id", "account_id", "ordered_at", "amount"])
    book.active.append(["O1", "A1", "2024-01-01", "=1+1"])
    path = tmp_path / "orders.xlsx"
    book.save(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"(<f>1\+1</f>)<v ?(/>|></v>)", rb"\1" + stored, old.read(name)))
    if amount is None:
        assert "formulas without their results" in rejection(warehouse, path)
    else:
        warehouse.land(path)
        assert warehouse.rows("orders", "amount") == [(amount,)]


def test_workbooks(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    import datetime

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Order ID", "Account ID", "Ordered At", "Amount", "Currency", None])
    sheet.append(["O1", 7, datetime.datetime(2024, 2, 3, 10, 0), 100.5, "USD", None])
    sheet.append(["O2", 8, datetime.date(2024, 2, 4), 3.0, None, None])
    book.create_sheet("empty")
    path = tmp_path / "orders.xlsx"
    book.save(path)
    report = warehouse.land(path)
    assert (report.files[0].verdict, report.files[0].rows_landed) == ("accepted", 2)
    assert warehouse.rows("orders", "order_id, account_id, ordered_at, amount, currency, line_number") == [
        ("O1", "7", "2024-02-03 10:00:00", "100.5", "USD", 2),
        ("O2", "8", "2024-02-04 00:00:00", "3", None, 3),
    ]
    book.create_sheet("more").append(["x"])
    book.save(path)
    assert warehouse.land(path).files[0].verdict == "rejected"
    damaged = rejection(Warehouse(tmp_path / "other"), write("orders.xlsx", path.read_bytes()[:2000]))
    assert damaged == "is a damaged workbook: it cannot be read"


def test_a_workbook_tells_its_sheets_and_where_it_is_damaged(
    warehouse: Warehouse, write: Write, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "March"
    book.active.append(["order_id", "account_id", "ordered_at", "amount"])
    for number in range(3000):
        book.active.append([f"O{number}", "A1", "2024-01-01", 7])
    book.create_sheet("noa@example.org")
    path = tmp_path / "orders.xlsx"
    book.save(path)
    columns = "{order_id: order_id, account_id: account_id, ordered_at: ordered_at, amount: amount}"
    entities = f"[{{entity: orders, columns: {columns}}}]"
    mapping = write("mine.yml", f"files: [{{name: '*.xlsx', sheet: April, entities: {entities}}}]", "mappings")
    [result] = warehouse.land(path, source=str(mapping)).files
    assert result.reason == "has no sheet of the name that the mapping gives: its sheets are March, (address)"
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            is_first = name.endswith("sheet1.xml")
            new.writestr(name, old.read(name).replace(b"</sheetData>", b"</sheet" if is_first else b"</sheetData>"))
    assert re.fullmatch(r"is a damaged workbook: it cannot be read after row \d{3,4}", rejection(warehouse, path))


@pytest.mark.parametrize("end", ["rejected", "refused by its plan", "damaged", "read"])
def test_a_workbook_is_closed_when_it_was_read_or_rejected(end: str, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["order_id", "account_id", "ordered_at", "amount"])
    book.active.append(["O1", "A1", "2024-01-01", 7])
    if end == "rejected":
        book.create_sheet("more").append(["x"])
    path = tmp_path / "orders.xlsx"
    book.save(path)
    if end == "damaged":
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b"</sheetData>", b"</sheet"))

    def is_open() -> bool:
        return any(each.samefile(path) for each in Path("/proc/self/fd").iterdir() if each.exists())

    entity = "contacts" if end == "refused by its plan" else "orders"
    # What was raised keeps alive whatever the reader held.
    raised = []
    try:
        opened, _ = open_delivered(check_file(list_files([path])[0][0]), Options(entity=entity))
        assert is_open()
        assert sum(block.record_count for block in opened.blocks()) == 1
    except FileRejectedError as error:
        raised.append(error)
    assert not is_open()
    assert bool(raised) == (end != "read")


def test_parquet(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    import datetime

    table = pa.table({
        "order_id": [1, 2],
        "account_id": ["A", "B"],
        "ordered_at": [datetime.datetime(2024, 1, 1, 10), None],
        "amount": [1.5, 2.0],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "orders.parquet")
    report = warehouse.land(tmp_path / "orders.parquet")
    assert report.files[0].rows_landed == 2
    assert warehouse.rows("orders", "order_id, ordered_at, amount")[0][0] == "1"
    damaged = (tmp_path / "orders.parquet").read_bytes()
    rejection(Warehouse(tmp_path / "other"), write("orders.parquet", damaged[:-20]))


def test_json_lines_and_arrays(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    records = [
        {"order_id": "O1", "account_id": "A1", "ordered_at": "2024-01-01", "amount": 10.10},
        {"account_id": "A2", "order_id": 2, "ordered_at": "2024-01-02", "amount": "5", "extra": {"a": [1]}},
    ]
    lines = "\n".join(json.dumps(record) for record in records)
    report = warehouse.land(write("orders.jsonl", lines + "\n{broken\n\n[1]\n"))
    assert (report.files[0].rows_in, report.files[0].rows_landed, report.files[0].rows_quarantined) == (
        4,
        2,
        2,
    )
    assert warehouse.rows("orders", "order_id, amount, line_number") == [("O1", "10.1", 1), ("2", "5", 2)]
    assert [row["line_number"] for row in warehouse.quarantine()] == [3, 5]
    array = warehouse.land(write("orders.json", json.dumps(records, indent=1)))
    assert array.files[0].rows_landed == 2
    rejection(Warehouse(tmp_path / "other"), write("orders.json", json.dumps(records)[:-5]))
    # Nothing may be finalised where the stack is full: whatever earlier tests left would be reported as this one's.
    gc.collect()
    gc.disable()
    try:
        rejection(Warehouse(tmp_path / "other"), write("orders.json", "[" * 100_000))
    finally:
        gc.enable()
