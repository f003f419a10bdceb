"""Every case of the bad-input sample, as far as landing decides it: structure, never values."""

import json
from pathlib import Path
from typing import Any

import pytest

from landing.conftest import SHARED, Warehouse, shared

MANIFEST = SHARED / "badinput" / "manifest.json"

# What landing itself decides: verdict, rows in, landed, quarantined. Every other case is about values: it
# lands whole.
STRUCTURE: dict[str, tuple[str, int, int, int]] = {
    "enc_cp1252": ("rejected", 0, 0, 0),
    "enc_nul_bytes": ("accepted", 4, 3, 1),
    "enc_nul_padded": ("rejected", 0, 0, 0),
    "enc_binary_xlsx": ("rejected", 0, 0, 0),
    "quote_unclosed": ("rejected", 0, 0, 0),
    "ragged_short": ("accepted", 4, 3, 1),
    "preamble_lines": ("rejected", 0, 0, 0),
    "repeated_header": ("accepted", 6, 5, 1),
    "comment_lines": ("accepted", 5, 4, 1),
    "hdr_missing_entirely": ("rejected", 0, 0, 0),
    # The manifest rejects it, but currency is no required column: the interface wins.
    "hdr_missing_column": ("accepted", 4, 4, 0),
    "hdr_renamed_column": ("rejected", 0, 0, 0),
    "hdr_wrong_entity": ("rejected", 0, 0, 0),
    "txt_3mb_cell": ("accepted", 4, 3, 1),
    "file_zip_two_members": ("rejected", 0, 0, 0),
}


def cases() -> list[dict[str, Any]]:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))["cases"] if MANIFEST.exists() else []


@pytest.mark.parametrize("case", cases() or [None], ids=lambda case: case["id"] if case else "absent")
def test_case_meets_its_verdict(case: dict[str, Any] | None, warehouse: Warehouse) -> None:
    folder = shared("badinput")
    assert case is not None
    order = case.get("delivery_order", [None])
    for delivery in order:
        files = [folder / name for name in case["files"] if delivery is None or f"/{delivery}/" in name]
        report = warehouse.land(*files)
        own = [
            result for result in report.files if Path(result.file).name.startswith(case["entity"]) or len(files) == 1
        ]
        assert len(own) == 1
        result = own[0]
        if case["id"] in STRUCTURE:
            expected = STRUCTURE[case["id"]]
        else:
            rows = result.rows_in if case.get("rows_in") is None else case["rows_in"]
            expected = ("accepted", rows, rows, 0)
        assert (result.verdict, result.rows_in, result.rows_landed, result.rows_quarantined) == expected
        assert (result.reason is None) == (result.verdict == "accepted")
        if result.verdict == "accepted" and case.get("rows_in") is not None and case["id"] != "hdr_missing_column":
            assert result.rows_in == case["rows_in"]
    if result.verdict == "rejected":
        assert not [name for name in warehouse.deliveries() if name.startswith(case["entity"] + "/")]
    else:
        quarantined = {row["key_value"] for row in warehouse.quarantine()}
        assert quarantined - {None} <= {*case.get("quarantined_keys", []), "order_id"}


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("enc_nul_bytes", "nul_byte"),
        ("ragged_short", "ragged_row"),
        ("comment_lines", "ragged_row"),
        ("repeated_header", "repeated_header"),
        ("txt_3mb_cell", "cell_too_large"),
    ],
)
def test_bad_rows_have_a_reason_and_their_raw_line(case: str, reason: str, warehouse: Warehouse) -> None:
    folder = shared("badinput") / "files" / case
    warehouse.land(folder)
    (row,) = warehouse.quarantine()
    assert row["reason"] == reason
    assert row["raw_line"]
    assert row["line_number"] == row["record_number"] + 1
    text = next(folder.iterdir()).read_bytes().decode("utf-8")
    physical = text.splitlines()[row["line_number"] - 1]
    assert row["raw_line"].replace("\\x00", "\0") == physical


def test_renamed_and_missing_headers_name_the_closest_column(warehouse: Warehouse) -> None:
    report = warehouse.land(shared("badinput") / "files" / "hdr_renamed_column" / "orders.csv")
    assert report.files[0].reason is not None
    assert "amount" in report.files[0].reason
    assert "order_total" in report.files[0].reason


def test_values_reach_the_landing_zone_as_they_were(warehouse: Warehouse) -> None:
    folder = shared("badinput") / "files"
    warehouse.land(folder / "id_leading_zeros" / "orders.csv", folder / "inj_sql_value" / "accounts.csv")
    assert warehouse.rows("orders", "account_id")[0] == ("00001",)
    assert warehouse.rows("accounts", "account_name")[0] == ("Robert'); DROP TABLE stg_accounts;--",)
