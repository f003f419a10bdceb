"""Bad data and broken models: what fails is named, nothing is published, and no cell of the data is shown.

Of each kind one fails: a generic and a singular test, a model that does not compile, one whose cast fails, one that
breaks its contract, a warning, and what only the audit sees. Unit tests are about the code: `dbt build` runs them.
"""

import json
from pathlib import Path

import pyarrow.parquet as pq

from building.conftest import Command

# Every test builds a project of its own.
WORK_SHARES = 2
SECRET = "someone@example.org"
WARNING = "{{ config(severity='warn') }}\nselect account_id from {{ ref('stg_crm__accounts') }}\n"
ALLOWED = """
{{ config(severity='warn', meta={'allowed_warning': 'known since the migration'}) }}
select 1 as one
"""


def break_project(project: Path) -> None:
    """Add a failing test of each kind, a warning, and a model whose cast fails on a cell."""
    tests = project / "tests" / "data"
    (tests / "always_fails.sql").write_text("select account_id from {{ ref('stg_crm__accounts') }}\n", "utf-8")
    (tests / "always_warns.sql").write_text(WARNING, "utf-8")
    models = project / "models" / "staging" / "crm"
    (models / "stg_broken__cast.sql").write_text(f"select cast('{SECRET}' as integer) as number\n", "utf-8")
    (models / "stg_broken__name.sql").write_text("select no_such_column from {{ ref('deal_stages') }}\n", "utf-8")
    (models / "stg_broken__named.sql").write_text("select rep_name from {{ ref('raw_sales_reps') }}\n", "utf-8")
    (models / "stg_broken__contract.sql").write_text("select 'text' as number\n", "utf-8")
    (models / "_broken__models.yml").write_text(
        """
version: 2
models:
  - name: stg_broken__named
    columns:
      - name: rep_name
        data_tests:
          - accepted_values:
              arguments: {values: [nobody]}
  - name: stg_broken__cast
    config: {materialized: table}
  - name: stg_broken__contract
    config: {materialized: table, contract: {enforced: true}}
    columns:
      - {name: number, data_type: integer}
""",
        "utf-8",
    )


def test_a_failing_test_of_each_kind_publishes_nothing(broken_project: Path, tmp_path: Path) -> None:
    break_project(broken_project)
    command = Command(tmp_path / "warehouse", broken_project)
    failed = command.run("build", expect=1)
    lines = failed.stderr.splitlines()
    for words in (
        "test always_fails: failed, 7",
        "test accepted_values_stg_broken__named_rep_name__nobody: failed, ",
        "model stg_broken__cast: ",
        "model stg_broken__name: Binder Error",
        "model stg_broken__contract: Compilation Error",
    ):
        assert any(words in line for line in lines), (words, lines)
    assert all("see " in line for line in lines if "always_fails" in line)
    assert "nothing was published" in lines[-1]
    assert not command.paths.published_file.exists()
    # What failed stays for a look, and no cell of the data was printed.
    assert SECRET not in failed.stderr + failed.stdout
    assert list(command.paths.builds.glob("*/build.duckdb"))


# What happens to the marts after their tests: dbt is content.
AFTERWARDS = (
    "delete from marts_file.marts.customer_segments where account_id = "
    "(select min(account_id) from marts_file.marts.customer_segments)",
    "delete from marts_file.marts.quarantined_rows",
    "create table marts_file.marts.left_over as select 1 as one",
)


def test_what_only_the_audit_sees_publishes_nothing(broken_project: Path, tmp_path: Path) -> None:
    (broken_project / "tests" / "data" / "always_warns.sql").write_text(WARNING, "utf-8")
    (broken_project / "tests" / "data" / "may_warn.sql").write_text(ALLOWED, "utf-8")
    with (broken_project / "dbt_project.yml").open("a", encoding="utf-8") as settings:
        settings.write(f"\non-run-end: {json.dumps(AFTERWARDS)}\n")
    command = Command(tmp_path / "warehouse", broken_project)
    failed = command.json("build", expect=1)
    assert failed["state"] == "failed"
    checks = {(finding["check"].split(":")[0], finding["verdict"]) for finding in failed["audit"]}
    assert {check for check, verdict in checks if verdict == "failed"} == {
        "no failures and warnings",
        "customers",
        "quarantine agrees",
        "contract holds",
    }
    assert len(failed["failures"]) == 4
    for words in ("always_warns): ended as warn", "broken in ", "left_over): a table that is no mart"):
        assert any(words in line for line in failed["failures"]), (words, failed["failures"])
    assert any("known since the migration" in finding["details"] for finding in failed["audit"])
    assert not command.paths.published_file.exists()
    # The findings are a table beside the databases, which stay for a look.
    (findings,) = command.paths.builds.glob("*-*/audit.parquet")
    assert pq.read_table(findings).to_pylist() == failed["audit"]
    assert (findings.parent / "marts_build.duckdb").exists()
