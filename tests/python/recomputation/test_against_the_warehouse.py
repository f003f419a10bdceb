"""The warehouse's own SQL against the recomputation, on random companies: every number of every mart."""

from pathlib import Path
from typing import Any

import pytest

from harness.compiled_project import CompiledProject, compile_project
from recomputation.companies import Raw, random_company, random_variables
from recomputation.compare import compare
from recomputation.metamorphic import (
    ADDRESS_MARTS,
    delivered_twice,
    renamed_accounts,
    same_currency_refunds,
    scaled_currency,
    shuffled,
    split_in_two,
    with_new_names,
)
from recomputation.recompute import GRAINS, Marts, recompute
from warehouse.contract import entities

# Far from the defaults, so that every var matters to some number.
STRESSED = {
    "inactivity_days": 45,
    "grace_days": 5,
    "gross_margin_rate": 0.8,
    "reporting_timezone": "Asia/Kuala_Lumpur",
    "conversion_window_days": 30,
    "bottleneck_minimum_decided": 1,
    "velocity_minimum_won": 1,
}
# What the recomputation calls otherwise.
OTHER_NAMES = {"bottleneck_minimum_decided": "bottleneck_minimum_deals"}
REFERENCES = {entity.name for entity in entities().values() if entity.is_reference}


@pytest.fixture(scope="module")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def stressed_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("stressed"), STRESSED)


def differences(project: CompiledProject, seed: int, variables: dict[str, Any]) -> list[str]:
    """Return one line per number on which the warehouse and the recomputation disagree."""
    raw = random_company(seed)
    named = {OTHER_NAMES.get(name, name): value for name, value in variables.items()}
    expected = recompute(raw, named)
    actual = project.run(raw, variables.get("as_of"))
    found = []
    for mart, grain in GRAINS.items():
        # The reference seeds are the project's own, not the company's.
        rows = [row for row in actual[mart] if row.get("entity") not in REFERENCES]
        found += compare(expected[mart], rows, mart, grain)
    return found


@pytest.mark.parametrize("seed", range(30))
def test_random_company(default_project: CompiledProject, seed: int) -> None:
    assert differences(default_project, seed, {}) == []


@pytest.mark.parametrize("seed", range(30, 55))
def test_random_company_under_other_vars_and_replays(stressed_project: CompiledProject, seed: int) -> None:
    variables = {**STRESSED, "as_of": random_variables(seed)["as_of"]}
    assert differences(stressed_project, seed, variables) == []


def test_a_wrong_number_is_seen(default_project: CompiledProject) -> None:
    raw = random_company(0)
    expected = recompute(raw, {})
    actual = default_project.run(raw)
    for mart, grain in GRAINS.items():
        for column in expected[mart][0] if expected[mart] else ():
            if column not in grain and isinstance(expected[mart][0][column], int):
                spoiled = [dict(row) for row in actual[mart] if row.get("entity") not in REFERENCES]
                spoiled[0][column] = (spoiled[0][column] or 0) + 1
                assert compare(expected[mart], spoiled, mart, grain), (mart, column)
                break


def test_every_model_is_run(default_project: CompiledProject) -> None:
    models = {
        path.stem
        for path in (Path(__file__).resolve().parents[3] / "models").rglob("*.*")
        if path.suffix in (".sql", ".py")
    }
    assert {model.name for model in default_project.models} == models


@pytest.mark.parametrize("seed", range(60, 64))
def test_changes_that_change_nothing(default_project: CompiledProject, seed: int) -> None:
    raw = same_currency_refunds(random_company(seed))
    marts = default_project.run(raw)

    def changed_by(changed: Raw, expected: Marts, without: tuple[str, ...] = ()) -> list[str]:
        actual = default_project.run(changed)
        return [
            line
            for mart, grain in GRAINS.items()
            if mart not in without
            for line in compare(expected[mart], actual[mart], mart, grain)
        ]

    assert changed_by(shuffled(raw, seed), marts) == []
    assert changed_by(delivered_twice(raw), marts, ADDRESS_MARTS) == []
    assert changed_by(split_in_two(raw), marts, ADDRESS_MARTS) == []
    assert changed_by(renamed_accounts(raw), with_new_names(marts), ("quarantined_rows",)) == []
    # Ten times the amounts at a tenth of the rate.
    assert changed_by(scaled_currency(raw), marts) == []
