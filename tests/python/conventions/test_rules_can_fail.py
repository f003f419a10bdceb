"""Every rule of the data tests can fail: a copy of the built sample is broken, and the rule must say so.

A test that nothing can break proves nothing. Each rule of each singular test has a statement that breaks it, in
breaking_statements.yml; a rule without one fails the suite.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from conventions.conftest import PROJECT_DIR, TestedBuild

DATA_TESTS = PROJECT_DIR / "tests" / "data"

STATEMENTS = yaml.safe_load((Path(__file__).parent / "breaking_statements.yml").read_text(encoding="utf-8"))
# Singular test → rule → the statement that breaks it; generic test → its model and the statement.
BREAKS: dict[str, dict[str, str]] = STATEMENTS["singular"]
GENERIC_BREAKS: dict[str, dict[str, str]] = STATEMENTS["generic"]


def rules_of(name: str) -> list[str]:
    (path,) = DATA_TESTS.rglob(f"{name}.sql")
    return re.findall(r"'([^']+)' as broken_rule", path.read_text(encoding="utf-8"))


class BrokenCopy:
    """The relations that one data test reads, copied to memory under the names that its compiled SQL uses."""

    def __init__(self, build: TestedBuild, test: dict) -> None:
        self.sql = test["compiled_code"]
        self.relations: dict[str, str] = {}
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set timezone = 'UTC'")
        for name, file in (("build", "build.duckdb"), ("marts_file", "marts_build.duckdb")):
            self.connection.execute(f"attach '{build.folder / file}' as built_{name} (read_only)")
            self.connection.execute(f"attach ':memory:' as {name}")
        for key in test["depends_on"]["nodes"]:
            node = build.nodes[key]
            place = f"{node['schema']}.{node['alias']}"
            self.relations[node["alias"]] = node["relation_name"]
            self.connection.execute(f"create schema if not exists {node['database']}.{node['schema']}")
            self.connection.execute(f"create table {node['relation_name']} as from built_{node['database']}.{place}")

    def failures(self) -> list[tuple]:
        return self.connection.execute(self.sql).fetchall()

    def failures_after(self, statement: str) -> list[tuple]:
        """What the test reports when the copy is broken so; the copy is whole again afterwards."""
        self.connection.execute("begin")
        try:
            (changed,) = self.connection.execute(statement.format_map(self.relations)).fetchone() or (0,)
            assert changed, f"the statement changes nothing: {statement}"
            return self.failures()
        finally:
            self.connection.execute("rollback")


def singular_tests(build: TestedBuild) -> dict[str, dict]:
    return {test["name"]: test for test in build.of_type("test") if not test.get("test_metadata")}


def test_every_rule_has_a_statement_that_breaks_it(tested_build: TestedBuild) -> None:
    assert sorted(BREAKS) == sorted(singular_tests(tested_build))
    assert {name: sorted(set(rules_of(name))) for name in BREAKS} == {
        name: sorted(rules) for name, rules in BREAKS.items()
    }


@pytest.mark.parametrize("name", BREAKS)
def test_broken_marts_break_the_rule(tested_build: TestedBuild, name: str) -> None:
    copy = BrokenCopy(tested_build, singular_tests(tested_build)[name])
    assert copy.failures() == []
    silent = []
    for rule, statement in BREAKS[name].items():
        if rule not in {row[0] for row in copy.failures_after(statement)}:
            silent.append(rule)
    assert silent == []


@pytest.fixture(params=GENERIC_BREAKS)
def generic_test(tested_build: TestedBuild, request: pytest.FixtureRequest) -> Iterator[tuple[BrokenCopy, str]]:
    model, statement = GENERIC_BREAKS[request.param]["model"], GENERIC_BREAKS[request.param]["statement"]
    (test,) = (
        test
        for test in tested_build.of_type("test")
        if (test.get("test_metadata") or {}).get("name") == request.param
        and test["attached_node"] == f"model.retention_warehouse.{model}"
    )
    yield BrokenCopy(tested_build, test), statement


def test_broken_marts_break_the_generic_test(generic_test: tuple[BrokenCopy, str]) -> None:
    copy, statement = generic_test
    assert copy.failures() == []
    assert copy.failures_after(statement) != []
