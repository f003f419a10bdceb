"""Faults that take whole builds, run by `make torture`; `make test` has a shorter version of each."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from building.conftest import Command
from publishing.companies import damage
from warehouse.contract import entities
from warehouse.files import digest

pytestmark = pytest.mark.slow
# The one delivery that says: everything was deleted.
NOTHING_LEFT = ("--full", "--accept-drop")


def write_headers(folder: Path) -> Path:
    """Write an export of every entity that has a header and no rows."""
    folder.mkdir()
    for entity in entities().values():
        if not entity.is_reference:
            (folder / f"{entity.name}.csv").write_text(",".join(entity.column_names) + "\n", "utf-8")
    return folder


def counts(file: Path) -> dict[str, int]:
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        return {name: connection.execute(f"select count(*) from marts.{name}").fetchall()[0][0] for (name,) in names}


def log_of_dbt(command: Command) -> str:
    logs = {path.resolve() for path in command.paths.builds.glob("*/logs/dbt.log")}
    return "".join(log.read_text("utf-8") for log in logs)


def test_a_company_without_rows_has_empty_marts(tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", write_headers(tmp_path / "headers"))
    assert "there is no event" in command.run("build").stdout
    found = counts(command.paths.published_file)
    assert found.pop("mart_run") == 1
    filled = {name for name, rows in found.items() if rows}
    assert filled <= {"load_reconciliation", "churn_dialects", "clv_models"}


def test_a_delivery_that_empties_the_company_is_refused_until_it_is_accepted(exports: Path, tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports)
    first = command.json("build")
    before = digest(command.paths.published_file)
    command.run("land", write_headers(tmp_path / "headers"), *NOTHING_LEFT)
    refused = command.json("build", expect=1)
    assert any("--accept-change" in line for line in refused["failures"])
    assert digest(command.paths.published_file) == before
    accepted = command.json("build", "--accept-change")
    assert accepted["state"] == "published"
    assert {finding["subject"] for finding in accepted["audit"] if finding["verdict"] == "accepted"} >= {
        "retention_rate",
        "customer_360",
    }
    status = command.json("status")
    assert status["run"]["accepted_change"] is True
    assert command.json("status", "--audit", "live")["audit"] == accepted["audit"]
    assert command.json("rollback")["run_id"] == first["run_id"]


def test_damaged_kept_rows_cost_one_build_at_most(exports: Path, tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports)
    first = command.json("build")
    before = digest(command.paths.published_file)
    damage(command.paths.builds / "kept_rows" / "build.duckdb")
    with command.start("build") as build:
        _, errors = build.communicate(timeout=600)
    assert "Traceback" not in errors
    if build.returncode:
        assert digest(command.paths.published_file) == before
        built = command.json("build")
    else:
        built = command.json("status")["run"]
    assert built["marts"] == first["marts"]


def test_a_damaged_published_file_is_brought_back_by_the_commands(exports: Path, tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports / "accounts.csv", exports / "orders.csv")
    first = command.json("build")
    damage(command.paths.published_file)
    told = command.run("status", expect=1)
    assert "DAMAGED" in told.stdout
    assert command.json("rollback")["run_id"] == first["run_id"]
    assert command.json("status")["state"] == "live"
    damage(command.paths.published_file)
    # The link of a rollback shares its bytes with the kept version: nothing whole is left but a new build.
    rebuilt = command.run("build")
    assert "damaged" in rebuilt.stdout
    assert command.json("status")["state"] == "live"


def test_a_clock_that_jumps_changes_no_order(exports: Path, tmp_path: Path, jumping_clock: dict[str, str]) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports / "accounts.csv", exports / "orders.csv")
    built = []
    # Twenty years back and ahead, before the build begins and while it runs.
    for seconds, after in (("-630000000", "0"), ("630000000", "3"), ("-630000000", "3"), ("0", "0")):
        jump = {**jumping_clock, "CLOCK_JUMP": seconds, "CLOCK_JUMP_AFTER": after}
        built.append(Command(command.root, environment=jump).json("build"))
    assert [each["state"] for each in built] == ["published"] * 4
    assert [version["run_id"] for version in command.json("status")["versions"]] == [
        each["run_id"] for each in reversed(built)
    ]
    for earlier in reversed(built[:-1]):
        assert command.json("rollback")["run_id"] == earlier["run_id"]


def test_a_clock_put_back_while_the_project_is_read_loses_no_reference(
    exports: Path, tmp_path: Path, jumping_clock: dict[str, str]
) -> None:
    command = Command(tmp_path / "warehouse")
    command.run("land", exports / "accounts.csv", exports / "orders.csv")
    jump = {**jumping_clock, "CLOCK_JUMP": "-630000000", "CLOCK_JUMP_FILE": str(tmp_path / "jump")}
    build = Command(command.root, environment=jump).start("build", "--json")
    logged = ""
    while "partial parsing" not in logged.lower():
        assert build.poll() is None
        time.sleep(0.02)
        logged = log_of_dbt(command)
    (tmp_path / "jump").touch()
    output, errors = build.communicate(timeout=600)
    assert json.loads(output)["state"] == "published", errors
    # It was read once more, and the half reading is not what the next build takes over.
    assert log_of_dbt(command).count("Running with dbt") == 2
    assert command.json("build")["state"] == "published"


def test_a_failing_unit_test_stops_dbt_build(broken_project: Path, tmp_path: Path) -> None:
    (broken_project / "models" / "staging" / "crm" / "stg_broken__doubled.sql").write_text(
        "select amount * 2 as amount from {{ ref('raw_orders') }}\n", "utf-8"
    )
    (broken_project / "models" / "staging" / "crm" / "_broken__models.yml").write_text(
        """
unit_tests:
  - name: doubled_is_tripled
    model: stg_broken__doubled
    given:
      - input: ref('raw_orders')
        rows: [{amount: "1"}]
    expect:
      rows: [{amount: 3}]
""",
        "utf-8",
    )
    (tmp_path / "warehouse").mkdir()
    failed = subprocess.run(
        [Path(sys.executable).parent / "dbt", "build", "--select", "+stg_broken__doubled", "--profiles-dir", "."],
        cwd=broken_project,
        env={**os.environ, "WAREHOUSE_DIR": str(tmp_path / "warehouse")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 1
    assert "doubled_is_tripled" in failed.stdout
    assert not (tmp_path / "warehouse" / "published").exists()


def test_a_limit_that_is_too_little_memory_is_one_line_for_each_model(tmp_path: Path, exports: Path) -> None:
    command = Command(tmp_path / "warehouse", environment={"WAREHOUSE_MEMORY_LIMIT": "12MB"})
    command.run("land", exports)
    failed = command.run("build", expect=1)
    lines = failed.stderr.splitlines()
    assert any("Out of Memory" in line for line in lines)
    assert sum("WAREHOUSE_MEMORY_LIMIT=" in line for line in lines) == 1
    assert "nothing was published" in lines[-1]


def test_files_that_may_not_grow_publish_nothing(exports: Path, tmp_path: Path) -> None:
    import resource

    command = Command(tmp_path / "warehouse")
    command.run("land", exports)
    command.run("build")
    before = digest(command.paths.published_file)
    for limit in (100_000, 1_500_000, 4_000_000):

        def small_files(most: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        build = command.start("build", preexec_fn=small_files)
        _, errors = build.communicate(timeout=600)
        assert "Traceback" not in errors
        assert (build.returncode, bool(errors.strip())) in ((1, True), (0, False))
        if build.returncode:
            assert digest(command.paths.published_file) == before
        before = digest(command.paths.published_file)
        assert command.json("status")["state"] == "live"
