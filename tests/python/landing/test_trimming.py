"""Every landed text is trimmed in the sense of the macro `trimmed`, whichever way it came: staging relies on it."""

import csv
import io
import itertools
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from landing.conftest import Warehouse
from warehouse.contract import entities
from warehouse.landing import zone
from warehouse.landing.texts import BLANKS, trimmed, trimmed_array
from warehouse.paths import PROJECT_DIR

Write = Callable[..., Path]
MACRO = re.compile(r"macro duckdb__trimmed\(text\) -%}\s*(.*?)\s*{%- endmacro", re.DOTALL)
COLUMNS = ("order_id", "account_id", "ordered_at", "amount", "currency", "product_id")
# Spreadsheets cannot hold these at all.
IN_WORKBOOKS = "".join(blank for blank in BLANKS if blank in "\t\n" or blank >= " ")


def macro(text: str) -> str:
    """Return the SQL of the macro for DuckDB."""
    found = MACRO.search((PROJECT_DIR / "macros" / "engine" / "text.sql").read_text(encoding="utf-8"))
    assert found is not None
    return found.group(1).replace("{{ text }}", text)


def check_zone(warehouse: Warehouse, entity: str) -> int:
    """Check all texts of an entity and return the number of its rows."""
    folder = warehouse.paths.landing / entity
    names = entities()[entity].column_names
    untrimmed = " + ".join(f"count(*) filter ({name} is distinct from {macro(name)})" for name in names)
    with duckdb.connect() as connection:
        query = f"select {untrimmed}, count(*) from read_parquet('{folder}/*.parquet')"
        count, rows = connection.execute(query).fetchall()[0]
    assert count == 0
    return int(rows)


def nasty(blanks: str = BLANKS) -> list[str]:
    """Return texts with blanks around and between, and texts of nothing else."""
    pairs = [first + last for first, last in itertools.product(blanks[:12], blanks[-8:])]
    return [*blanks, *pairs, *(f"{blank}x{blank}" for blank in blanks), *(f"a{blank}b" for blank in blanks), *pairs]


def rows_of(texts: list[str]) -> list[list[str]]:
    """Return rows of orders with the texts in their last columns."""
    return [[f"O{number}", f" A{number}\t", "2024-01-01", *[text] * 3] for number, text in enumerate(texts)]


