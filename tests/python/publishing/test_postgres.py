"""Publishing to a real PostgreSQL: `make test-postgres` starts one and runs these tests."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from publishing.companies import MARKED, ODD_TEXTS, damage, keep
from warehouse.errors import WarehouseError
from warehouse.paths import PROJECT_DIR, WarehousePaths
from warehouse.publishing.live import publish_version
from warehouse.publishing.postgres import publish_to_postgres

psycopg = pytest.importorskip("psycopg", reason="`make test-postgres` has the PostgreSQL client")
URL = os.environ.get("WAREHOUSE_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(not URL, reason="`make test-postgres` starts a PostgreSQL server")
ROLE = "warehouse_reader"


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    paths = WarehousePaths(tmp_path / "warehouse")
    publish_version(paths, keep(paths, "first", rows=500))
    return paths


@pytest.fixture
def server() -> Iterator[Any]:
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("drop schema if exists marts cascade")
        yield connection


def as_reader() -> str:
    """Return the URL of a BI user: a login that is a member of the read-only role."""
    with psycopg.connect(URL, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = 'analyst'").fetchall():
            connection.execute(f"create role analyst login in role {ROLE}")
    return URL.replace("owner@", "analyst@")


def run_marks(connection: Any) -> set[str]:
    found = {connection.execute("select run_id from marts.mart_run").fetchall()[0][0]}
    for mart in MARKED:
        found |= {row[0] for row in connection.execute(f"select distinct run_mark from marts.{mart}").fetchall()}
    return found


def test_the_marts_arrive_with_keys_and_comments(paths: WarehousePaths, server: Any) -> None:
    copied = publish_to_postgres(paths, URL, ROLE)
    assert copied == {"run_id": "first", "as_of": "2025-07-01", "marts": 5, "rows": 1501 + len(ODD_TEXTS)}
    assert run_marks(server) == {"first"}
    comments = server.execute(
        "select obj_description('marts.nps'::regclass), col_description('marts.nps'::regclass, 3)"
    ).fetchall()
    assert comments == [("Net promoter score", "It's a value")]
    keys = server.execute("select conrelid::regclass::text, contype::text from pg_constraint where connamespace = "
                          "'marts'::regnamespace order by 1").fetchall()  # fmt: skip
    assert ("marts.mart_run", "p") in keys
    types = server.execute(
        "select column_name, data_type from information_schema.columns where table_name = 'mart_run' order by 1"
    ).fetchall()
    assert ("as_of", "date") in types
    assert ("inactivity_days", "integer") in types


def test_texts_of_every_kind_arrive_as_they_are(paths: WarehousePaths, server: Any) -> None:
    publish_to_postgres(paths, URL, ROLE)
    rows = server.execute("select text from marts.odd_texts order by place").fetchall()
    assert [row[0] for row in rows] == ODD_TEXTS


def test_a_reader_sees_the_marts_and_nothing_else(paths: WarehousePaths, server: Any) -> None:
    publish_to_postgres(paths, URL, ROLE)
    server.execute("create schema if not exists private")
    server.execute("create table if not exists private.secret as select 1 as cell")
    with psycopg.connect(as_reader(), autocommit=True) as reader:
        assert run_marks(reader) == {"first"}
        for statement in (
            "select * from private.secret",
            "delete from marts.nps",
            "insert into marts.mart_run values ('other')",
            "drop table marts.nps",
            "create table marts.mine (cell int)",
            "create table public.mine (cell int)",
            "create schema mine",
            "alter schema marts rename to mine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)
        seen = reader.execute(
            "select distinct table_schema from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert seen == [("marts",)]


def test_a_later_run_takes_the_place_and_readers_never_mix(paths: WarehousePaths, server: Any) -> None:
    publish_to_postgres(paths, URL, ROLE)
    url, wrong, reads, stop = as_reader(), [], [0], threading.Event()

    def read() -> None:
        with psycopg.connect(url) as reader:
            while not stop.is_set():
                found = run_marks(reader)
                reader.commit()
                reads[0] += 1
                if len(found) != 1:
                    wrong.append(found)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for run_id in ("second", "third", "fourth"):
            publish_version(paths, keep(paths, run_id, rows=500))
            publish_to_postgres(paths, URL, ROLE)
    finally:
        stop.set()
        thread.join()
    assert wrong == []
    assert reads[0] > 10
    assert run_marks(server) == {"fourth"}
    left = server.execute("select nspname from pg_namespace where nspname like 'marts%'").fetchall()
    assert left == [("marts",)]


def test_a_reader_that_stays_in_a_transaction_holds_the_swap_up(
    paths: WarehousePaths, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_to_postgres(paths, URL, ROLE)
    monkeypatch.setattr("warehouse.publishing.postgres._LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr("warehouse.publishing.postgres._LOCK_ATTEMPTS", 2)
    publish_version(paths, keep(paths, "second"))
    with psycopg.connect(as_reader()) as reader:
        assert run_marks(reader) == {"first"}
        with pytest.raises(WarehouseError, match="keep transactions open"):
            publish_to_postgres(paths, URL, ROLE)
        assert run_marks(reader) == {"first"}
    publish_to_postgres(paths, URL, ROLE)
    assert run_marks(server) == {"second"}


def test_a_foreign_schema_is_left_alone(paths: WarehousePaths, server: Any) -> None:
    server.execute("create schema marts")
    server.execute("create table marts.somebody_elses as select 1 as cell")
    with pytest.raises(WarehouseError, match="no warehouse published"):
        publish_to_postgres(paths, URL, ROLE)
    assert server.execute("select cell from marts.somebody_elses").fetchall() == [(1,)]


def test_a_damaged_file_is_never_copied(paths: WarehousePaths, server: Any) -> None:
    damage(paths.published_file)
    with pytest.raises(WarehouseError, match="nothing whole is published"):
        publish_to_postgres(paths, URL, ROLE)


def test_a_killed_publication_leaves_the_old_run(paths: WarehousePaths, server: Any) -> None:
    publish_to_postgres(paths, URL, ROLE)
    publish_version(paths, keep(paths, "second", rows=200_000))
    environment = {**os.environ, "WAREHOUSE_DIR": str(paths.root), "PYTHONPATH": str(PROJECT_DIR / "scripts")}
    for seconds in (0.6, 1.0, 1.4):
        process = subprocess.Popen(
            [sys.executable, "-m", "warehouse.cli", "publish", "--to", URL], env=environment, stdout=subprocess.PIPE
        )
        time.sleep(seconds)
        process.kill()
        process.communicate()
        assert len(run_marks(server)) == 1
    time.sleep(1)
    publish_to_postgres(paths, URL, ROLE)
    assert run_marks(server) == {"second"}


def test_an_unreachable_server_is_one_clear_line(paths: WarehousePaths) -> None:
    with pytest.raises(WarehouseError) as caught:
        publish_to_postgres(paths, "postgresql://owner:confidential@127.0.0.1:1/postgres", ROLE)
    assert "PostgreSQL refused" in str(caught.value)
    assert "confidential" not in str(caught.value)
    assert "\n" not in str(caught.value)
