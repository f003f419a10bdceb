"""The warehouse's own models against the recomputation, on random companies: every column of every mart."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.compiled_project import CompiledProject, compile_project
from recomputation.companies import Raw, random_company, random_variables
from recomputation.company import Company
from recomputation.compare import by_grain, compare
from recomputation.expectations import ValueModels
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
from recomputation.personal import account_contacts, survey_comments
from recomputation.recompute import GRAINS, TOLERANCES, Marts, marts_of
from warehouse.contract import entities

# Every worker reads the compiled project at once; the companies are what takes long.
WORK_SHARES = 8
# Far from the defaults, so that every var matters to some number.
STRESSED = {
    "inactivity_days": 45,
    "grace_days": 5,
    "gross_margin_rate": 0.8,
    "reporting_timezone": "Asia/Kuala_Lumpur",
    "conversion_window_days": 30,
    "bottleneck_minimum_decided": 1,
    "velocity_minimum_won": 1,
    "clv_minimum_repeaters": 5,
    "clv_minimum_plan_customers": 6,
    "clv_horizon_months": 18,
    "clv_annual_discount_rate": 0.25,
    "clv_calibration_share": 0.5,
    "backtest_horizon_days": [60, 150],
}
# Few enough for the value models of a company of forty customers.
SMALL = {"clv_minimum_repeaters": 4, "clv_minimum_plan_customers": 4}
# What the recomputation calls otherwise.
OTHER_NAMES = {
    "bottleneck_minimum_decided": "bottleneck_minimum_deals",
    "clv_annual_discount_rate": "annual_discount_rate",
}
FITS = "int_value_model_fits"
MARTS = Path(__file__).resolve().parents[3] / "models" / "marts"
# Marts that are not recomputed, and why.
EXEMPT = {"mart_run": "describes the run (its id, time and versions), not the company"}
REFERENCES = {entity.name for entity in entities().values() if entity.is_reference}


@pytest.fixture(scope="module")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def small_project(default_project: CompiledProject) -> CompiledProject:
    project = default_project
    for name, minimum in SMALL.items():
        column = name.removeprefix("clv_")
        project = project.changed("int_value_model_settings", f"200 as {column}", f"{minimum} as {column}")
    return project


@pytest.fixture(scope="module")
def stressed_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("stressed"), STRESSED)


def company_of(seed: int) -> Raw:
    """Return a random company; most have customers on whom value models can be fitted."""
    return random_company(seed, regulars=30 if seed % 5 else 0)


def rows_of_companies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the rows about reference seeds: they are the project's own, not the company's."""
    return [row for row in rows if row.get("entity") not in REFERENCES]


def recomputed(raw: Raw, fits: list[dict[str, Any]], variables: dict[str, Any]) -> tuple[Marts, ValueModels | None]:
    """Return the marts of a company as its published fits make them, and its value models."""
    company = Company(raw, {OTHER_NAMES.get(name, name): value for name, value in variables.items()})
    models = None if company.as_of is None else ValueModels(company, fits)
    return marts_of(company, models), models


def differences(project: CompiledProject, seed: int, variables: dict[str, Any]) -> list[str]:
    """Return one line per number on which the warehouse and the recomputation disagree, and per failing data test."""
    raw = company_of(seed)
    with project.built(raw, variables.get("as_of")) as connection:
        actual = project.tables(connection, also=[FITS])
        found = [f"{name}: {rows}" for name, rows in project.failing_tests(connection).items()]
    expected, models = recomputed(raw, actual[FITS], variables)
    found += list(models.differences()) if models else []
    for mart, grain in GRAINS.items():
        rows = rows_of_companies(actual[mart])
        found += compare(expected[mart], rows, mart, grain, tolerances=TOLERANCES.get(mart, {}))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_random_company(small_project: CompiledProject, seed: int) -> None:
    assert differences(small_project, seed, SMALL) == []


