"""From the quarantine into a spreadsheet and back: corrected rows take the place of the refused ones, once."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from harness.compiled_project import PROJECT_DIR, CompiledProject, Model, run_dbt
from landing.conftest import Warehouse
from warehouse.building.kept_rows import entities_to_type_again
from warehouse.cli import app
from warehouse.errors import WarehouseError
from warehouse.landing.formulas import neutralised, restored, restored_array
from warehouse.landing.report import Options
from warehouse.quarantining.listing import COLUMN_PROBLEMS, Wanted, export_quarantined, quarantined_rows
from warehouse.runs.erasing import erase_customer
from warehouse.runs.seeds import write_seeds

Write = Callable[..., Path]
Change = Callable[[dict[str, str]], None]
ANY_ZONE = "/the/landing/zone/of/a/test"
HEADER = "order_id,account_id,ordered_at,amount,currency,product_id\n"


@dataclass
class Built:
    """A warehouse whose rows are judged by the project's own SQL."""

    project: CompiledProject
    warehouse: Warehouse
    folder: Path

    def build(self) -> duckdb.DuckDBPyConnection:
        """Judge what is landed, publish the list of quarantined rows, and check that every row is accounted for."""
        landing = str(self.warehouse.paths.landing)
        models = (replace(model, code=model.code.replace(ANY_ZONE, landing)) for model in self.project.models)
        connection = CompiledProject(tuple(models), self.project.seeds).built({})
        unbalanced = "select * from marts_file.marts.load_reconciliation where not is_reconciled"
        assert connection.execute(unbalanced).fetchall() == []
        published = self.warehouse.paths.published_file
        published.parent.mkdir(parents=True, exist_ok=True)
        published.unlink(missing_ok=True)
        connection.execute(f"attach '{published}' as published")
        connection.execute("create schema published.marts")
        connection.execute("create table published.marts.quarantined_rows as from marts_file.marts.quarantined_rows")
        connection.execute("detach published")
        return connection

    def orders(self) -> list[tuple[Any, ...]]:
        """Return key, amount and reason of every order that is current or quarantined."""
        query = (
            "select order_id, amount::varchar, row_state, quarantine_reason from build.intermediate.int_rows__orders "
            "where row_state <> 'superseded' order by all"
        )
        return self.build().execute(query).fetchall()

    def current(self) -> dict[str, str]:
        """Return the amount of every current order."""
        return {row[0]: row[1] for row in self.orders() if row[2] == "current"}

    def open_rows(self) -> list[tuple[str, int, str]]:
        """Return file, line and reason of the rows that the quarantine lists."""
        listed = quarantined_rows(self.warehouse.paths, Wanted(limit=1000))
        return [(row["file"], row["line_number"], row["reason"]) for row in listed.rows]

    def export(self, name: str = "open.csv", **wanted: Any) -> Path:
        """Export the open rows into one file."""
        path = self.folder / name
        export_quarantined(self.warehouse.paths, Wanted(**wanted), path, overwrites=True)
        return path

    def correct(self, change: Change, name: str = "open.csv", save_as: str = "") -> Path:
        """Export the open rows, let `change` edit each, and save them as a spreadsheet does."""
        path = self.export(name)
        rows = read(path)
        for row in rows:
            change(row)
        return save(path.with_name(save_as or name), rows)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def setting(**cells: Mapping[str, str]) -> Change:
    """Return a change that sets cells of the rows with these keys: setting(O1={"amount": "1"})."""

    def change(row: dict[str, str]) -> None:
        row.update(cells.get(row["order_id"], {}))

    return change


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    """The models behind the lists of quarantined and of counted rows, compiled for a landing zone."""
    selected = ("--select", "+quarantined_rows", "+load_reconciliation")
    nodes = run_dbt(tmp_path_factory.mktemp("project"), {"landing_zone": ANY_ZONE}, "compile", *selected)
    waiting = {key: node for key, node in nodes.items() if node["resource_type"] == "model" and node.get("compiled")}
    models: list[Model] = []
    while waiting:
        for key in sorted(waiting):
            node = waiting[key]
            if not any(needed in waiting for needed in node["depends_on"]["nodes"]):
                is_view = node["config"]["materialized"] == "view"
                models.append(
                    Model(node["name"], node["relation_name"], node["schema"], is_view, False, node["compiled_code"])
                )
                del waiting[key]
    seeds = {node["name"]: node["relation_name"] for node in nodes.values() if node["resource_type"] == "seed"}
    return CompiledProject(tuple(models), seeds)


