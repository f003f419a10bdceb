"""The small parts of a build: variables, messages, the lock, the sweep, the room on the disk, the frozen inputs."""

import datetime
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from warehouse.building.folders import CURRENT, check_room, new_run_folder, sweep
from warehouse.building.inputs import LANDED, SEEDS, freeze_inputs
from warehouse.building.variables import (
    MANAGED,
    VariableError,
    parse_variables,
    project_settings,
    with_published_window,
)
from warehouse.engine import SPILL
from warehouse.errors import WarehouseError
from warehouse.failures import described_failure
from warehouse.landing import zone
from warehouse.landing.report import Options
from warehouse.locks import exclusive
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.runs import building
from warehouse.runs.building import is_replay
from warehouse.runs.landing import land


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    return WarehousePaths(tmp_path / "warehouse")


def test_variables_of_the_command_line() -> None:
    assert parse_variables(None, None) == {}
    assert parse_variables("{grace_days: 7, as_of: 2025-07-01}", None) == {"grace_days": 7, "as_of": "2025-07-01"}
    assert parse_variables(None, datetime.date(2025, 7, 1)) == {"as_of": "2025-07-01"}
    # YAML makes a day of it, which no record of a run could hold.
    assert parse_variables("{earliest_valid_date: 1990-01-01}", None) == {"earliest_valid_date": "1990-01-01"}
    assert parse_variables("{seeds_landed_at: 2030-01-01 00:00:00}", None) == {"seeds_landed_at": "2030-01-01 00:00:00"}
    folders = {"raw_folders": {"orders": "s3a://bucket/orders"}, "reporting_timezone": "Asia/Jerusalem"}
    assert parse_variables(json.dumps(folders), None) == folders


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{grace_day: 7}", "did you mean grace_days"),
        ("{landing_zone: /tmp}", "WAREHOUSE_DIR"),
        ("[7]", "no mapping"),
        ("{a: [}", "no YAML"),
        ("{as_of: tomorrow}", "as_of cannot be tomorrow"),
        ("{as_of: 2025-13-01}", "no calendar"),
        ("{as_of: '2025-13-01'}", "no date"),
        ("{grace_days: abc}", "grace_days cannot be abc"),
        ("{grace_days: -3}", "grace_days cannot be -3"),
        ("{reporting_currency: eur}", "reporting_currency cannot be eur"),
        ("{clv_annual_discount_rate: 0}", "clv_annual_discount_rate cannot be 0"),
        ("{inactivity_days: 0}", "inactivity_days cannot be 0"),
        ("{backtest_horizon_days: [90, soon]}", "backtest_horizon_days cannot be soon"),
        ("{backtest_horizon_days: []}", "backtest_horizon_days cannot be null"),
        ("{backtest_horizon_days: [90, 30, 90]}", "backtest_horizon_days cannot be 90 twice: it has to be a list of"),
        ("{loyalty_tiers: {}}", "loyalty_tiers cannot be null"),
        ("{loyalty_tiers: {bronze: -1}}", "loyalty_tiers cannot be -1"),
        ('{loyalty_tiers: {"it\'s": 1}}', "it's: it has to be a mapping of tiers, named without quotes"),
        ("{loyalty_tiers: 3}", "loyalty_tiers cannot be 3: it has to be a mapping"),
        ("{loyalty_tiers: [3]}", "it has to be a mapping"),
        ("{backtest_horizon_days: 90}", "backtest_horizon_days cannot be 90: it has to be a list"),
        ("{grace_days: [5]}", "grace_days cannot be"),
        ("{as_of: 9999-12-31}", "as_of cannot be 9999-12-31"),
        ("{raw_folders: {orders: null}}", "orders: None: it has to name a folder or URI"),
        ("{reporting_timezone: CST}", "CST: it has to be a name of the IANA database"),
        ("{reporting_timezone: Mars/Phobos}", "Mars/Phobos: it has to be a name of the IANA database"),
        ("{raw_folders: {orders: 's3a://KEY:SEC/RET@bucket/orders'}}", "raw_folders holds credentials in a URI: "),
        ("{raw_folders: {ordrs: /data}}", "raw_folders cannot be ordrs: it has to name entities: accounts, "),
        ("{published_personal_data: [everything]}", "published_personal_data cannot be everything"),
        ("{rules_of_vars: {}}", "cannot be set here"),
    ],
)
def test_variables_that_are_no_variables_or_cannot_be_so(text: str, words: str) -> None:
    with pytest.raises(VariableError, match=words):
        parse_variables(text, None)


