"""Every case of the bad-input sample to its end: landed, staged, and each row accounted for with its reason.

All cases are staged in one run of the project's SQL; the ids of each carry its name, so that they cannot meet.
"""

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.compiled_project import PROJECT_DIR, CompiledProject, compile_project
from landing.conftest import SHARED, Warehouse
from warehouse.contract import entities

MANIFEST = SHARED / "badinput" / "manifest.json"
# currency is no required column: where the manifest and the interface disagree, the interface wins.
INTERFACE_WINS = {"hdr_missing_column"}
# Verdicts of the warehouse where the manifest leaves a choice, and why.
CHOSEN = {
    "date_dst_gap": "quarantine",  # a named time zone is no offset
    "num_text_na": "quarantine",  # N/A is no amount
    "score_word": "quarantine",
    "score_empty": "accept",  # an unscored response stays, outside the score
    "time_closed_before_created": "quarantine",
    "seq_older_file_later": "accept",  # the older file lands and replaces nothing
    "seq_merged_accounts": "accept",
}


def cases() -> list[dict[str, Any]]:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))["cases"] if MANIFEST.exists() else []


pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason="../shared/badinput is not beside this repo")


class Staged:
    """What became of the rows of every case."""

    def __init__(self, project: CompiledProject, folder: Path) -> None:
        self.rejected: set[str] = set()
        self.landed: dict[str, int] = defaultdict(int)
        self.structural: dict[str, int] = defaultdict(int)
        rows: dict[str, list[dict[str, str | None]]] = defaultdict(list)
        for case in cases():
            warehouse = Warehouse(folder / case["id"])
            for delivery in case.get("delivery_order", [None]):
                files = [
                    SHARED / "badinput" / name for name in case["files"] if delivery is None or f"/{delivery}/" in name
                ]
                for result in warehouse.land(*files).files:
                    if result.entity == case["entity"]:
                        if result.verdict == "rejected":
                            self.rejected.add(case["id"])
                        self.structural[case["id"]] += result.rows_quarantined
            for entity in entities().values():
                for file in sorted((warehouse.paths.landing / entity.name).glob("0*.parquet")):
                    for row in pq.read_table(file).to_pylist():
                        named = {name: row[name] for name in entity.column_names}
                        for column in entity.columns:
                            if column.type == "id" and named[column.name] is not None:
                                named[column.name] = f"{case['id']}~{named[column.name]}"
                        rows[entity.name].append(
                            {
                                **named,
                                "load_id": f"{case['id']}~{row['load_id']}",
                                "line_number": row["line_number"],
                            }
                        )
                        if entity.name == case["entity"]:
                            self.landed[case["id"]] += 1
        with (PROJECT_DIR / "seeds" / "reference" / "fx_rates.csv").open(encoding="utf-8", newline="") as rates:
            rows["fx_rates"] = list(csv.DictReader(rates))
        self.connection = project.built(rows)

    def of_case(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        """Return key, state and reason of each row of the entity that the case is about."""
        found = self.connection.execute(
            f"select * from build.intermediate.int_rows__{case['entity']} where load_id like ? order by line_number",
            [f"{case['id']}~%"],
        )
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    project = compile_project(tmp_path_factory.mktemp("project"))
    return Staged(project, tmp_path_factory.mktemp("cases"))


@pytest.mark.parametrize("case", cases() or [None], ids=lambda case: case["id"] if case else "absent")
def test_case_meets_its_verdict_in_staging(case: dict[str, Any] | None, staged: Staged) -> None:
    assert case is not None
    rows = staged.of_case(case)
    assert len(rows) == staged.landed[case["id"]]
    if case["id"] in staged.rejected:
        assert case["verdict"] == "reject_file" or "reject_file" in case.get("also_ok", [])
        return
    if case["id"] in INTERFACE_WINS:
        assert all(row["row_state"] == "current" for row in rows)
        return
    verdict = CHOSEN.get(case["id"], case["verdict"])
    assert verdict in (case["verdict"], *case.get("also_ok", []))
    if verdict == "reject_file":
        pytest.fail("the file should have been rejected")
    bad = [row for row in rows if row["row_state"] == "quarantined"]
    good = [row for row in rows if row["row_state"] == "current"]
    superseded = len(rows) - len(bad) - len(good)
    quarantined = len(bad) + staged.structural[case["id"]]
    if case.get("staged") is not None and verdict == case["verdict"]:
        assert (len(good), quarantined) == (case["staged"], case["quarantined"])
    elif verdict == "quarantine":
        assert quarantined > 0
    elif verdict in ("accept", "repair"):
        assert quarantined == 0
    assert superseded == 0 or case["category"] == "sequence"
    for row in bad:
        if case.get("reason_like"):
            assert re.search(case["reason_like"], row["quarantine_reason"])
        if case.get("quarantined_keys"):
            assert row["key_value"].split("~")[1] in case["quarantined_keys"]


@pytest.mark.parametrize(
    "case",
    [case for case in cases() if "expect_values" in case] or [None],
    ids=lambda case: case["id"] if case else "-",
)
def test_case_has_its_values(case: dict[str, Any] | None, staged: Staged) -> None:
    assert case is not None
    (key_column,) = entities()[case["entity"]].key
    rows = {row[key_column].split("~")[1]: row for row in staged.of_case(case) if row["row_state"] == "current"}
    for key, values in case["expect_values"].items():
        for column, expected in values.items():
            actual = rows[key][column]
            if column.endswith("_at"):
                assert actual.isoformat() == expected.removesuffix("Z")
            elif column == "amount":
                assert float(actual) == float(expected)
            elif column.endswith("_id"):
                assert actual.split("~")[1] == expected
            else:
                assert actual == expected
