"""Land, build, replay, publish, roll back: the story of a warehouse, with a reader that polls on."""

import contextlib
import csv
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from typer.testing import CliRunner

from building.conftest import Command
from building.small_disk import small_disk
from warehouse.building.inputs import LANDED
from warehouse.cli import app
from warehouse.files import digest
from warehouse.paths import PROJECT_DIR
from warehouse.publishing.headline import headline, print_headline

POLLING = PROJECT_DIR / "tests/python/publishing/polling.py"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, exports: Path) -> Command:
    command = Command(tmp_path_factory.mktemp("story") / "warehouse")
    command.run("land", exports)
    return command


@pytest.fixture(scope="module")
def first(command: Command) -> Any:
    """The first build."""
    return command.json("build")


@pytest.fixture(scope="module")
def reader(command: Command, first: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    """A reader that polls from the first publication to the end; its report is put into the list."""
    stop = tmp_path_factory.mktemp("reader") / "stop"
    process = subprocess.Popen(
        [sys.executable, POLLING, command.paths.published_file, stop, "0.1"], stdout=subprocess.PIPE
    )
    yield []
    stop.touch()
    report = json.loads(process.communicate(timeout=60)[0])
    assert report["wrong"] == []
    assert report["reads"] > 0


def live_run(command: Command) -> str:
    with duckdb.connect(str(command.paths.published_file), read_only=True) as connection:
        return str(connection.execute("select run_id from marts.mart_run").fetchall()[0][0])


def test_the_first_build_publishes_what_was_landed(command: Command, first: Any) -> None:
    assert first["state"] == "published"
    assert first["inputs"]["kind"] == LANDED
    assert {load["entity"] for load in first["inputs"]["loads"]} >= {"accounts", "orders", "deals"}
    assert first["failures"] == []
    assert {finding["verdict"] for finding in first["audit"]} <= {"passed", "noted"}
    assert first["marts"]["mart_run"] == 1
    assert first["headline"]["retention"]


def test_the_published_file_holds_the_marts_and_nothing_else(command: Command, first: Any) -> None:
    with duckdb.connect(str(command.paths.published_file), read_only=True) as connection:
        found = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        described = connection.execute(
            "select count(*) from duckdb_columns() where table_name = 'retention_rate' and comment is not null"
        ).fetchall()[0][0]
    assert set(found) == {("marts", name) for name in first["marts"]}
    assert described > 0


def test_no_data_of_the_build_is_left_beside(command: Command, first: Any) -> None:
    (folder,) = command.paths.builds.glob("*-*")
    assert (folder / "audit.parquet").exists()
    assert (folder / "target" / "run_results.json").exists()
    left = [path.relative_to(command.paths.builds).as_posix() for path in command.paths.builds.rglob("*.duckdb")]
    # The typed rows of landed files wait for the next build.
    assert left == ["kept_rows/build.duckdb"]


def test_status_says_what_is_live(command: Command, first: Any) -> None:
    status = command.json("status")
    assert status["state"] == "live"
    assert status["run"]["run_id"] == first["run_id"]
    assert status["run"]["marts"] == first["marts"]
    assert [version["is_live"] for version in status["versions"]] == [True]
    audit = command.json("status", "--audit", "live")
    assert audit["audit"] == first["audit"]


def test_quarantined_rows_are_shown_with_their_line(command: Command, first: Any) -> None:
    shown = command.json("quarantine", "--limit", "1000")
    assert shown["total"] == first["marts"]["quarantined_rows"] == len(shown["rows"])
    assert all(row["reason"] and row["raw_line"] for row in shown["rows"])
    assert command.json("quarantine", "--reason", "no_such")["rows"] == []
    assert "did you mean orders?" in command.run("quarantine", "--entity", "order", expect=2).stderr


def test_the_headline_is_printed_as_tables(command: Command, first: Any) -> None:
    console = Console(width=80, record=True, file=StringIO(), emoji=False)
    print_headline(console, headline(command.paths.published_file))
    text = console.export_text()
    for title in ("Retention in the last complete month", "Sales", "Funnel", "Net promoter score", "lifetime value"):
        assert title in text
    assert max(map(len, text.splitlines())) <= 80


def test_wrong_usage_is_refused_before_anything_happens(command: Command, first: Any) -> None:
    for arguments in (
        ["--select", "no_such_model"],
        ["--exclude", "nps"],
        ["--vars", "{inactivty_days: 90}"],
        ["--vars", "landing_zone: /elsewhere"],
        ["--vars", "[1, 2]"],
        ["--vars", "{as_of: soon}"],
        ["--as-of", "2025-13-01"],
        ["--as-of", "2025-01-01", "--vars", "{as_of: 2025-02-01}"],
        ["--target", "nowhere"],
    ):
        refused = CliRunner(env={"WAREHOUSE_DIR": str(command.root)}).invoke(app, ["build", *arguments])
        assert refused.exit_code == 2, arguments
    assert live_run(command) == first["run_id"]


def test_a_replay_is_kept_and_published_only_when_asked(command: Command, first: Any, reader: list[Any]) -> None:
    replay = command.start("build", "--as-of", "2024-01-01", "--json")
    second = None
    while replay.poll() is None and second is None:
        if (command.root / ".build.owner.json").exists():
            second = command.run("build", expect=1)
        time.sleep(0.05)
    assert second is not None
    assert "a build is running" in second.stderr
    assert str(replay.pid) in second.stderr
    output, errors = replay.communicate(timeout=600)
    assert replay.returncode == 0, errors
    kept = json.loads(output)
    assert kept["state"] == "audited"
    assert "a replay" in kept["reason"]
    # The published window is kept, so that history does not restate.
    assert kept["variables"]["as_of"] == "2024-01-01"
    assert "inactivity_days" in kept["variables"]
    assert live_run(command) == first["run_id"]

    # Neither the kept window nor another day is a reason to read the project again.
    readings = ["full parse" in log.read_text() for log in sorted(command.root.glob("builds/*/logs/dbt.log"))]
    assert (readings[0], readings[-1]) == (True, False)

    # It has fewer rows than what is published: for a replay that is as it should be.
    (compared,) = [finding for finding in kept["audit"] if finding["check"] == "no mart shrank"]
    assert (compared["verdict"], compared["details"][:8]) == ("noted", "a replay")

    assert command.json("publish")["run_id"] == kept["run_id"] == live_run(command)
    assert command.json("rollback")["run_id"] == first["run_id"] == live_run(command)
    assert "no earlier version" in command.run("rollback", expect=1).stderr


def test_an_interrupted_build_says_so(command: Command, first: Any) -> None:
    before = set(command.root.glob("builds/*/build.duckdb"))
    # A shell starts what it runs in the background deaf to interrupts, and so all that is started from there.
    process = command.start("build", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while process.poll() is None and set(command.root.glob("builds/*/build.duckdb")) <= before:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, "interrupted: nothing was published, nothing published changed\n")
    assert live_run(command) == first["run_id"]


def read_to_the_end(terminal: int, shown: bytearray) -> None:
    # Linux reports that nobody writes any more as an error of input.
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 65_536):
            shown += chunk


