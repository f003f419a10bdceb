"""The mutation script itself, and a small sample of mutants that the unit tests must kill."""

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from conventions.conftest import TestedBuild

PROJECT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(PROJECT / "scripts"))

from mutate import examine_project, kill_rate  # noqa: E402
from mutation_testing.marking import mark_file, mark_project, mutated_sql, original_sql  # noqa: E402
from mutation_testing.operators import regex_changes, sql_changes  # noqa: E402
from mutation_testing.running import KILLED, NOT_REACHED, SURVIVED, Outcome  # noqa: E402
from mutation_testing.survivors import accepted_survivors  # noqa: E402


def mutants_of(sql: str) -> set[str]:
    mutants = []
    marked, _ = mark_file("models/x.sql", sql, mutants, 0)
    return {mutated_sql(marked, mutant) for mutant in mutants}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a <= b", {"a < b", "a > b"}),
        ("a = b", {"a <> b"}),
        ("a is not null", {"a is null"}),
        ("a and b", {"a or b"}),
        ("not a", {" a"}),
        ("left join t", {"inner join t"}),
        ("union all", {"union"}),
        ("max(a)", {"min(a)"}),
        ("least(a, b)", {"greatest(a, b)"}),
        ("a - b", {"a + b"}),
        ("a + 1", {"a - 1", "a + 2", "a + 0"}),
        ("order by a desc", {"order by a "}),
        ("lag(a)", {"lead(a)"}),
        ("'a < b'", set()),
        ("-- a < b", set()),
        ("cast(a as decimal(20, 4))", set()),
        ("count(case when a then 1 end)", {"1 + count(case when a then 1 end)"}),
    ],
)
def test_operators(sql: str, expected: set[str]) -> None:
    assert mutants_of(sql) == expected


def test_strings_of_jinja_that_hold_sql_are_mutated() -> None:
    assert mutants_of("{{ grouped(measures={'won': 'sum(won)'}) }}") == {"{{ grouped(measures={'won': 'max(won)'}) }}"}
    assert mutants_of('{{ add_days("x", -90) }}') == {"{{ add_days(\"x\", '-89') }}", "{{ add_days(\"x\", '-91') }}"}


def test_regular_expressions_lose_anchors_and_repetitions() -> None:
    changes = [(change.start, change.replacements) for change in regex_changes("^[0-9]+[.]?$")]
    assert changes == [(0, ("",)), (6, ("*",)), (10, ("",)), (11, ("",))]


def test_every_change_lies_where_it_says() -> None:
    text = "sum(case when a >= 10 and b is null then 1 else 0 end) over (order by c desc)"
    starts = [change.start for change in sql_changes(text)]
    assert starts == sorted(starts)
    assert len(starts) == len(set(starts))


def test_marks_vanish_from_every_template(tmp_path: Path) -> None:
    mutants = mark_project(PROJECT, tmp_path)
    assert len(mutants) > 1000
    for file in tmp_path.rglob("*.sql"):
        source = (PROJECT / file.relative_to(tmp_path)).read_text(encoding="utf-8")
        assert original_sql(file.read_text(encoding="utf-8")).replace("'", "") == source.replace("'", "")


def test_every_accepted_survivor_is_a_mutant_with_a_reason(tmp_path: Path) -> None:
    names = Counter(mutant.name for mutant in mark_project(PROJECT, tmp_path))
    stale = [name for name in accepted_survivors() if name not in names]
    assert not stale, "accepted_survivors.yml names mutants that no longer exist"


def test_rate_counts_what_no_test_reaches_as_alive(tmp_path: Path) -> None:
    mutants = mark_project(PROJECT, tmp_path)[:4]
    outcomes = [
        Outcome(mutant, verdict)
        for mutant, verdict in zip(mutants, (KILLED, KILLED, SURVIVED, NOT_REACHED), strict=True)
    ]
    assert kill_rate(outcomes, {}) == 0.5


def test_a_sample_of_mutants_is_killed(tested_build: TestedBuild, tmp_path: Path) -> None:
    # A copy: dbt opens the databases for writing, and other tests read them at the same time.
    for name in ("build.duckdb", "marts_build.duckdb"):
        shutil.copy(tested_build.folder / name, tmp_path / name)
    paths = [
        "models/intermediate/surveys",
        "models/intermediate/purchases/int_orders",
        "models/marts/retention/retention_rate",
    ]
    outcomes = examine_project(paths, sample=40, seed=20240229, jobs=1, build_dir=tmp_path)
    assert kill_rate(outcomes, accepted_survivors()) >= 0.9