@pytest.fixture
def built(project: CompiledProject, warehouse: Warehouse, tmp_path: Path) -> Built:
    return Built(project, warehouse, tmp_path)


# ---------------------------------------------------------------- the whole way


def test_corrected_rows_take_the_place_of_the_refused_ones(built: Built, write: Write) -> None:
    lines = "O1,A1,2024-02-03,100.00,USD,\nO2,A1,2024-03-03,12O.00,USD,\nO3,A2,bad,5,USD,\nO4,A2,2024-03-09,80\n"
    built.warehouse.land(write("orders.csv", HEADER + lines))
    assert built.current() == {"O1": "100.0000"}
    assert built.open_rows() == [
        ("orders.csv", 3, "amount_not_a_number"),
        ("orders.csv", 4, "ordered_at_not_a_date"),
        ("orders.csv", 5, "ragged_row"),
    ]

    def change(row: dict[str, str]) -> None:
        if row["order_id"] == "O2":
            row["amount"] = "120.00"
        if row["quarantined_reason"] == "ragged_row":
            assert row["quarantined_raw_line"] == "O4,A2,2024-03-09,80"
            row.update(order_id="O4", account_id="A2", ordered_at="2024-03-09", amount="8O")

    report = built.warehouse.land(built.correct(change))
    (result,) = report.files
    assert (result.entity, result.rows_in, result.rows_landed, result.rows_quarantined) == ("orders", 2, 2, 0)
    assert result.repairs[0].startswith("corrects 2 rows of load 00001-")
    assert "unchanged rows stay in quarantine: 1 left out" in result.repairs
    # What was corrected is no longer open, at once; what was corrected wrongly is, at its new address, once built.
    assert built.open_rows() == [("orders.csv", 4, "ordered_at_not_a_date")]
    assert built.current() == {"O1": "100.0000", "O2": "120.0000"}
    assert built.open_rows() == [
        ("orders.csv", 4, "ordered_at_not_a_date"),
        ("open.csv", 4, "amount_not_a_number"),
    ]
    listed = quarantined_rows(built.warehouse.paths, Wanted(is_corrected=True))
    assert {(row["line_number"], row["corrected_by"]) for row in listed.rows} == {
        (3, report.load_id),
        (5, report.load_id),
    }

    query = "select line_number, corrected_by_load_id from marts_file.marts.quarantined_rows where file = 'orders.csv'"
    assert built.build().execute(f"{query} order by all").fetchall() == [
        (3, report.load_id),
        (4, None),
        (5, report.load_id),
    ]

    # A second round corrects what is left, the wrong correction among it.
    built.warehouse.land(built.correct(setting(O3={"ordered_at": "2024-04-01"}, O4={"amount": "80"}), "again.csv"))
    assert built.current() == {"O1": "100.0000", "O2": "120.0000", "O3": "5.0000", "O4": "80.0000"}
    assert built.open_rows() == []
    assert [load["load_sequence"] for load in built.warehouse.loads()] == [1, 1, 1]
    built.warehouse.land(write("orders_next.csv", HEADER + "O9,A1,2024-05-01,9,USD,\n"))
    assert built.warehouse.loads()[-1]["load_sequence"] == 4


