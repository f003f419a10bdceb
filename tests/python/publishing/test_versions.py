"""Publishing, rolling back, keeping versions, and noticing damage."""

import os
import time
from pathlib import Path

import duckdb
import pytest

from publishing.companies import damage, keep, marks
from warehouse.errors import WarehouseError
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import (
    choose_version,
    live_version,
    publish_version,
    published_state,
    roll_back,
)
from warehouse.publishing.status import status_document
from warehouse.publishing.versions import drop_old_versions, kept_versions, read_stack, write_stack
from warehouse.quarantining.listing import Wanted, quarantined_rows


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    return WarehousePaths(tmp_path / "warehouse")


def live(paths: WarehousePaths) -> str:
    version = live_version(paths)
    assert version is not None
    assert marks(paths.published_file) == {version.run_id}
    return version.run_id


def test_rolling_back_goes_one_publication_back_at_a_time(paths: WarehousePaths) -> None:
    for run_id in ("first", "second", "third"):
        publish_version(paths, keep(paths, run_id))
    assert live(paths) == "third"
    assert roll_back(paths).run_id == "second" == live(paths)
    publish_version(paths, keep(paths, "fourth"))
    assert roll_back(paths).run_id == "second" == live(paths)
    assert roll_back(paths).run_id == "first" == live(paths)
    with pytest.raises(WarehouseError, match="nothing to go back to"):
        roll_back(paths)
    assert live(paths) == "first"