def delimited(rows: list[list[str]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([COLUMNS, *rows])
    return file.getvalue()


def test_blanks_are_white_space_and_what_is_invisible() -> None:
    everything = [chr(number) for number in range(0x110000)]
    white = {each for each in everything if each.isspace()}
    formats = {each for each in everything if unicodedata.category(each) == "Cf"}
    assert white <= set(BLANKS) <= white | formats
    assert {"\ufeff", "\u200e", "\u202b", "\u202c", "\u2067", "\u2069"} <= set(BLANKS)
    with duckdb.connect() as connection:
        for blank in BLANKS:
            (left,) = connection.execute(f"select {macro('$1')}", [f"{blank}x{blank}"]).fetchall()[0]
            assert trimmed(left) == "x"


@given(st.lists(st.one_of(st.none(), st.text(alphabet=f"{BLANKS}abאé\u0085\U0001f600\u202e\u00c2")), max_size=20))
def test_arrays_are_trimmed_like_texts(texts: list[str | None]) -> None:
    for array in (pa.array(texts, pa.string()), pa.array(["x", *texts, "y"], pa.string()).slice(1, len(texts))):
        found, changed = trimmed_array(array)
        assert found.to_pylist() == [trimmed(text or "") for text in texts]
        assert changed.tolist() == [
            place for place, text in enumerate(texts) if text and len(trimmed(text) or "") != len(text)
        ]


@pytest.mark.parametrize("blanks", [BLANKS, "".join(filter(str.isascii, BLANKS)), " ", "\n", "\t"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_delimited_text(warehouse: Warehouse, write: Write, blanks: str, delimiter: str) -> None:
    rows = rows_of([text for text in nasty(blanks) if "\r" not in text])
    report = warehouse.land(write("orders.csv", delimited(rows, delimiter)))
    assert check_zone(warehouse, "orders") == report.files[0].rows_in == len(rows)
    # A lone carriage return makes every row be read with care.
    report = warehouse.land(write("orders_2.csv", delimited([*rows, *rows_of(["\rx\r"])], delimiter)))
    assert report.files[0].rows_in == len(rows) + 1
    assert check_zone(warehouse, "orders") == 2 * len(rows) + 1


def test_other_kinds_of_files(warehouse: Warehouse, write: Write, tmp_path: Path) -> None:
    rows = rows_of(nasty())
    lines = "\n".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in rows)
    warehouse.land(write("orders.jsonl", lines))
    warehouse.land(write("orders.json", f"[{','.join(lines.splitlines())}]"))
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    columns[4] = columns[4].dictionary_encode()
    pq.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), tmp_path / "orders.parquet")
    warehouse.land(tmp_path / "orders.parquet")
    in_workbook = rows_of(nasty(IN_WORKBOOKS))
    book = openpyxl.Workbook()
    for row in (list(COLUMNS), *in_workbook):
        book.active.append(row)
    book.save(tmp_path / "orders.xlsx")
    warehouse.land(tmp_path / "orders.xlsx")
    assert check_zone(warehouse, "orders") == 3 * len(rows) + len(in_workbook)


def test_what_a_mapping_makes(warehouse: Warehouse, write: Write) -> None:
    document = {
        "files": [
            {
                "name": "sales*",
                "entities": [
                    {
                        "entity": "orders",
                        "columns": {
                            "order_id": {"join": ["id", "part"], "separator": " "},
                            "account_id": {"from": "who", "default": " nobody\u00a0"},
                            "ordered_at": {"from": "day", "date_format": "%d.%m.%Y "},
                            "amount": {"from": "sum", "values": {"none": "\ufeff", "some": " 5\n"}},
                            "currency": {"first_filled": [{"from": "money", "first_part": ";"}, {"from": "part"}]},
                            "product_id": {
                                "lookup": {"file": "products*", "on": "part", "match": "name", "take": "code"},
                                "values": {"P2": "\u202fP2\t"},
                            },
                        },
                    },
                    {"entity": "products", "columns": {"product_id": "part"}, "constants": {"product_line": "\ta "}},
                ],
            }
        ],
        "provides": {"churn_reasons": [{"raw_wording": " price ", "reason": "price\u00a0"}]},
    }
    text = "id,part,who,day,sum,money\n1, ,A,1.1.2024,none,\ufeff USD \ufeff; EUR\n2,b,,x,some,;\n3,c,B,,7,\u00a0;\n"
    write("products.csv", "name,code\nb, P1\ufeff\nc,P2\n")
    mapping = write("mine.yml", yaml.safe_dump(document, allow_unicode=True), "mappings")
    report = warehouse.land(write("sales.csv", text), source=str(mapping))
    assert not report.has_rejected, report.files[0].reason
    assert [check_zone(warehouse, name) for name in ("orders", "products", "churn_reasons")] == [3, 3, 1]
    assert warehouse.rows("orders", "order_id, account_id, amount, currency, product_id") == [
        ("1", "A", None, "USD", None),
        ("2 b", "nobody", "5", "b", "P1"),
        ("3 c", "B", "7", "c", "P2"),
    ]


def test_corrected_rows(warehouse: Warehouse, write: Write) -> None:
    (load,) = [warehouse.land(write("orders.csv", delimited(rows_of(["x"])))).load_id]
    added = ("quarantined_load_id", "quarantined_file", "quarantined_record_number")
    exported = ("quarantined_line_number", "quarantined_reason", "quarantined_raw_line")
    columns = entities()["orders"].column_names
    (row,) = rows_of(["'\t5\u00a0"])
    cells = {**dict(zip(COLUMNS, row, strict=True)), **dict(zip(added, (str(load), "orders.csv", "1"), strict=True))}
    file = io.StringIO()
    writer = csv.DictWriter(file, [*added, *exported, *columns], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow(cells)
    report = warehouse.land(write("open.csv", file.getvalue()))
    assert (report.has_rejected, report.files[0].rows_landed) == (False, 1)
    assert check_zone(warehouse, "orders") == 2
    assert warehouse.rows("orders", "amount")[1] == ("5",)
    assert len(pq.read_table(warehouse.paths.landing / zone.CORRECTIONS / f"{report.load_id}-1.parquet")) == 1
