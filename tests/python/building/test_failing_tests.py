"""Bad data and broken models: what fails is named, nothing is published, and no cell of the data is shown."""

from pathlib import Path

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
    ):
        assert any(words in line for line in lines), (words, lines)
    assert all("see " in line for line in lines if "always_fails" in line)
    assert "nothing was published" in lines[-1]
    assert not command.paths.published_file.exists()
    # What failed stays for a look, and no cell of the data was printed.
    assert SECRET not in failed.stderr + failed.stdout
    assert list(command.paths.builds.glob("*/build.duckdb"))


def test_a_warning_that_is_not_allowed_publishes_nothing(broken_project: Path, tmp_path: Path) -> None:
    (broken_project / "tests" / "data" / "always_warns.sql").write_text(WARNING, "utf-8")
    (broken_project / "tests" / "data" / "may_warn.sql").write_text(ALLOWED, "utf-8")
    command = Command(tmp_path / "warehouse", broken_project)
    failed = command.json("build", expect=1)
    assert failed["state"] == "failed"
    assert len(failed["failures"]) == 1
    assert "always_warns" in failed["failures"][0]
    assert any("known since the migration" in finding["details"] for finding in failed["audit"])
    assert not command.paths.published_file.exists()