# By the words of a rule: the values at its limits, and those just beyond them.
LIMITS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "a date from 1900 to 2199, as 2025-07-01, or null": (
        (None, "1900-01-01", "2199-12-31"),
        ("1899-12-31", "2200-01-01", "2025-7-1", 7),
    ),
    "a date from 1900 to 2199, as 1980-01-01": (("1900-01-01", "2199-12-31"), (None, "1899-12-31", "2200-01-01")),
    "a date from 1900 to 2299, as 2200-01-01": (("1900-01-01", "2299-12-31"), (None, "1899-12-31", "2300-01-01")),
    "a date or a time, as 2030-01-01 or 2030-01-01 00:00:00": (
        ("2030-01-01", "2030-01-01 23:59:59"),
        (None, "2030-01-01 24", "tomorrow"),
    ),
    "a name of the IANA database, as Asia/Kuala_Lumpur": (("UTC", "Asia/Kuala_Lumpur"), (None, "CST", "Mars/Phobos")),
    "a code of three capital letters (ISO 4217), as EUR": (("EUR",), (None, "eur", "EURO", "E1R")),
    "a mapping of entities to folders or URIs, or null": ((None, {}, {"orders": "/data"}), ("orders", ["orders"], 1)),
    "parquet or csv": (("parquet", "csv"), (None, "json", "PARQUET")),
    "whole days from 1 to 9999, or null": ((None, 1, 9999), (0, 10000, 1.5, -1)),
    "whole days from 1 to 9999": ((1, 9999), (None, 0, 10000, 1.5, -1)),
    "whole days from 0 to 9999": ((0, 9999), (None, 10000, 1.5, -1)),
    "whole months from 1 to 999": ((1, 999), (None, 0, 1000, 1.5)),
    "a whole number from 0": ((0, 10**9), (None, -1, 0.5)),
    "a whole number from 1": ((1, 10**9), (None, 0, -1, 1.5)),
    "a whole number of hours from 1": ((1, 10**5), (None, 0, 1.5)),
    "a share from 0 to 1, as 0.1": ((0, 0.1, 1, 1.0), (None, -0.1, 1.1)),
    "a share of at most 1, as 0.8; a loss is negative": ((-2, -1.5, -1, -0.5, 0, 0.8, 1, 1.0), (None, 1.5, 2, "x")),
    "a share above 0 and below 1, as 0.6": ((0.01, 0.6, 0.99), (None, 0, 1, 0.0, 1.0)),
    "a rate above 0 and below 100; 0.1 is ten percent a year": ((0.01, 1, 99.9), (None, 0, 0.0, 100, -0.1)),
    "a list of whole days from 1 to 9999, each of them once": (([1], [9999, 90]), (None, [], 90, [0], [1, 10000])),
    "a mapping of tiers, named without quotes and backslashes, to the amounts from 0 on from which they begin": (
        ({"bronze": 0, "gold": 99.5},),
        (None, {}, 3, {"bronze": -1}, {"it's": 1}, {"a\\b": 1}),
    ),
    "a list of contact_names and survey_comments, each of them once, or an empty one": (
        (None, [], ["contact_names"], ["survey_comments", "contact_names"]),
        ("contact_names", ["names"], ["contact_names", "contact_names"]),
    ),
}
RULES = project_settings()["vars"]["rules_of_vars"]


@pytest.mark.parametrize("name", sorted(set(RULES) - set(MANAGED)))
def test_the_words_of_a_rule_say_what_its_variable_may_be(name: str) -> None:
    says = RULES[name]["says"]
    accepted, refused = LIMITS[says]
    for value in accepted:
        assert name in parse_variables(json.dumps({name: value}), None)
    for value in refused:
        with pytest.raises(VariableError, match=re.escape(f": it has to be {says}; dbt_project.yml explains it")):
            parse_variables(json.dumps({name: value}), None)