def test_a_killed_build_changes_nothing_and_is_swept(command: Command, first: Any, reader: list[Any]) -> None:
    before = digest(command.paths.published_file)
    terminal, end = pty.openpty()
    shown = bytearray()
    # A terminal is read all the time: one that is full stops whoever writes to it.
    screen = Thread(target=read_to_the_end, args=(terminal, shown), daemon=True)
    screen.start()
    # While dbt reads the project, and when a hundred nodes and more are done.
    for moment in (rb"reading the project", rb"1\d\d/\d+"):
        before_it = len(shown)
        build = command.start("build", stderr=end)
        while not re.search(moment, shown[before_it:]):
            assert build.poll() is None
            time.sleep(0.02)
        build.kill()
        build.communicate(timeout=60)
        assert digest(command.paths.published_file) == before
    os.close(end)
    screen.join(timeout=60)
    os.close(terminal)
    assert list(command.paths.builds.glob("*/landing"))
    # The lock died with its process, and the next one sweeps.
    with_typo = command.start("build")
    assert with_typo.stdout is not None
    assert "leftovers of earlier runs" in with_typo.stdout.readline()
    with_typo.kill()
    with_typo.communicate(timeout=60)
    assert command.json("status")["run"]["run_id"] == first["run_id"]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a small disk")
