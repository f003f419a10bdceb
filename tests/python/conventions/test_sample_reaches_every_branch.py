"""The sample company reaches every branch that gives a row a name: a reason, a state, a tier, a segment.

What it cannot reach is listed with the reason; the list fails when an entry is reached after all.
"""

import re

import pytest

from conventions.conftest import TestedBuild, layer
from warehouse.contract import entities

BRANCH = re.compile(r"\b(?:then|else) '([^']+)'")
ONE_COMPANY = "a company has either enough customers for its value models or too few; unit tests have the others"
NOT_REACHED = {
    "int_customer_values": {
        "contract_model_did_not_converge": ONE_COMPANY,
        "order_value_model_did_not_converge": ONE_COMPANY,
        "purchase_model_did_not_converge": ONE_COMPANY,
        "too_few_repeat_customers": ONE_COMPANY,
    },
    "int_inactivity_window": {"fallback": "the sample is large enough to learn its window"},
    "int_promoter_answers": dict.fromkeys(("customer ", "respondent ", "response "), "part of a key that is not kept"),
}
# Pieces of text in a repair, not names.
PIECES = {"-"}


def branches(code: str, columns: set[str]) -> set[str]:
    """Return the names that the branches of compiled SQL give; names of repaired columns are none."""
    return set(BRANCH.findall(code)) - PIECES - columns


def values(build: TestedBuild, relation: str) -> set[str]:
    with build.connect() as connection:
        texts = [row[0] for row in connection.execute(f"describe {relation}").fetchall() if row[1] == "VARCHAR"]
        return {
            row[0] for text in texts for row in connection.execute(f"select distinct {text} from {relation}").fetchall()
        }


def test_every_reason_of_staging_occurs(tested_build: TestedBuild) -> None:
    by_entity = {entity.name: entity for entity in entities().values() if not entity.is_reference}
    missing = {}
    for model in tested_build.models:
        entity = by_entity.get(model["name"].split("__")[-1])
        if layer(model) != "staging" or entity is None:
            continue
        reached = values(tested_build, f"build.intermediate.int_rows__{entity.name}")
        # A branch may be a part of the key that is shown.
        reached |= {part for value in reached if value for part in str(value).split("|")}
        lost = branches(model["compiled_code"], set(entity.column_names)) - reached
        if lost:
            missing[model["name"]] = sorted(lost)
    assert missing == {}


def test_every_state_of_a_row_and_every_reason_behind_staging_occurs(tested_build: TestedBuild) -> None:
    rows = [model for model in tested_build.models if model["name"].startswith("int_rows__")]
    wanted = set().union(*(branches(model["compiled_code"], set()) for model in rows))
    reached = set().union(*(values(tested_build, model["relation_name"]) for model in rows))
    assert wanted - reached == set()


def test_every_other_branch_occurs(tested_build: TestedBuild) -> None:
    missing = {}
    for model in tested_build.models:
        if layer(model) == "staging" or model["name"].startswith("int_rows__") or model["language"] != "sql":
            continue
        names = branches(model["compiled_code"], set())
        lost = names - values(tested_build, model["relation_name"]) if names else set()
        if lost:
            missing[model["name"]] = lost
    assert missing == {model: set(names) for model, names in NOT_REACHED.items()}


@pytest.mark.parametrize(
    "column", [c for e in entities().values() for c in e.columns if c.values], ids=lambda c: c.name
)
def test_every_enumerated_value_occurs(tested_build: TestedBuild, column) -> None:
    [entity] = [entity for entity in entities().values() if column in entity.columns]
    [staged] = [
        m["relation_name"] for m in tested_build.models if re.fullmatch(rf"stg_[a-z]+__{entity.name}", m["name"])
    ]
    with tested_build.connect() as connection:
        found = connection.execute(f"select distinct {column.name} from {staged}").fetchall()
    assert set(column.values) <= {value for (value,) in found}
