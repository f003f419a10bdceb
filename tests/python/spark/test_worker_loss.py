"""What readers see when a build fails, and what becomes of a build whose worker dies. The worker stays dead."""

import os
import signal
import threading
import time
from pathlib import Path

from recomputation.companies import random_company
from spark.conftest import Company, loads_of, run_warehouse, write_csv
from warehouse.contract import entities
from warehouse.paths import WarehousePaths
from warehouse.spark.build import build_on_spark
from warehouse.spark.thrift_server import ThriftServer, thrift_server
from warehouse.spark.views import kept_runs, marts_of, published_run

# How many intermediate tables a build has written when the worker is killed: about half of them.
TABLES = 40


def test_a_failed_build_leaves_the_published_views(tmp_path: Path, server: ThriftServer) -> None:
    before = published_run(server)
    shown = server.rows("select * from marts.mart_run") if before else []
    outcome = build_on_spark(
        WarehousePaths(tmp_path), "spark", {"raw_folders": {"orders": f"file://{tmp_path}/nowhere"}}, print
    )
    assert outcome.is_failed
    assert outcome.marts == []
    assert published_run(server) == before
    assert (server.rows("select * from marts.mart_run") if before else []) == shown


def kill_worker_in_the_middle(killed: list[str]) -> None:
    """Wait until the newest run has TABLES tables, and kill a worker and so its executor."""
    known = None
    with thrift_server() as server:
        known = set(kept_runs(server))
        for _ in range(1800):
            started = [run for run in kept_runs(server) if run not in known]
            if started and len(marts_of(server, f"{started[-1]}_intermediate")) >= TABLES:
                break
            time.sleep(1)
    pid = int((Path(os.environ["WAREHOUSE_SPARK_HOME"]) / "pids" / "worker_2").read_text(encoding="utf-8"))
    os.kill(pid, signal.SIGKILL)
    killed.append(f"worker_2, process {pid}")


def test_a_build_survives_a_killed_worker_or_fails_cleanly(tmp_path: Path, server: ThriftServer) -> None:
    root = tmp_path / "warehouse"
    load = loads_of(random_company(20))[0]
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, rows in load.items():
        if rows:
            write_csv(rows, entities()[name].column_names, folder / f"{name}.csv")
    run_warehouse(root, "land", str(folder))
    run_warehouse(root, "build", "--vars", "{inactivity_days: 60}")
    before = published_run(server)
    killed: list[str] = []
    killer = threading.Thread(target=kill_worker_in_the_middle, args=(killed,))
    killer.start()
    outcome = build_on_spark(WarehousePaths(root), "spark", {"inactivity_days": 60}, print, is_tested=False)
    killer.join(timeout=60)
    assert killed, "the build ended before a worker was killed"
    if outcome.is_failed:
        assert published_run(server) == before
    else:
        assert published_run(server) == outcome.run_id
        assert Company(WarehousePaths(root), outcome).differences(server, "marts") == {}
