"""The marts of personal data against the recomputation: empty by default, and where they are allowed every cell."""

from typing import Any

import pytest

from harness.compiled_project import CompiledProject, compile_project
from recomputation.companies import random_company
from recomputation.company import Company
from recomputation.compare import compare
from recomputation.personal import PERSONAL_GRAINS, account_contacts, survey_comments


@pytest.fixture(scope="module")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def allowing_project(default_project: CompiledProject) -> CompiledProject:
    """The project as `published_personal_data: [survey_comments, contact_names]` compiles it."""
    return default_project.changed("survey_comments", "and false", "and true").changed(
        "account_contacts", "where false", "where true"
    )


def with_people(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return a random company whose contacts have names, also of test, merged and unknown accounts."""
    raw = random_company(seed)
    for number, row in enumerate(raw["contacts"]):
        row["full_name"] = (None, "ليلى أحمد", "שלמה, כהן", "Nur 'Ain")[number % 4]
        row["role"] = ("buyer", None)[number % 2]
    nobody = {"contact_id": "of nobody", "account_id": "named by nothing else", "full_name": "Somebody"}
    load_id = next(row["load_id"] for rows in raw.values() for row in rows if row.get("load_id"))
    template = dict.fromkeys(raw["contacts"][0]) if raw["contacts"] else {}
    raw["contacts"].append({**template, **nobody, "load_id": load_id, "line_number": "9999"})
    return raw


@pytest.mark.parametrize("seed", range(70, 78))
def test_random_company(allowing_project: CompiledProject, seed: int) -> None:
    raw = with_people(seed)
    actual = allowing_project.run(raw)
    company = Company(raw, {})
    expected = {"survey_comments": survey_comments(company), "account_contacts": account_contacts(company)}
    for mart, grain in PERSONAL_GRAINS.items():
        assert compare(expected[mart], actual[mart], mart, grain) == []


def test_they_are_empty_by_default(default_project: CompiledProject) -> None:
    actual = default_project.run(with_people(70))
    assert {mart: actual[mart] for mart in PERSONAL_GRAINS} == {mart: [] for mart in PERSONAL_GRAINS}


def test_the_two_columns_are_the_only_ones(allowing_project: CompiledProject) -> None:
    """No other mart shows a comment or the name of a contact, whatever is allowed."""
    raw = with_people(70)
    secrets = {row["comment"] for row in raw["survey_responses"]} | {row["full_name"] for row in raw["contacts"]}
    columns = {
        (mart, column)
        for mart, rows in allowing_project.run(raw).items()
        for row in rows
        for column, cell in row.items()
        if isinstance(cell, str) and any(secret and secret in cell for secret in secrets)
    }
    assert columns == {("survey_comments", "comment"), ("account_contacts", "full_name")}
