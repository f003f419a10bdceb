"""Parquet is read column by column with the results and verdicts of reading it row by row."""

import datetime
import decimal
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from landing.conftest import Warehouse
from warehouse.contract import entities
from warehouse.landing import reading, zone
from warehouse.landing.columnar import _NEVER_ASCII, ColumnReader, as_text
from warehouse.landing.files import Delivered, check_file
from warehouse.landing.header import Header, Plan, plan_canonical
from warehouse.landing.messages import FileRejectedError
from warehouse.landing.names import normal_name
from warehouse.landing.personal_data import SIGN_BYTES
from warehouse.landing.rows import LARGEST_CELL, Rows, Shape

Write = Callable[..., Path]
ORDER_COLUMNS = ("order_id", "account_id", "ordered_at", "amount")


@dataclass
class Read:
    """All that the blocks of a file say, however they were cut; `refusal` is the reason of a rejected file."""

    cells: dict[int, list[str | None]]
    lines: list[int]
    records: list[int]
    bad: list[tuple[int, int, str, str, tuple[str | None, ...]]]
    line_count: int
    record_count: int
    was_trimmed: bool
    refusal: str = ""


def together(blocks: Iterator[Rows], wanted: tuple[int, ...]) -> Read:
    read = Read({place: [] for place in wanted}, [], [], [], 0, 0, False)
    try:
        for rows in blocks:
            for place in wanted:
                read.cells[place] += rows.columns[place].to_pylist()
            read.lines += [line + read.line_count for line in rows.lines.tolist()]
            read.records += [record + read.record_count for record in rows.records.tolist()]
            read.bad += [
                (row.line + read.line_count, row.record + read.record_count, row.reason, row.raw_line, tuple(row.cells))
                for row in rows.bad
            ]
            read.line_count += rows.line_count
            read.record_count += rows.record_count
            read.was_trimmed |= rows.was_trimmed
    except FileRejectedError as error:
        return Read({}, [], [], [], 0, 0, False, str(error))
    return read


def by_rows(shape: Shape, columns: list[pa.Array]) -> Read:
    """Read columns one row after the other, by the code that reads workbooks."""

    def cells() -> Iterator[tuple[int, list[str | None], str]]:
        texts = [as_text(column).to_pylist() for column in columns]
        for line, values in enumerate(zip(*texts, strict=True)):
            yield line, list(values), "\t".join(value or "" for value in values)

    def blocks() -> Iterator[Rows]:
        for block in reading._collected(shape, cells(), 0):
            assert isinstance(block, Rows)
            yield block

    return together(blocks(), shape.wanted)


def by_columns(shape: Shape, columns: list[pa.Array], size: int) -> Read:
    """Read columns in batches of `size` rows."""
    reader = ColumnReader(shape)
    count = len(columns[0])

    def blocks() -> Iterator[Rows]:
        for start in range(0, max(count, 1), size):
            rows = reader.rows([as_text(column.slice(start, size)) for column in columns])
            for column in rows.columns.values():
                text = "".join(text or "" for text in column.to_pylist())
                assert rows.has_signs or not any(sign in text.encode() for sign in SIGN_BYTES)
            yield rows

    return together(blocks(), shape.wanted)


def shape_of(names: tuple[str, ...], named: int, wanted: tuple[int, ...], required: tuple[str, ...]) -> Shape:
    return Shape(names, named, wanted, frozenset(normal_name(name) for name in required))


SHAPES = (
    shape_of(ORDER_COLUMNS, 4, (0, 1, 2, 3), ORDER_COLUMNS[:3]),
    # A nameless column, an unwanted one, a foreign one.
    shape_of(("order_id", "note", "סכום", ""), 3, (0, 2), ("order_id", "סכום")),
    shape_of(("מספר", "סכום", "תאריך", "x"), 4, (0, 1, 2), ("מספר", "סכום")),
    shape_of(("ﬁrm", "-", "_", "x"), 4, (0, 3), ()),
    shape_of(("order_id", "", "", ""), 1, (0,), ("order_id",)),
    shape_of(("-", "_", " ", "- -"), 4, (0, 1), ()),
)
CELLS = st.sampled_from([
    None, "", " ", "\t\n", "\u00a0", "\ufeff", "\x1f", "a", " a", "a\ufeff", "\u202fa\u3000", "7", "x\0", "\0" * 20,
    "é", "order_id", " Order-ID ", "ORDER  ID", "order\u200b_id", "ｏｒｄｅｒ＿ｉｄ", "_order_id", "orderid",
    "account_id", "Account ID", "ordered_at", "amount", "note",
    "סכום", "מספר", "תאריך", "גליל", "\u200fסכום", "x", "firm", "ﬁrm", "-",
    "a@b.example", "a%40b.example", "ａ＠b", "O" * 50,
])  # fmt: skip
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=12)


