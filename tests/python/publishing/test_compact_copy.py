"""The published file: only the marts and comments, equal to what was audited, readable by older clients."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing.companies import write_marts
from warehouse.errors import WarehouseError
from warehouse.publishing import compact
from warehouse.publishing.compact import compact_copy, same_rows


def test_the_copy_has_the_marts_and_their_comments(tmp_path: Path) -> None:
    write_marts(tmp_path / "made.duckdb", "first")
    found = compact_copy(tmp_path / "made.duckdb", tmp_path / "copy.duckdb")
    assert sorted(found) == ["customer_lifetime_value", "mart_run", "nps", "odd_texts", "retention_rate"]
    assert found["nps"]["rows"] == 50
    assert found["nps"]["comment"] == "Net promoter score"
    assert ["value", "DOUBLE", "It's a value"] in found["nps"]["columns"]
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as connection:
        comments = connection.execute("select comment from duckdb_columns() where comment is not null").fetchall()
    assert comments == [("It's a value",)]


def test_the_copy_is_in_the_format_of_older_clients(tmp_path: Path) -> None:
    write_marts(tmp_path / "made.duckdb", "first")
    compact_copy(tmp_path / "made.duckdb", tmp_path / "copy.duckdb")
    # Bytes 12 to 19 of the header hold the version of the storage: 65 is that of DuckDB 1.2.
    header = (tmp_path / "copy.duckdb").read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 65


def test_deleted_rows_are_in_no_byte_of_the_copy(tmp_path: Path) -> None:
    write_marts(tmp_path / "made.duckdb", "first")
    with duckdb.connect(str(tmp_path / "made.duckdb")) as connection:
        connection.execute(
            "create table marts.names as select 'plain name of nobody ' || i as name from range(5) as r(i)"
        )
        connection.execute("checkpoint")
        connection.execute("delete from marts.names")
    compact_copy(tmp_path / "made.duckdb", tmp_path / "copy.duckdb")
    assert b"plain name of nobody" not in (tmp_path / "copy.duckdb").read_bytes()


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("select i, null as t from range(9) as r(i)", True),
        ("select i, null as t from range(9) as r(i) order by i desc", True),
        ("select i, '' as t from range(9) as r(i)", False),
        ("select i, null as t from range(8) as r(i)", False),
        ("select least(i, 7) as i, null as t from range(9) as r(i)", False),
    ],
)
def test_rows_are_compared_value_by_value(right: str, expected: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table a as select i, null::varchar as t from range(9) as r(i)")
        connection.execute(f"create table b as select i::bigint as i, t::varchar as t from ({right})")
        assert same_rows(connection, "a", "b") is expected


def test_tables_outside_the_marts_refuse_the_copy(tmp_path: Path) -> None:
    write_marts(tmp_path / "made.duckdb", "first")
    with duckdb.connect(str(tmp_path / "made.duckdb")) as connection:
        connection.execute("create schema staging")
        connection.execute("create table staging.raw as select 1 as cell")
    with pytest.raises(WarehouseError, match="outside the schema marts"):
        compact_copy(tmp_path / "made.duckdb", tmp_path / "copy.duckdb")


def test_a_copy_that_differs_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_marts(tmp_path / "made.duckdb", "first")
    monkeypatch.setattr(compact, "same_rows", lambda _connection, left, _right: not left.endswith('"nps"'))
    with pytest.raises(WarehouseError, match="differs from the audited marts in nps: nothing published"):
        compact_copy(tmp_path / "made.duckdb", tmp_path / "copy.duckdb")


def test_a_copy_without_its_comments_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_marts(tmp_path / "made.duckdb", "first")
    described = compact.described_marts

    def without_comments_in_the_copy(connection: Any, database: str) -> Any:
        marts = described(connection, database)
        return {name: {**mart, "comment": None if database == "compact" else "kept"} for name, mart in marts.items()}

    monkeypatch.setattr(compact, "described_marts", without_comments_in_the_copy)
    with pytest.raises(WarehouseError, match="differs from the audited marts in customer_lifetime_value, "):
        compact_copy(tmp_path / "made.duckdb", tmp_path / "copy.duckdb")