def test_rolling_back_takes_less_than_a_second(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first", rows=300_000))
    publish_version(paths, keep(paths, "second", rows=300_000))
    begun = time.monotonic()
    roll_back(paths)
    assert time.monotonic() - begun < 1
    assert live(paths) == "first"


def test_the_published_file_is_read_only_and_alone(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    assert paths.published_file.stat().st_mode & 0o222 == 0
    assert [path.name for path in paths.published.iterdir()] == ["warehouse.duckdb"]


def test_a_reader_that_has_the_file_open_keeps_its_run(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    version = keep(paths, "second")
    with duckdb.connect() as reader:
        reader.execute(f"attach '{paths.published_file}' as held (read_only)")
        publish_version(paths, version)
        assert reader.execute("select run_id from held.marts.mart_run").fetchall() == [("first",)]
        assert reader.execute("select distinct run_mark from held.marts.nps").fetchall() == [("first",)]
    assert live(paths) == "second"


def test_a_stale_log_beside_the_file_does_not_hurt(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    log = paths.published / "warehouse.duckdb.wal"
    log.write_bytes(b"left by a client that wrote")
    publish_version(paths, keep(paths, "second"))
    assert not log.exists()
    assert live(paths) == "second"


def test_damage_is_noticed_and_healed_from_the_kept_version(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    publish_version(paths, keep(paths, "second"))
    damage(paths.published_file)
    assert published_state(paths) == status_document(paths)["state"] == "damaged"
    assert roll_back(paths).run_id == "second"
    assert published_state(paths) == "live"
    assert live(paths) == "second"


def test_one_damaged_bit_is_noticed(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    publish_version(paths, keep(paths, "second"))
    paths.published_file.chmod(0o644)
    with paths.published_file.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    assert published_state(paths) == "damaged"
    assert roll_back(paths).run_id == "second"
    assert published_state(paths) == "live"


def test_a_large_damaged_file_is_healed_where_nothing_earlier_is_kept(
    paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.publishing.live._QUICKLY_READ_BYTES", 0)
    publish_version(paths, keep(paths, "first", rows=20_000))
    with pytest.raises(WarehouseError, match="nothing to go back to"):
        roll_back(paths)
    paths.published_file.chmod(0o644)
    with paths.published_file.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    assert published_state(paths) == "damaged"
    assert roll_back(paths).run_id == "first"
    assert published_state(paths) == "live"


def test_publishing_a_damaged_run_again_is_no_second_publication(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    second = keep(paths, "second")
    publish_version(paths, second)
    damage(paths.published_file)
    publish_version(paths, second)
    assert live(paths) == "second"
    assert roll_back(paths).run_id == "first"


def test_a_damaged_version_is_passed_over(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    second = keep(paths, "second")
    publish_version(paths, second)
    damage(second.file)
    damage(paths.published_file)
    assert roll_back(paths).run_id == "first"
    assert live(paths) == "first"


def test_a_damaged_version_is_never_published(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    second = keep(paths, "second")
    damage(second.file)
    with pytest.raises(WarehouseError, match="damaged on the disk"):
        publish_version(paths, second)
    assert live(paths) == "first"
    assert [path.name for path in paths.published.iterdir()] == ["warehouse.duckdb"]


def test_a_publication_that_never_happened_is_not_rolled_back_to(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    publish_version(paths, keep(paths, "second"))
    keep(paths, "third")
    # What a kill between the list and the swap leaves.
    write_stack(paths, [*read_stack(paths, "second"), {"run_id": "third", "published_at": "2025-07-01 00:00:00"}])
    assert status_document(paths)["run"]["run_id"] == "second"
    assert roll_back(paths).run_id == "first"


def test_old_versions_go_and_the_live_one_stays(paths: WarehousePaths) -> None:
    for number in range(4):
        publish_version(paths, keep(paths, f"published-{number}"))
    for number in range(4):
        keep(paths, f"waiting-{number}")
    drop_old_versions(paths, read_stack(paths, live(paths)), keep=2)
    assert list(kept_versions(paths)) == ["published-2", "published-3", "waiting-2", "waiting-3"]
    assert live(paths) == "published-3"


def test_versions_are_ordered_by_their_number_not_by_the_clock(paths: WarehousePaths) -> None:
    for run_id in ("2030-built-first", "2020-built-after-the-clock-jumped"):
        keep(paths, run_id)
    assert list(kept_versions(paths)) == ["2030-built-first", "2020-built-after-the-clock-jumped"]
    assert choose_version(paths, None).run_id == "2020-built-after-the-clock-jumped"


def test_choosing_what_to_publish(paths: WarehousePaths) -> None:
    with pytest.raises(WarehouseError, match="no audited build is waiting"):
        choose_version(paths, None)
    publish_version(paths, keep(paths, "first"))
    with pytest.raises(WarehouseError, match="no audited build is waiting"):
        choose_version(paths, None)
    keep(paths, "second")
    assert choose_version(paths, None).run_id == "second"
    assert choose_version(paths, "first").run_id == "first"
    with pytest.raises(WarehouseError, match="no kept run third"):
        choose_version(paths, "third")


def test_status_changes_nothing(paths: WarehousePaths) -> None:
    publish_version(paths, keep(paths, "first"))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths.root.rglob("*")}
    status_document(paths)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths.root.rglob("*")} == before


def test_publishing_where_links_are_impossible(paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_version(paths, keep(paths, "first"))
    publish_version(paths, keep(paths, "second"))

    def refuse(*_: object) -> None:
        raise OSError("no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    assert roll_back(paths).run_id == "first" == live(paths)


@pytest.mark.parametrize("layout", ["raw", "."])
def test_a_refused_row_of_a_seed_is_shown_as_it_stands_there(
    paths: WarehousePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    """The seeds are where WAREHOUSE_SEEDS says, laid out as in the repo or side by side."""
    seeds = tmp_path / "seeds_of_ours"
    for folder in {"raw", layout} if layout == "." else {"raw", "reference"}:
        (seeds / folder).mkdir(parents=True, exist_ok=True)
    (seeds / layout / "raw_orders.csv").write_text("order_id,amount,line_number\nO1,ten,2\n")
    monkeypatch.setenv("WAREHOUSE_SEEDS", str(seeds))
    row = "'seed' as load_id, 'raw_orders.csv' as file, 2 as line_number, 1 as record_number, 'orders' as entity"
    more = f"create table made.marts.quarantined_rows as select {row}, 'bad_amount' as reason, 'O1' as key_value"
    publish_version(paths, keep(paths, "run", more=[more]))
    assert [each["raw_line"] for each in quarantined_rows(paths, Wanted()).rows] == ["order_id=O1, amount=ten"]