@settings(deadline=None, max_examples=400)
@given(rows=ROWS, shape=st.sampled_from(SHAPES), size=st.integers(1, 13), start=st.integers(0, 3))
@example(rows=[ORDER_COLUMNS], shape=SHAPES[0], size=5, start=0)
@example(rows=[("a", "b", "c", "d"), ORDER_COLUMNS[::-1]], shape=SHAPES[0], size=1, start=0)
@example(rows=[("ｏｒｄｅｒ＿ｉｄ", "Account\u00ad ID", "ｏrdered at", "AMOUNT")], shape=SHAPES[0], size=1, start=0)
@example(rows=[("\ufeff", None, None, None), ("a", None, None, "\ufeff")], shape=SHAPES[4], size=2, start=0)
def test_columns_are_judged_like_rows(rows: list[Any], shape: Shape, size: int, start: int) -> None:
    columns = [
        pa.array([row[place] for row in rows], pa.string()).slice(min(start, len(rows)))
        for place in range(4)
    ]  # fmt: skip
    expected = by_rows(shape, columns)
    assert by_columns(shape, columns, size) == replace(expected, line_count=min(expected.line_count, len(columns[0])))


def test_a_cell_that_is_too_large_is_judged_like_in_rows() -> None:
    columns = [pa.array(["a", "é" * (LARGEST_CELL // 2 + 1), "é" * (LARGEST_CELL // 2)])] * 4
    assert by_columns(SHAPES[0], columns, 2) == by_rows(SHAPES[0], columns)


def test_names_are_ascii_only_without_the_letters_that_rule_it_out() -> None:
    for number in range(0x80, 0x110000):
        if _NEVER_ASCII.match(chr(number)):
            assert not normal_name(f"a{chr(number)}b").isascii()
            assert not unicodedata.category(chr(number)).startswith("M")


MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)
TYPES: dict[str, pa.Array] = {
    "string": pa.array([" a ", None, "", "é"]),
    "large_string": pa.array(["a", None, " ", "x"], pa.large_string()),
    "string_view": pa.array(["a" * 20, None, "", "x"], pa.string_view()),
    "binary": pa.array([b"a", None, b"", "é ".encode()], pa.binary()),
    "fixed_binary": pa.array([b"ab", None, b"  ", b"cd"], pa.binary(2)),
    "dictionary": pa.array(["b", None, "a ", "b"]).dictionary_encode(),
    "dictionary_number": pa.array([2, None, 1, 2]).dictionary_encode(),
    "int8": pa.array([1, None, -128, 127], pa.int8()),
    "int64": pa.array([1, None, -(2**63), 2**63 - 1]),
    "uint64": pa.array([1, None, 0, 2**64 - 1], pa.uint64()),
    "float": pa.array([1.0, None, 1e20, float("nan")], pa.float32()),
    "double": pa.array([100.0, None, 0.1, 1e300]),
    "double_edges": pa.array([float("inf"), -0.0, 123456789012345680.0, 1e-7]),
    "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-0.05"), decimal.Decimal("1000.00")]),
    "boolean": pa.array([True, None, False, True]),
    "date": pa.array([MOMENT.date(), None, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
    "time": pa.array([MOMENT.time(), None, datetime.time(0), datetime.time(1, 2)]),
    "timestamp_s": pa.array([MOMENT, None, MOMENT, MOMENT], pa.timestamp("s")),
    "timestamp_ns": pa.array([MOMENT, None, MOMENT, MOMENT], pa.timestamp("ns")),
    "timestamp_zone": pa.array([MOMENT, None, MOMENT, MOMENT], pa.timestamp("us", "Asia/Jerusalem")),
    "dictionary_zone": pa.array([MOMENT] * 4, pa.timestamp("ms", "UTC")).dictionary_encode(),
    "nothing": pa.nulls(4),
    "list": pa.array([[1, 2], None, [], [3]]),
    "struct": pa.array([{"a": 1}, None, {"a": None}, {"a": 3}]),
}


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_the_same_text(kind: str) -> None:
    columns = [pa.array(["1", "2", "3", "4"]), TYPES[kind], pa.array([None, "b", " c", "d"]), TYPES[kind]]
    read = by_columns(SHAPES[0], columns, 3)
    assert read == by_rows(SHAPES[0], columns)
    assert (read.refusal, len(read.lines)) == ("", 4)


def test_the_texts_of_types() -> None:
    expected = {
        "double": ["100", None, "0.1", "1e+300"],
        "decimal": ["1.50", None, "-0.05", "1000.00"],
        "boolean": ["true", None, "false", "true"],
        "timestamp_zone": ["2024-02-29 23:59:58.123456Z", None, *["2024-02-29 23:59:58.123456Z"] * 2],
        "list": ["[1, 2]", None, "[]", "[3]"],
    }
    for kind, texts in expected.items():
        assert as_text(TYPES[kind]).to_pylist() == texts


def opened(path: Path) -> reading.OpenFile:
    def plan(header: Header) -> Plan:
        return plan_canonical(header, entities()["orders"], True)

    return reading.open_file(check_file(Delivered(path, path.name, False)), None, plan)


def blocks_of(path: Path) -> list[Rows]:
    return list(opened(path).blocks())


def orders(count: int, **columns: Any) -> pa.Table:
    numbers = np.arange(count)
    plain = {
        "order_id": pa.array(numbers),
        "account_id": pa.array(numbers % 97),
        "ordered_at": pa.array(["2024-01-01"] * count),
        "amount": pa.array(numbers / 4),
    }
    return pa.table({**plain, **columns})


def test_damage_and_bytes_that_are_no_text_reject_the_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    wrong = pa.array([b"A", b"\xff\xfe", b"C"], pa.binary())
    for column in (wrong, pa.Array.from_buffers(pa.string(), 3, wrong.buffers())):
        pq.write_table(orders(3, account_id=column), path)
        with pytest.raises(FileRejectedError, match=r"damaged Parquet|its column account_id is of the type binary"):
            blocks_of(path)
    pq.write_table(orders(300_000), path, compression="none", use_dictionary=False, row_group_size=50_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 5000 + whole[len(whole) // 2 + 5000 :])
    try:
        assert sum(block.count for block in blocks_of(path)) <= 300_000
    except FileRejectedError as error:
        assert "damaged Parquet" in str(error)


def test_a_column_that_nobody_wants_rejects_no_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    odd = {
        "row_hash": pa.array([b"\xff\xfe", None, b"C"], pa.binary()),
        "events": pa.array([[1], None, []], pa.list_(pa.timestamp("ns"))),
    }
    pq.write_table(orders(3, **odd), path)
    assert sum(block.count for block in blocks_of(path)) == 3


def test_identifiers_that_were_kept_as_doubles_stay_themselves() -> None:
    values = [12345678901.0, None, 7.0, -3.0, 0.5, 1e15, 2.0**53, float("nan")]
    texts = as_text(pa.array(values, pa.float64())).to_pylist()
    assert texts == ["12345678901", None, "7", "-3", "0.5", "1000000000000000", "9.007199254740992e+15", "nan"]
    assert as_text(pa.array([17.0, 2.5], pa.float32())).to_pylist() == ["17", "2.5"]


def test_an_empty_file_is_one_block_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pq.write_table(orders(0), path)
    (block,) = blocks_of(path)
    assert (block.count, block.line_count, sorted(block.columns)) == (0, 0, [0, 1, 2, 3])


def test_wide_rows_are_read_in_small_batches(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    wide = pa.array([f"{number}{'x' * 200_000}" for number in range(400)])
    pq.write_table(orders(400, ordered_at=wide), path, use_dictionary=False)
    assert max(block.count for block in blocks_of(path)) < 200


def test_landed_files_have_large_row_groups_whatever_the_blocks(
    warehouse: Warehouse, write: Write, tmp_path: Path
) -> None:
    count = zone.ROWS_PER_GROUP + 50_000
    names = pa.array([None if number == 7 else str(number) for number in range(count)])
    table = orders(count, order_id=names)
    pq.write_table(table.set_column(1, "account_id", names).append_column("note", names), tmp_path / "orders.parquet")
    lines = "\n".join(f"{number},A,2024-01-01,{number}.50" for number in range(count))
    text = write("orders.csv", f"order_id,account_id,ordered_at,amount\n{lines}\n")
    for file in (tmp_path / "orders.parquet", text):
        assert warehouse.land(file).files[0].rows_landed == count
        metadata = pq.ParquetFile(max((warehouse.paths.landing / "orders").glob("0*.parquet"))).metadata
        groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        assert groups == [zone.ROWS_PER_GROUP, 50_000]
    query = f"from read_parquet('{warehouse.paths.landing}/orders/0*.parquet')"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select count(*), count(distinct record_number), max(record_number), count(*) filter (line_number = "
            f"record_number), count(*) filter (line_number = record_number + 1) {query}"
        ).fetchone()
    assert found == (2 * count, count, count, count, count)


def test_records_and_lines_are_counted_past_bad_and_blank_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    names = list(ORDER_COLUMNS)
    rows = [
        ["O1", "A", "2024-01-01", "1"],
        [None, " ", "", None],
        names,
        ["O2 ", "A", "2024-01-01", "x\0y"],
        ["O3", "A", "2024-01-01", "person@mail.example"],
    ]
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    pq.write_table(table, tmp_path / "orders.parquet")
    (result,) = warehouse.land(tmp_path / "orders.parquet").files
    assert (result.rows_in, result.rows_landed, result.rows_quarantined) == (4, 2, 2)
    assert warehouse.rows("orders", "order_id, line_number, record_number") == [("O1", 1, 1), ("O3", 5, 4)]
    found = [(row["line_number"], row["record_number"], row["reason"]) for row in warehouse.quarantine()]
    assert found == [(3, 2, "repeated_header"), (4, 3, "nul_byte")]
    assert "person" not in str(warehouse.rows("orders"))
    shuffled = [*table.slice(0, 1).to_pylist(), dict(zip(names, reversed(names), strict=True))]
    pq.write_table(pa.Table.from_pylist(shuffled), tmp_path / "orders_2.parquet")
    assert "second header" in str(warehouse.land(tmp_path / "orders_2.parquet").files[0].reason)
