"""What is kept and published: erased from as a whole, whatever of it is missing, damaged or left over."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from publishing.companies import damage, keep, marks
from warehouse.building.inputs import freeze_inputs
from warehouse.cli import app
from warehouse.erasing.memory import remembered
from warehouse.errors import WarehouseError
from warehouse.landing.report import Options
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import publish_version, published_state
from warehouse.publishing.versions import Version, kept_versions, replace_version, versions_folder
from warehouse.runs.building import erased_since
from warehouse.runs.erasing import erase_customer
from warehouse.runs.landing import land


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    """Return a warehouse with two kept runs, the second one published; A17 stands in marts alone, A1 is landed."""
    paths = WarehousePaths(tmp_path / "warehouse")
    export = tmp_path / "orders.csv"
    export.write_text("order_id,account_id,ordered_at,amount\n1,A1,2025-01-01,5\n2,A2,2025-01-01,5\n", "utf-8")
    land(paths, [export], Options(), lambda _: lambda __: None)
    for run_id in ("first", "second"):
        publish_version(paths, keep(paths, run_id))
    return paths


def files(paths: WarehousePaths) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in paths.root.rglob("*") if path.is_file() and path.name[0] != "."}


def customers(file: Path) -> set[str]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return {row[0] for row in connection.execute("select account_id from marts.nps").fetchall()}


def _no_versions(paths: WarehousePaths) -> None:
    shutil.rmtree(versions_folder(paths))


def _damaged_file(paths: WarehousePaths) -> None:
    damage(paths.published_file)


def _damaged_version(paths: WarehousePaths) -> None:
    damage(kept_versions(paths)["second"].file)


def _damaged_record(paths: WarehousePaths) -> None:
    (versions_folder(paths) / "second" / "run.json").write_text("{")


@pytest.mark.parametrize("harm", [_no_versions, _damaged_file, _damaged_version, _damaged_record])
def test_a_mistyped_account_changes_nothing(paths: WarehousePaths, harm: Callable[[WarehousePaths], None]) -> None:
    harm(paths)
    before = files(paths)
    with pytest.raises(WarehouseError, match="no such account"):
        erase_customer(paths, "A170")
    assert files(paths) == before
    assert remembered(paths) is None


@pytest.mark.parametrize("account", ["A1", "A17"])
def test_a_published_file_of_which_no_version_is_kept_is_cleaned_itself(paths: WarehousePaths, account: str) -> None:
    _no_versions(paths)
    assert erase_customer(paths, account).version_rows == {"published": 3}
    assert marks(paths.published_file) == {"second"}
    assert customers(paths.published_file) == {f"A{number}" for number in range(50)} - {account}
    assert account.encode() + b"\0" not in paths.published_file.read_bytes()
    assert [path.name for path in paths.published.iterdir()] == [paths.published_file.name]
    assert erase_customer(paths, account).version_rows == {"published": 0}


def test_a_damaged_published_file_is_replaced_by_its_cleaned_version(paths: WarehousePaths) -> None:
    damage(paths.published_file)
    assert erase_customer(paths, "A17").dropped == []
    assert published_state(paths) == "live"
    assert marks(paths.published_file) == {"second"}
    assert "A17" not in customers(paths.published_file)


def test_a_version_that_cannot_be_read_is_dropped_and_named(paths: WarehousePaths) -> None:
    _damaged_version(paths)
    erased = erase_customer(paths, "A17")
    assert erased.dropped == ["version second"]
    assert erased.version_rows == {"first": 3, "published": 3}
    assert marks(paths.published_file) == {"second"}
    assert "A17" not in customers(paths.published_file)
    assert list(kept_versions(paths)) == ["first"]


def test_a_version_without_its_record_is_dropped(paths: WarehousePaths) -> None:
    _damaged_record(paths)
    assert erase_customer(paths, "A17").dropped == ["version second"]
    assert not (versions_folder(paths) / "second").exists()


def test_where_nothing_can_be_read_nothing_is_left(paths: WarehousePaths) -> None:
    for run_id in ("first", "second"):
        damage(kept_versions(paths)[run_id].file)
    damage(paths.published_file)
    erased = erase_customer(paths, "A1")
    assert erased.dropped == ["the published file", "version first", "version second"]
    assert not paths.published_file.exists()
    assert erased.landed_rows == 1


def test_a_customer_of_kept_versions_alone_stays_erased(paths: WarehousePaths, tmp_path: Path) -> None:
    erase_customer(paths, "A17")
    export = tmp_path / "again.csv"
    export.write_text("order_id,account_id,ordered_at,amount\n3,A17,2025-01-01,5\n4,A4,2025-01-01,5\n", "utf-8")
    (result,) = land(paths, [export], Options(entity="orders"), lambda _: lambda __: None).files
    assert result.rows_landed == 1


def test_an_erasure_that_failed_in_the_middle_is_finished_by_the_next(
    paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(paths: WarehousePaths, version: Version, *arguments: Any) -> Version:
        if version.run_id == "second":
            raise OSError(28, "No space left on device")
        return replace_version(paths, version, *arguments)

    with monkeypatch.context() as patched, pytest.raises(WarehouseError, match="No space left"):
        patched.setattr("warehouse.erasing.versions.replace_version", full_disk)
        erase_customer(paths, "A17")
    assert erase_customer(paths, "A17").version_rows == {"first": 0, "second": 3}
    assert "A17" not in customers(paths.published_file)


def test_a_build_knows_what_was_erased_since_the_published_one(paths: WarehousePaths, tmp_path: Path) -> None:
    erase_customer(paths, "A1")
    built = freeze_inputs(paths, tmp_path / "built")
    version = Version(tmp_path, {"erasures": sorted(built.erasures)})
    # What a redelivery was kept from is no loss.
    (tmp_path / "orders_again.csv").write_text(
        "order_id,account_id,ordered_at,amount\n1,A1,2025-01-01,5\n3,A3,2025-01-01,5\n"
    )
    land(paths, [tmp_path / "orders_again.csv"], Options(entity="orders"), lambda _: lambda __: None)
    inputs = freeze_inputs(paths, tmp_path / "next")
    assert (erased_since(None, inputs), erased_since(version, inputs)) == (1, 0)
    erase_customer(paths, "A3")
    assert erased_since(version, freeze_inputs(paths, tmp_path / "last")) == 1


def test_leftovers_of_killed_builds_and_publications_go(paths: WarehousePaths) -> None:
    leftovers = [
        versions_folder(paths) / ".third.partial" / "warehouse.duckdb",
        paths.published / ".warehouse.duckdb.0a1b2c3d.partial",
        paths.root / "spill-999999999" / "block",
        paths.builds / "20250701T000000-0a1b2c3d" / "build.duckdb",
    ]
    for path in leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"A1")
    with pytest.raises(WarehouseError):
        erase_customer(paths, "A170")
    assert all(path.exists() for path in leftovers)
    erase_customer(paths, "A1")
    assert not any(path.exists() or path.parent.name == "spill-999999999" for path in leftovers[:2])
    assert not leftovers[2].parent.exists() and not leftovers[3].exists()


def test_the_command_says_what_was_dropped_and_what_it_does_not_reach(
    paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(paths.root))
    _damaged_version(paths)
    said = CliRunner().invoke(app, ["erase", "--account", "A1"]).stdout
    assert "could not be read, and was dropped: version second" in said
    assert "PostgreSQL" in said and "CSV" in said and "seeds" in said
    assert "A1" not in said