def test_the_rules_of_variables_take_the_defaults(tmp_path: Path) -> None:
    known = project_settings()["vars"]
    rules = known["rules_of_vars"]
    # The landing zone is judged by whoever opens it.
    assert set(known) - set(rules) == {"rules_of_vars", "landing_zone"}
    parse_variables(json.dumps({name: known[name] for name in rules if name != "keeps_rows"}), None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{grace_days: -3}", "the var grace_days cannot be -3: it has to be whole days from 0 to 9999"),
        ("{backtest_horizon_days: [90, 90]}", "the var backtest_horizon_days cannot be 90 twice: it has to be a list"),
        ("{gross_margin_rate: 1.5}", "the var gross_margin_rate cannot be 1.5: it has to be a share of at most 1"),
        ("{loyalty_tiers: 3}", "the var loyalty_tiers cannot be 3: it has to be a mapping"),
        ("{backtest_horizon_days: 90}", "the var backtest_horizon_days cannot be 90: it has to be a list"),
        (
            "{published_personal_data: contact_names}",
            "published_personal_data cannot be contact_names: it has to be a list",
        ),
        ('{loyalty_tiers: {"it\'s": 1}}', "the var loyalty_tiers cannot be it's: it has to be a mapping"),
        ("{reporting_timezone: Mars/Phobos}", "the var reporting_timezone cannot be Mars/Phobos"),
    ],
)
def test_the_rules_of_variables_stop_dbt_whatever_is_selected(tmp_path: Path, given: str, words: str) -> None:
    arguments = ["parse", "--no-partial-parse", "--vars", given, "--log-path", str(tmp_path / "logs")]
    finished = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), *arguments, "--target-path", str(tmp_path / "target")],
        cwd=PROJECT_DIR,
        env={**os.environ, "WAREHOUSE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    assert words in finished.stdout


@pytest.mark.parametrize(
    ("given", "published", "relearn", "used"),
    [
        ({}, 180, False, {"inactivity_days": 180}),
        ({}, 180, True, {}),
        ({}, None, False, {}),
        ({"inactivity_days": 90}, 180, False, {"inactivity_days": 90}),
        ({"inactivity_days": None}, 180, False, {"inactivity_days": 180}),
    ],
)
def test_the_published_window_is_kept(given: Any, published: int | None, relearn: bool, used: Any) -> None:
    assert with_published_window(given, published, relearn) == used


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "Runtime Error\n  Conversion Error: Could not convert string 'a@b.org' to INT32",
            "Could not convert string …",
        ),
        ('Constraint Error: Duplicate key "account_id: Noa Levi" violates', "Duplicate key …"),
        ('Binder Error: Referenced column "basis" not found', 'Binder Error: Referenced column "basis" not found'),
        ("Invalid Input Error: a@b.org is no number", "Invalid Input Error: … is no number"),
        ("\x1b[31mCompilation Error\x1b[0m\n  no such macro", "Compilation Error no such macro"),
        (None, "no message"),
    ],
)
def test_messages_never_show_cells(message: str | None, shown: str) -> None:
    found = described_failure(message)
    assert shown in found
    assert "@" not in found
    assert "Noa" not in found


JULY, JUNE = datetime.date(2025, 7, 1), datetime.date(2025, 6, 30)


@pytest.mark.parametrize(
    ("published", "built", "kind", "is_asked", "expected"),
    [
        (JULY, JUNE, "seeds", True, True),
        (JULY, JULY, "seeds", True, False),
        (JUNE, JULY, "seeds", True, False),
        (JULY, None, "seeds", True, False),
        (None, JULY, "seeds", True, False),
        # A deletion may move the day of the latest event back, and another company has its own.
        (JULY, JUNE, "seeds", False, False),
        (JULY, JUNE, "landing zone", True, False),
        (JULY, JUNE, "landing zone", False, False),
    ],
)
def test_a_replay_is_an_earlier_day_that_was_asked_for(
    published: datetime.date | None, built: datetime.date | None, kind: str, is_asked: bool, expected: bool
) -> None:
    before = {"as_of": published, "input_kind": "seeds"}
    now = {"as_of": built, "input_kind": kind}
    assert is_replay(before, now, {"as_of": "2025-06-30"} if is_asked else {}) is expected
    assert is_replay(None, now, {"as_of": "2025-06-30"}) is False