@pytest.mark.parametrize(("size", "options", "words"), [("200m", "", "too little room"), ("1m", "ro", "cannot write")])
def test_a_full_or_read_only_disk_is_one_clear_line(tmp_path: Path, size: str, options: str, words: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    remount = f"mount -o remount,{options} {disk} &&" if options else ""
    script = f'mount -t tmpfs -o size={size} none {disk} && {remount} exec "$@"'
    wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let the test mount a small disk")
    failed = Command(disk / "warehouse").run("build", expect=1, wrapper=wrapper)
    assert words in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_a_disk_that_fills_while_building_is_one_clear_line(tmp_path: Path, exports: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=400) as disk:
        command = disk.command()
        command.run("land", exports / "accounts.csv")
        build = command.start("build")
        disk.fill_when_begun(build)
        _, errors = build.communicate(timeout=600)
        assert build.returncode == 1
        assert errors.count("\n") == 1
        assert "No space left on device" in errors
        assert not disk.published_file.exists()


def texts_of_marts(file: Path) -> str:
    """Return all texts of a DuckDB file: its own bytes are compressed."""
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return "".join(str(connection.execute(f"from {schema}.{table}").fetchall()) for schema, table in tables)


def contents_below(folder: Path) -> dict[Path, str]:
    """Return every file as text: Parquet and DuckDB files as the rows that they hold, all with their bytes."""
    contents = {}
    for path in folder.rglob("*"):
        if path.is_file():
            contents[path] = path.read_bytes().decode("utf-8", "replace")
            if path.suffix == ".parquet":
                contents[path] += str(pq.read_table(path, partitioning=None).to_pylist())
            elif path.suffix == ".duckdb":
                contents[path] += texts_of_marts(path)
    return contents


def test_erasing_a_customer_leaves_no_trace_and_a_redelivery_brings_none(
    command: Command, first: Any, exports: Path, jumping_clock: dict[str, str], tmp_path: Path
) -> None:
    with (exports / "accounts.csv").open(encoding="utf-8", newline="") as file:
        names = {row["account_id"]: row["account_name"] for row in csv.DictReader(file)}
    # A name that no other customer has.
    found = Counter(names.values())
    account, name = next((account, name) for account, name in sorted(names.items()) if found[name] == 1)
    secrets = [account, name]
    assert all(any(secret in text for text in contents_below(command.root).values()) for secret in secrets)
    erased = command.json("erase", "--account", account)
    assert erased["landed_rows"] > 0
    assert command.json("status")["state"] == "live"
    for path, text in contents_below(command.root).items():
        assert not [secret for secret in secrets if secret in text], path
    for name_of_file in ("accounts.csv", "orders.csv"):
        header, *lines = (exports / name_of_file).read_text("utf-8").splitlines()
        (tmp_path / name_of_file).write_text("\n".join([header, *reversed(lines)]) + "\n", "utf-8")
        assert account in (tmp_path / name_of_file).read_text("utf-8")
    command.run("land", tmp_path / "accounts.csv", tmp_path / "orders.csv")
    # Meanwhile the clock jumps back by twenty years.
    jump = {**jumping_clock, "CLOCK_JUMP": "-630000000", "CLOCK_JUMP_AFTER": "3"}
    rebuilt = Command(command.root, environment=jump).json("build")
    assert rebuilt["state"] == "published", rebuilt["failures"]
    record = json.loads((command.root / "versions" / rebuilt["run_id"] / "run.json").read_text())
    assert len(record["erasures"]) == 1
    status = command.json("status")
    assert (status["state"], status["run"]["run_id"]) == ("live", rebuilt["run_id"])
    assert status["versions"][0]["is_live"]
    for path, text in contents_below(command.root).items():
        assert not [secret for secret in secrets if secret in text], path
    with duckdb.connect(str(command.paths.published_file), read_only=True) as connection:
        rows = connection.execute("select sum(rows_erased), bool_and(is_reconciled) from marts.load_reconciliation")
        ((rows_erased, is_reconciled),) = rows.fetchall()
    assert rows_erased > erased["landed_rows"]
    assert is_reconciled
    assert "names this account" in command.run("erase", "--account", "nobody", expect=1).stderr


def test_an_older_client_reads_every_mart(command: Command, first: Any) -> None:
    """DuckDB 1.2, the oldest client that is promised: every row and comment, as this engine reads them."""
    client = PROJECT_DIR / ".venv-duckdb12" / "bin" / "python"
    if not client.exists():
        pytest.skip("`make torture` sets up the environment of DuckDB 1.2")
    script = """
import json, sys, duckdb
assert duckdb.__version__.startswith("1.2."), duckdb.__version__
connection = duckdb.connect(sys.argv[1], read_only=True, config={"enable_external_access": "false",
                                                                  "lock_configuration": "true"})
names = [row[0] for row in connection.execute("select table_name from duckdb_tables() order by 1").fetchall()]
rows = {name: sorted(map(str, connection.execute(f"from marts.{name}").fetchall())) for name in names}
comments = connection.execute("select comment from duckdb_columns() where comment is not null order by 1").fetchall()
print(json.dumps([rows, comments]))
"""
    outputs = [
        subprocess.run([each, "-c", text, command.paths.published_file], capture_output=True, text=True, check=True)
        for each, text in ((client, script), (sys.executable, script.replace('"1.2."', '"2."')))
    ]
    older, newer = (json.loads(output.stdout) for output in outputs)
    assert older == newer
    assert len(older[0]) == len(first["marts"])
    assert older[1]