@pytest.mark.parametrize("seed", range(30, 55))
def test_random_company_under_other_vars_and_replays(stressed_project: CompiledProject, seed: int) -> None:
    variables = {**STRESSED, "as_of": random_variables(seed)["as_of"]}
    assert differences(stressed_project, seed, variables) == []


@pytest.mark.parametrize("seed", range(55, 58))
def test_random_company_too_small_for_value_models(default_project: CompiledProject, seed: int) -> None:
    assert differences(default_project, seed, {}) == []


@pytest.mark.parametrize("seed", [2, 4])
def test_no_better_fit_is_found(small_project: CompiledProject, seed: int) -> None:
    raw = company_of(seed)
    _, models = recomputed(raw, small_project.run(raw, also=[FITS])[FITS], SMALL)
    assert models is not None
    assert list(models.better_points()) == []


def spoiled(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value + (value or 1) / 100
    if isinstance(value, int | Decimal):
        return value + 1
    if isinstance(value, date):
        return value.replace(year=value.year + 1, day=1)
    return f"{value} " if value is not None else 0


def test_a_wrong_cell_is_seen(small_project: CompiledProject) -> None:
    raw = company_of(11)
    actual = small_project.run(raw, also=[FITS])
    expected, _ = recomputed(raw, actual[FITS], SMALL)
    for mart, grain in GRAINS.items():
        rows = rows_of_companies(actual[mart])
        tolerances = TOLERANCES.get(mart, {})
        assert compare(expected[mart], rows, mart, grain, tolerances=tolerances) == []
        wanted, found = by_grain(expected[mart], grain)[0], by_grain(rows, grain)[0]
        key = next(iter(wanted))
        for column in wanted[key]:
            wrong = {**found[key], column: spoiled(found[key][column])}
            assert compare([wanted[key]], [wrong], mart, grain, tolerances=tolerances), (mart, column)


def test_every_column_of_every_mart_is_recomputed() -> None:
    published = {
        model["name"]: {column["name"] for column in model["columns"]}
        for file in MARTS.rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", ())
    }
    covered: dict[str, set[str]] = defaultdict(set)
    for seed in (4, 11):
        company = Company(company_of(seed), SMALL)
        # A fit that failed has the same columns as one that did not.
        personal = {"survey_comments": survey_comments(company), "account_contacts": account_contacts(company)}
        for mart, rows in {**marts_of(company), **personal}.items():
            covered[mart].update(*rows)
    assert {mart: columns - covered[mart] for mart, columns in published.items() if columns - covered[mart]} == {
        mart: published[mart] for mart in EXEMPT
    }


def test_every_model_is_run(default_project: CompiledProject) -> None:
    models = {
        path.stem
        for path in (Path(__file__).resolve().parents[3] / "models").rglob("*.*")
        if path.suffix in (".sql", ".py")
    }
    assert {model.name for model in default_project.models} == models


@pytest.mark.parametrize("seed", range(60, 64))
def test_changes_that_change_nothing(small_project: CompiledProject, seed: int) -> None:
    raw = same_currency_refunds(company_of(seed))
    marts = small_project.run(raw)

    def changed_by(changed: Raw, expected: Marts, without: tuple[str, ...] = ()) -> list[str]:
        actual = small_project.run(changed)
        return [
            line
            for mart, grain in GRAINS.items()
            if mart not in without
            for line in compare(expected[mart], actual[mart], mart, grain)
        ]

    assert changed_by(delivered_twice(raw), marts, ADDRESS_MARTS) == []
    assert changed_by(split_in_two(raw), marts, ADDRESS_MARTS) == []
    assert changed_by(renamed_accounts(shuffled(raw, seed)), with_new_names(marts), ("quarantined_rows",)) == []
    # Ten times the amounts at a tenth of the rate. Between them these two leave no mart out of a new order of rows.
    assert changed_by(scaled_currency(shuffled(raw, seed)), marts, ("load_repairs",)) == []