def test_a_held_lock_names_its_holder(paths: WarehousePaths) -> None:
    with (
        exclusive(paths, "a build"),
        pytest.raises(WarehouseError, match=f"a build is running .*process {os.getpid()}"),
        exclusive(paths, "a rollback"),
    ):
        pass
    with exclusive(paths, "a rollback"):
        pass
    assert not (paths.root / ".build.owner.json").exists()


def test_the_sweep_takes_data_and_old_runs_and_leaves_logs(paths: WarehousePaths) -> None:
    folders = []
    for number in range(7):
        run = new_run_folder(paths)
        run.build_file.write_bytes(b"data")
        run.logs.mkdir()
        os.utime(run.path, ns=(number, number))
        folders.append(run)
    assert (paths.builds / CURRENT).resolve() == folders[-1].path
    sweep(paths)
    assert not list(paths.builds.glob("*/build.duckdb"))
    assert [run.path.exists() for run in folders] == [False, False, False, True, True, True, True]
    assert folders[-1].logs.exists()


def test_a_copy_of_the_warehouse_that_has_folders_for_links_builds(paths: WarehousePaths) -> None:
    new_run_folder(paths)
    copied = paths.builds / CURRENT
    copied.unlink()
    copied.mkdir()
    (copied / "run.json").write_text("{}")
    assert new_run_folder(paths).path == copied.resolve()
    assert copied.is_symlink()


def test_what_the_engine_of_a_dead_process_spilled_is_swept(paths: WarehousePaths) -> None:
    with subprocess.Popen(["true"]) as dead:
        pass
    for process in (dead.pid, os.getpid()):
        (paths.root / f"{SPILL}{process}").mkdir(parents=True)
    assert sweep(paths) == 1
    assert [path.name for path in paths.root.iterdir()] == [f"{SPILL}{os.getpid()}"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "cannot write below .*No space left on device"),
        (duckdb.IOException('Could not write file "x": No space left on device'), "cannot write below .*No space left"),
        (duckdb.IOException('Corrupt database file "x"'), "a build stopped on .*Corrupt database file …"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate 7 MB"), "WAREHOUSE_MEMORY_LIMIT"),
    ],
)
def test_a_disk_or_memory_that_ends_is_one_line(paths: WarehousePaths, error: Exception, words: str) -> None:
    with pytest.raises(WarehouseError, match=words) as caught, exclusive(paths, "a build"):
        raise error
    assert "\n" not in str(caught.value)


def test_a_disk_without_room_is_said_before_anything_is_built(
    paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.root.mkdir()
    check_room(paths)
    usage = shutil.disk_usage(paths.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(WarehouseError, match="too little room"):
        check_room(paths)


def test_what_is_landed_during_a_build_is_not_in_it(paths: WarehousePaths, tmp_path: Path) -> None:
    assert freeze_inputs(paths, tmp_path / "frozen").kind == SEEDS
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,account_id,ordered_at,amount\n1,A,2025-01-01,5\n", "utf-8")
    land(paths, [orders], Options(), lambda _: lambda __: None)
    inputs = freeze_inputs(paths, tmp_path / "frozen")
    assert (inputs.kind, inputs.rows) == (LANDED, 1)
    before = sorted(path.name for path in (tmp_path / "frozen" / "orders").iterdir())
    orders.write_text("order_id,account_id,ordered_at,amount\n2,A,2025-01-02,5\n", "utf-8")
    land(paths, [orders], Options(), lambda _: lambda __: None)
    assert sorted(path.name for path in (tmp_path / "frozen" / "orders").iterdir()) == before
    assert len(list((paths.landing / "orders").iterdir())) == len(before) + 1


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_is_published_stays_so_when_its_rows_cannot_be_kept(
    paths: WarehousePaths, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(building, "keep_rows", fail)
    said: list[str] = []
    outcome = SimpleNamespace(folder=None, inputs=None, variables={})
    building._keep_for_the_next_build(paths, outcome, said.append)  # type: ignore[arg-type]
    assert said == ["the typed rows could not be kept: the next build types all of them again"]


def test_what_a_killed_landing_left_is_swept(paths: WarehousePaths) -> None:
    for name in (zone.ERASED, zone.QUARANTINE, "orders"):
        (paths.landing / name).mkdir(parents=True)
        (paths.landing / name / "00001-0123abcd.parquet").write_bytes(b"")
    assert zone.sweep(paths) == 3
    assert not [path for path in paths.landing.rglob("*") if path.is_file()]
