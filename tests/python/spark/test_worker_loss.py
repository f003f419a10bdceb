"""A build whose worker dies. The worker stays dead, so this comes last."""

import os
import signal
from pathlib import Path

from recomputation.companies import random_company
from spark.conftest import Company, parquet_folders, run_warehouse, say, watched
from warehouse.paths import WarehousePaths
from warehouse.spark.build import build_on_spark
from warehouse.spark.thrift_server import ThriftServer
from warehouse.spark.views import kept_runs, marts_of, published_run

# How many intermediate tables a build has written when the worker is killed: about half of them.
TABLES = 40


def test_a_build_survives_a_killed_worker_or_fails_cleanly(tmp_path: Path, server: ThriftServer) -> None:
    root = tmp_path / "warehouse"
    variables = {"raw_folders": parquet_folders(random_company(20), tmp_path / "raw"), "inactivity_days": 60}
    run_warehouse(root, "build", "--vars", str(variables))
    before = published_run(server)
    known = set(kept_runs(server))
    killed: list[int] = []

    def kill_in_the_middle(session: ThriftServer) -> bool:
        started = [f"{run}_intermediate" for run in kept_runs(session) if run not in known]
        schemas = {str(row["namespace"]) for row in session.rows("show schemas")}
        if sum(len(marts_of(session, schema)) for schema in started if schema in schemas) >= TABLES:
            pid = int((Path(os.environ["WAREHOUSE_SPARK_HOME"]) / "pids" / "worker_2").read_text(encoding="utf-8"))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        return bool(killed)

    with watched(kill_in_the_middle) as errors:
        outcome = build_on_spark(WarehousePaths(root), "spark", variables, say, is_tested=False)
    assert errors == []
    assert killed, "the build ended before a worker was killed"
    say(f"worker_2, process {killed[0]}, was killed: {'failed' if outcome.is_failed else 'a whole build'}")
    if outcome.is_failed:
        assert published_run(server) == before
    else:
        assert published_run(server) == outcome.run_id
        assert Company(WarehousePaths(root), outcome).differences(server, "marts") == {}