def test_the_same_correction_again_changes_nothing(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n"))
    built.build()
    corrected = built.correct(setting(O1={"amount": "10"}))
    first = built.warehouse.land(corrected)
    before = built.warehouse.deliveries()
    again = built.warehouse.land(corrected)
    assert built.warehouse.deliveries() == before
    assert again.load_id == first.load_id
    assert "already landed" in again.files[0].repairs[0]


def test_a_correction_of_a_correction_wins(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n"))
    built.build()
    path = built.correct(setting(O1={"amount": "10"}))
    built.warehouse.land(path)
    rows = read(path)
    rows[0]["amount"] = "11"
    built.warehouse.land(save(path, rows))
    assert built.current() == {"O1": "11.0000"}


def test_an_unchanged_file_lands_nothing(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\nO1,A1\n"))
    built.build()
    before = built.warehouse.deliveries()
    report = built.warehouse.land(built.export())
    assert (report.load_id, report.has_rejected, report.files[0].rows_in) == (None, False, 0)
    assert report.files[0].repairs[0] == "no row was corrected: nothing changed"
    assert built.warehouse.deliveries() == before


def test_a_number_written_otherwise_is_no_correction(built: Built, write: Write) -> None:
    """Spreadsheets write 100.00 as 100: a contradicted row that came back so must not win over the one that stands."""
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,100.00,USD,\nO1,A1,2024-02-03,90.00,USD,\n"))
    assert built.orders() == [
        ("O1", "100.0000", "quarantined", "duplicate_key"),
        ("O1", "90.0000", "current", None),
    ]
    report = built.warehouse.land(built.correct(setting(O1={"amount": "100"})))
    assert report.load_id is None
    # An identifier is no number: 0O1 and O1 differ, and so do 007 and 7.
    built.warehouse.land(built.correct(setting(O1={"order_id": "O2", "amount": "100"})))
    assert built.current() == {"O1": "90.0000", "O2": "100.0000"}


# ---------------------------------------------------------------- which row wins


@pytest.mark.parametrize("later", ["orders_2024-07-02.csv", "orders_2024-07-01.csv", "orders.csv"])
def test_a_correction_never_replaces_a_newer_row(later: str, built: Built, write: Write) -> None:
    built.warehouse.land(write("orders_2024-07-01.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n"))
    built.warehouse.land(write(later, HEADER + "O1,A1,2024-02-03,20,USD,\n", "later"))
    assert built.current() == {"O1": "20.0000"}
    built.warehouse.land(built.correct(setting(O1={"amount": "10"})))
    assert built.current() == {"O1": "20.0000"}
    assert built.open_rows() == []


def test_a_correction_replaces_an_older_row(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders_2024-06-01.csv", HEADER + "O1,A1,2024-02-03,5,USD,\n"))
    built.warehouse.land(write("orders_2024-07-01.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n"))
    assert built.current() == {"O1": "5.0000"}
    built.warehouse.land(built.correct(setting(O1={"amount": "10"})))
    assert built.current() == {"O1": "10.0000"}


def test_a_correction_does_not_bring_back_what_was_deleted_since(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\nO2,A1,2024-02-03,2,USD,\n"))
    built.warehouse.land(write("orders_all.csv", HEADER + "O2,A1,2024-02-03,2,USD,\n"), is_full=True)
    built.build()
    built.warehouse.land(built.correct(setting(O1={"amount": "10"})))
    assert built.current() == {"O2": "2.0000"}


def test_a_row_of_a_full_delivery_may_be_corrected(built: Built, write: Write) -> None:
    built.warehouse.land(
        write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n,A1,2024-02-03,2,USD,\n"), is_full=True
    )
    built.build()
    built.warehouse.land(built.correct(setting(**{"O1": {"amount": "10"}, "": {"order_id": "O2"}})))
    assert built.current() == {"O1": "10.0000", "O2": "2.0000"}


def test_a_row_of_any_file_of_a_full_delivery_may_be_corrected(built: Built, write: Write) -> None:
    """The files are one delivery, as old as the youngest: the older one is not deleted by it, nor is its correction."""
    old = write("orders_2024-03-01.csv", HEADER + ",A1,2024-02-03,2,USD,\nO1,A1,2024-02-03,1,USD,\n")
    built.warehouse.land(old, write("orders_2024-04-01.csv", HEADER + "O3,A1,2024-02-03,3,USD,\n"), is_full=True)
    built.build()
    assert built.current() == {"O1": "1.0000", "O3": "3.0000"}
    built.warehouse.land(built.correct(setting(**{"": {"order_id": "O2"}})))
    assert built.current() == {"O1": "1.0000", "O2": "2.0000", "O3": "3.0000"}


def test_kept_rows_are_not_added_to_but_typed_again(warehouse: Warehouse, write: Write) -> None:
    """A correction lands between deliveries that a build has kept; the next ordinary load only adds again."""
    lines = "O1,A1,2024-02-03\nO2,A1,2024-02-04,1,USD,\n"
    warehouse.land(write("orders.csv", HEADER + lines))
    warehouse.land(write("orders_later.csv", HEADER + "O3,A1,2024-02-05,1,USD,\n"))
    before = warehouse.loads()
    path = write("open.csv", "")
    export_quarantined(warehouse.paths, Wanted(), path, overwrites=True)
    rows = [
        {**row, "order_id": "O1", "account_id": "A1", "ordered_at": "2024-02-03", "amount": "1"} for row in read(path)
    ]
    warehouse.land(save(path, rows))
    corrected = warehouse.loads()
    assert len(corrected) == len(before) + 1
    assert entities_to_type_again(before, corrected) is None
    warehouse.land(write("orders_last.csv", HEADER + "O4,A1,2024-02-06,1,USD,\n"))
    assert entities_to_type_again(corrected, warehouse.loads()) == ()


def test_rows_of_several_deliveries_keep_their_own_time(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders_2024-06-01.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n"))
    built.warehouse.land(write("orders_2024-07-01.csv", HEADER + "O1,A1,2024-02-03,2O,USD,\nO2,A1,2024-02-03,x,USD,\n"))
    built.build()
    path = built.export()
    rows = read(path)
    for row, amount in zip(rows, ("10", "20", "30"), strict=True):
        row["amount"] = amount
    rows.reverse()
    report = built.warehouse.land(save(path, rows, delimiter=";"))
    assert [(result.file, result.rows_in) for result in report.files] == [("open.csv/1", 1), ("open.csv/2", 2)]
    assert built.current() == {"O1": "20.0000", "O2": "30.0000"}
    assert built.open_rows() == []
    assert [result.file for result in built.warehouse.land(path).files] == ["open.csv/1", "open.csv/2"]


# ---------------------------------------------------------------- what the cells say


HOSTILE = (
    "=cmd|' /C calc'!A0", "+1 555 0100", "-2+3", "@SUM(A1)", "'=1+1", "''@x", "'quoted'", "-5.00", "- 5", "=",
    "＝１＋１", "ليلى ومحمد", "שלום, עולם", 'a "quoted" word', "a;b|c", "007", "1e5", "#N/A", "<script>", "…", "\\x00",
)  # fmt: skip


def test_cells_survive_the_spreadsheet(built: Built, write: Write) -> None:
    """Every text comes back as it was delivered, and none of them is a formula while it is away."""
    deals = [["deal_id", "account_id", "stage", "amount", "deal_name", "lost_reason"]]
    deals += [[f"D{number}", "A1", "demo", "no number", text, "two\nlines"] for number, text in enumerate(HOSTILE)]
    path = write("deals.csv", "")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(deals)
    built.warehouse.land(path)
    built.build()
    exported = built.export("deals_open.csv", entity="deals")
    assert exported.read_bytes().startswith(b"\xef\xbb\xbf")
    for row in read(exported):
        for cell in row.values():
            assert cell[:1] not in tuple("=+@\t\r\n＝") or not cell
            assert not cell.startswith("-") or cell == "-5.00"
    rows = read(exported)
    for row in rows:
        row["amount"] = "12.50"
    built.warehouse.land(save(exported, rows))
    landed = built.warehouse.rows("deals", "load_id, deal_id, amount, deal_name, lost_reason", "load_id, line_number")
    before, after = landed[: len(HOSTILE)], landed[len(HOSTILE) :]
    assert [row[1:2] + row[3:] for row in after] == [row[1:2] + row[3:] for row in before]
    assert [row[3] for row in before] == [text.strip() for text in HOSTILE]
    assert {row[2] for row in after} == {"12.50"}


@pytest.mark.parametrize("separator", [";", "\t", "|", "\n"])
def test_no_formula_hides_in_a_line_that_a_spreadsheet_splits(separator: str) -> None:
    cells = ["O1", "A1", "2024-02-03", "-5.00", "=cmd|' /C calc'!A0", '"=1+1"', "'=x", "@SUM(A1)", "plain"]
    shown = neutralised(separator.join(cells))
    split = [cell.strip('"') for cell in shown.split(separator)]
    assert [cell for cell in split if cell[:1] in tuple("=+-@") and cell != "-5.00"] == []
    assert split[3] == "-5.00"
    assert restored(shown) == separator.join(cells)


@settings(deadline=None)
@given(st.text() | st.from_regex("'*[=+@-].*", fullmatch=True) | st.text("a;|\t\n\"'=-5.", max_size=12))
def test_neutralising_is_undone_exactly(text: str) -> None:
    shown = neutralised(text)
    assert restored(shown) == text
    assert restored_array(pa.array([shown, None])).to_pylist() == [text, None]
    if shown[:1] in tuple("=+-@\t\r\n"):
        assert shown == "" or float(shown) <= 0


def test_addresses_stay_the_tokens_they_are(built: Built, write: Write) -> None:
    header = "account_id,account_name,email,created_at\n"
    built.warehouse.land(
        write("accounts.csv", header + "A1,One,one@house.example,no date\nA2,Two,x@house.example,bad\n")
    )
    built.build()
    rows = read(built.export("accounts_open.csv"))
    token = rows[0]["email"]
    assert token.startswith("email:")
    rows[0]["created_at"] = rows[1]["created_at"] = "2024-01-01"
    rows[1]["email"] = "two@house.example"
    built.warehouse.land(save(built.folder / "accounts_open.csv", rows))
    landed = built.warehouse.rows("accounts", "account_id, email", "load_id, line_number")[2:]
    assert landed[0] == ("A1", token)
    assert landed[1][1].startswith("email:")
    assert landed[1][1] not in (token, rows[1]["email"])
    root = built.warehouse.paths.root
    assert [path for path in root.rglob("*") if path.is_file() and b"@house.example" in path.read_bytes()] == []


def test_lines_that_could_not_be_read_are_shown_whole(built: Built, write: Write) -> None:
    lines = 'O1,"A1" x,2024-02-03,1,USD,\nO2,A1,2024-02-03,"=1",USD,,"two ""words""\nand lines"\n,,,,,\n'
    built.warehouse.land(write("orders.csv", HEADER + lines))
    rows = read(built.export())
    assert [row["quarantined_reason"] for row in rows] == ["bad_quotes", "ragged_row", "blank_row"]
    assert rows[1]["quarantined_raw_line"] == 'O2,A1,2024-02-03,"=1",USD,,"two ""words""\nand lines"'
    assert {row["order_id"] for row in rows} == {""}
    rows[0].update(order_id="O1", account_id="A1", ordered_at="2024-02-03", amount="1")
    built.warehouse.land(save(built.folder / "open.csv", rows))
    assert built.current() == {"O1": "1.0000"}
    assert [reason for _, _, reason in built.open_rows()] == ["ragged_row", "blank_row"]


# ---------------------------------------------------------------- files


def test_a_torn_line_of_semicolons_is_no_formula_and_is_corrected(built: Built, write: Write) -> None:
    header, formula = HEADER.replace(",", ";"), "=cmd|' /C calc'!A0"
    path = write("orders.csv", f"{header}O1;A1;2024-02-03;1;USD;\nO2;A1;2024-02-03;10;USD;x;;;{formula}\n")
    built.warehouse.land(path)
    rows = read(built.export())
    row = next(row for row in rows if row["quarantined_reason"] == "ragged_row")
    assert row["quarantined_raw_line"].endswith(f";'{formula}")
    row.update(order_id="O2", account_id="A1", ordered_at="2024-02-03", amount="10")
    built.warehouse.land(save(built.folder / "open.csv", [row]))
    assert "O2" in built.current()


def test_nothing_is_overwritten_unasked(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1\n"))
    target = write("mine.csv", "do not touch")
    with pytest.raises(WarehouseError, match=r"mine\.csv is there already.*--force"):
        export_quarantined(built.warehouse.paths, Wanted(), target, overwrites=False)
    assert target.read_text() == "do not touch"
    export_quarantined(built.warehouse.paths, Wanted(), target, overwrites=True)
    assert len(read(target)) == 1
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


def test_rows_of_several_entities_go_into_a_folder(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1\n"), write("accounts.csv", "account_id,email\nA1\n"))
    with pytest.raises(WarehouseError, match=r"2 entities \(accounts, orders\).*--entity.*folder"):
        built.export("all.csv")
    folder = built.folder / "all"
    exported = export_quarantined(built.warehouse.paths, Wanted(), folder, overwrites=False)
    assert [(Path(each.file).name, each.entity, each.rows) for each in exported] == [
        ("accounts.csv", "accounts", 1),
        ("orders.csv", "orders", 1),
    ]
    only = export_quarantined(built.warehouse.paths, Wanted(entity="orders"), built.folder / "one.csv", False)
    assert [each.entity for each in only] == ["orders"]
    report = built.warehouse.land(folder)
    assert [(result.entity, result.verdict, result.rows_in) for result in report.files] == [
        ("accounts", "accepted", 0),
        ("orders", "accepted", 0),
    ]
    assert export_quarantined(built.warehouse.paths, Wanted(entity="deals"), built.folder / "x.csv", False) == []
    assert not (built.folder / "x.csv").exists()


def test_a_file_of_corrections_is_taken_whole_or_not_at_all(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\nO2,A1,2024-02-03,2O,USD,\n"))
    built.build()
    exported = read(built.export())
    before = built.warehouse.deliveries()

    def reason_of(rows: list[dict[str, str]], text: str = "", **options: Any) -> str:
        path = save(built.folder / "wrong.csv", rows)
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
        (result,) = built.warehouse.land(path, **options).files
        assert result.verdict == "rejected"
        assert built.warehouse.deliveries() == before
        return result.reason or ""

    good = [{**row, "amount": "10"} for row in exported]
    assert "line 3 corrects a row of orders that is not in the landing zone" in reason_of(
        [good[0], {**good[1], "quarantined_record_number": "99"}]
    )
    assert "line 2 says no row that it corrects" in reason_of([{**good[0], "quarantined_load_id": ""}])
    assert "line 2 says no row that it corrects" in reason_of([{**good[0], "quarantined_record_number": "one"}])
    seeded = [{**good[0], "quarantined_load_id": "seed", "quarantined_file": "raw_orders.csv"}]
    assert "line 2 corrects a row of the seed raw_orders: correct it there" in reason_of(seeded)
    without = [{name: cell for name, cell in row.items() if name != "product_id"} for row in good]
    assert "without the column product_id: keep all" in reason_of(without)
    without = [{name: cell for name, cell in row.items() if name != "quarantined_file"} for row in good]
    assert "without the column quarantined_file" in reason_of(without)
    assert "line 4 is a ragged_row" in reason_of(good, "O9,A1\n")
    assert "leave out --full" in reason_of(good, is_full=True)
    assert "without --source" in reason_of(good, source="hubspot")
    report = write_seeds(built.folder, [built.folder / "wrong.csv"], Options(), built.folder / "seeds", False, _quiet)
    assert "correct the seeds themselves" in (report.files[0].reason or "")
    # Rows that a spreadsheet left empty are no rows.
    blank = save(built.folder / "right.csv", good)
    blank.write_text(blank.read_text(encoding="utf-8") + "," * (len(good[0]) - 1) + "\n", encoding="utf-8")
    (result,) = built.warehouse.land(blank).files
    assert (result.rows_in, "blank rows: 1 left out" in result.repairs) == (2, True)


def _quiet(_: str) -> Callable[[int], None]:
    return lambda _: None


def test_an_erased_customer_does_not_come_back(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\nO2,A2,2024-02-03,2O,USD,\n"))
    built.build()
    rows = [{**row, "amount": "10"} for row in read(built.export())]
    built.warehouse.paths.published_file.unlink()
    erase_customer(built.warehouse.paths, "A1")
    # One row says whose it is; the other was moved to another customer while it was away.
    (result,) = built.warehouse.land(save(built.folder / "open.csv", [{**rows[0], "account_id": "A3"}, rows[1]])).files
    assert (result.rows_in, "rows that were erased since: 1 left out" in result.repairs) == (1, True)
    assert built.current() == {"O2": "10.0000"}


def test_erased_rows_are_listed_no_more_before_the_next_build(built: Built, write: Write, tmp_path: Path) -> None:
    orders = "O1,A1,2024-02-03,1O,USD,\nO2,A2,2024-02-03,2O,USD,\nO3,A1\nO4,A2\nO5,A3,2024-02-03,5O,USD,\n"
    built.warehouse.land(write("orders.csv", HEADER + orders))
    built.warehouse.land(write("orders_2.csv", HEADER + "O6,A2,2024-02-03,6O,USD,\n"))
    built.build()
    kept = tmp_path / "kept.duckdb"
    for customer, left in (("A1", [3, 5, 6, 2]), ("A2", [6])):
        shutil.copyfile(built.warehouse.paths.published_file, kept)
        erase_customer(built.warehouse.paths, customer)
        # An older list of the published file names the rows that are gone.
        built.warehouse.paths.published_file.unlink()
        shutil.copyfile(kept, built.warehouse.paths.published_file)
        assert [line for _, line, _ in built.open_rows()] == left
        rows = read(built.export())
        assert [int(row["quarantined_line_number"]) for row in rows] == left
        assert all(row["order_id"] or row["quarantined_raw_line"] for row in rows)


def test_the_problems_of_columns_are_those_that_staging_finds() -> None:
    macro = (PROJECT_DIR / "macros" / "staging" / "judged_rows.sql").read_text(encoding="utf-8")
    found = set(re.findall(r"then '\{\{ name \}\}_(\w+)'", macro))
    assert set(COLUMN_PROBLEMS) == found


def test_a_reason_or_load_that_no_row_has_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(each) for each in arguments])
        return result.exit_code, result.output

    # Nothing is quarantined: no name is wrong yet.
    assert run("quarantine", "--reason", "raged_row") == (0, "no quarantined rows\n")
    (tmp_path / "orders.csv").write_text(HEADER + "O1,A1\n")
    (tmp_path / "accounts.csv").write_text("account_id\nA1\n")
    load = json.loads(run("land", tmp_path / "orders.csv", "--json")[1])["load_id"]
    other = json.loads(run("land", tmp_path / "accounts.csv", "--json")[1])["load_id"]
    for further in ((), ("--export", tmp_path / "open.csv"), ("--json",)):
        status, told = run("quarantine", "--reason", "raged_row", *further)
        assert (status, "no quarantined row has this reason: did you mean ragged_row?" in told) == (2, True)
        status, told = run("quarantine", "--load", load[:-1], *further)
        assert (status, f"there is no such load: did you mean {load}?" in told) == (2, True)
    assert not (tmp_path / "open.csv").exists()
    assert "orders: ragged_row" in run("quarantine", "--reason", "ragged_row", "--load", load)[1]
    assert run("quarantine", "--load", other) == (0, "no quarantined rows\n")
    # Reasons that rows may have, though none has them now.
    assert run("quarantine", "--reason", "amount_not_a_number") == (0, "no quarantined rows\n")
    assert run("quarantine", "--reason", "no_fx_rate") == (0, "no quarantined rows\n")
    status, told = run("quarantine", "--reason", "amount_not_a_numbr")
    assert (status, "no quarantined row has this reason: did you mean amount_not_a_number?" in told) == (2, True)
    assert run("quarantine", "--reason", "ragged_row", "--entity", "accounts") == (0, "no quarantined rows\n")


def test_a_raw_line_cannot_speak_to_the_terminal(
    warehouse: Warehouse, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(warehouse.paths.root))
    raw_line = "O1,\x1b[2J\x1b]0;title\x07\u202eשלום" + "x" * 2000
    warehouse.land(write("orders.csv", f"{HEADER}{raw_line}\n"))
    shown = CliRunner().invoke(app, ["quarantine"]).output
    assert "O1,?[2J?]0;title??שלום" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert len(shown) < 700
    (row,) = json.loads(CliRunner().invoke(app, ["quarantine", "--json"]).output)["rows"]
    assert row["raw_line"] == raw_line


def test_a_correction_that_is_no_utf_8_says_so(built: Built, write: Write) -> None:
    built.warehouse.land(write("orders.csv", HEADER + "O1,A1,2024-02-03,1O,USD,\n"))
    built.build()
    corrected = built.correct(setting(O1={"amount": "10", "account_id": "Müller"}))
    corrected.write_bytes(corrected.read_text(encoding="utf-8").encode("cp1252"))
    (result,) = built.warehouse.land(corrected).files
    assert str(result.reason).endswith("is no UTF-8: save the file as CSV UTF-8")


def test_rows_of_a_seed_are_corrected_in_the_seed(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(warehouse.paths.root))
    published = warehouse.paths.published_file
    published.parent.mkdir(parents=True)
    with duckdb.connect(str(published)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.quarantined_rows as select '2025-03-01' as load_id, 'raw_orders.csv' as file, "
            "2::bigint as line_number, 1::bigint as record_number, 'orders' as entity, 'no_fx_rate' as reason, "
            "'O000000001' as key_value"
        )
        connection.execute("create table marts.load_reconciliation as select '2025-03-02' as load_id")
    target = warehouse.paths.root.parent / "open.csv"
    result = CliRunner().invoke(app, ["quarantine", "--export", str(target)])
    assert "warehouse land" not in result.output
    assert "correct them in seeds/, then: warehouse build" in result.output
    assert [row["order_id"] for row in read(target)] == ["O000000001"]
    result = CliRunner().invoke(app, ["quarantine", "--load", "2025-03-02"])
    assert (result.exit_code, result.output) == (0, "no quarantined rows\n")


def test_the_command_says_how(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "warehouse")]
    environment = {**os.environ, "WAREHOUSE_DIR": str(tmp_path / "warehouse"), "COLUMNS": "200"}

    def run(*arguments: str, expect: int = 0) -> str:
        finished = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert finished.returncode == expect, finished.stderr
        return finished.stdout + finished.stderr

    assert "warehouse quarantine --entity orders --export open_orders.csv" in run("quarantine", "--help")
    orders, target = tmp_path / "orders.csv", tmp_path / "open.csv"
    orders.write_text(HEADER + "O1,A1\n")
    run("land", str(orders))
    assert f"{target}: 1 row of orders" in run("quarantine", "--export", str(target))
    assert "--force" in run("quarantine", "--export", str(target), expect=1)
    found = json.loads(run("quarantine", "--export", str(target), "--force", "--json"))
    assert found == {"exported": [{"file": str(target), "entity": "orders", "rows": 1}]}
    target.write_text(target.read_text(encoding="utf-8").replace(",,,,", ",O1,A1,2024-01-01,5", 1), encoding="utf-8")
    assert "accepted  open.csv -> orders: 1 rows in" in run("land", str(target))
    assert "no quarantined rows" in run("quarantine")
    assert "corrected by load 00002-" in run("quarantine", "--corrected")
    assert json.loads(run("quarantine", "--json"))["corrected"] == 1
    run("quarantine", "--force", expect=2)
