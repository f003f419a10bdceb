"""What dbt costs before anybody's SQL does anything: imports, parse and one empty node per node of the project.

`prepare` writes a dbt project with as many models and tests as the build had, all `select`s of one constant, and
parses it once, as the warehouse keeps its parse. `run` builds it in the way the warehouse does.
"""

import os
import sys
from pathlib import Path

_PROJECT = """
name: floor
version: "1.0.0"
config-version: 2
profile: floor
model-paths: ["models"]
test-paths: ["tests"]
flags:
  send_anonymous_usage_stats: false
"""
_PROFILE = """
floor:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{folder}/floor.duckdb"
      threads: 2
"""


def prepare(folder: Path, models: int, tests: int) -> None:
    """Write the empty project; each test looks at one model, so that they take turns as in a real build."""
    for name in ("models", "tests"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "dbt_project.yml").write_text(_PROJECT, encoding="utf-8")
    (folder / "profiles.yml").write_text(_PROFILE.format(folder=folder), encoding="utf-8")
    for number in range(models):
        path = folder / "models" / f"model_{number}.sql"
        path.write_text("{{ config(materialized='table') }}\nselect 1 as number\n", encoding="utf-8")
    for number in range(tests):
        path = folder / "tests" / f"test_{number}.sql"
        sql = f"select number from {{{{ ref('model_{number % models}') }}}} where number <> 1\n"  # noqa: S608
        path.write_text(sql, encoding="utf-8")


def run(folder: Path, command: str) -> bool:
    """Run dbt in this process; return whether it was content."""
    from dbt.cli.main import dbtRunner

    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    folders = ["--project-dir", str(folder), "--profiles-dir", str(folder), "--target-path", str(folder / "target")]
    quiet = ["--log-path", str(folder / "logs"), "--log-level", "none", "--log-level-file", "info", "--no-print"]
    return bool(dbtRunner().invoke([command, *folders, *quiet, "--no-version-check"]).success)


def main() -> None:
    """Read the folder and the dbt command (parse, build) from the command line."""
    folder, command = sys.argv[1:3]
    sys.exit(0 if run(Path(folder), command) else 1)


if __name__ == "__main__":
    main()
