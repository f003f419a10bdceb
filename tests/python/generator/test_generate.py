"""`warehouse generate`: the same bytes for the same seed, small seeds, every oddity of the sample present."""

import csv
import hashlib
import io
import json
import re
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from warehouse.cli import app
from warehouse.contract import entities
from warehouse.errors import WarehouseError
from warehouse.generate import SAMPLE_AS_OF, SAMPLE_CUSTOMERS, SAMPLE_SEED, FileFormat, generate_company
from warehouse.generator import company as company_module
from warehouse.generator import tables
from warehouse.generator.company import Company
from warehouse.generator.draws import Draws
from warehouse.generator.oddities import ODDITIES, add_oddities
from warehouse.generator.sample import Sample, clean_sample, sample_company, seed_text
from warehouse.paths import PROJECT_DIR

AS_OF = date.fromisoformat(SAMPLE_AS_OF)
RAW = [entity for entity in entities().values() if not entity.is_reference]

PINNED_BITS = [2709472131437230677, 1510639653616086877, 1838733218079294614]
PINNED_EXPONENTIAL = ["0.158856", "0.085440", "0.105003"]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*"))
        if path.suffix in (".csv", ".parquet")
    }


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("seeds")
    generate_company(SAMPLE_CUSTOMERS, SAMPLE_SEED, out)
    return out


@pytest.fixture(scope="session")
def sample(seeds: Path) -> dict[str, list[dict[str, str]]]:
    return {
        entity.name: list(csv.DictReader((seeds / "raw" / f"{entity.seed}.csv").open(encoding="utf-8", newline="")))
        for entity in RAW
    }


def test_the_same_seed_gives_the_same_bytes(seeds: Path, tmp_path: Path) -> None:
    generate_company(SAMPLE_CUSTOMERS, SAMPLE_SEED, tmp_path)
    assert digests(tmp_path) == digests(seeds)


def test_the_committed_seeds_are_those_of_the_command(seeds: Path) -> None:
    committed = {
        name: digest
        for folder in ("raw", "reference")
        for name, digest in digests(PROJECT_DIR / "seeds").items()
        if name.startswith(folder)
    }
    assert committed == digests(seeds), "run `warehouse generate --out seeds`"


def test_another_seed_gives_another_company(seeds: Path, tmp_path: Path) -> None:
    generate_company(SAMPLE_CUSTOMERS, SAMPLE_SEED + 1, tmp_path)
    other, mine = digests(tmp_path), digests(seeds)
    assert other.keys() == mine.keys()
    assert all(
        other[f"raw/{entity.seed}.csv"] != mine[f"raw/{entity.seed}.csv"] for entity in RAW if entity.name != "surveys"
    )
    assert all(
        other[f"reference/{name}.csv"] == mine[f"reference/{name}.csv"]
        for name in ("deal_stages", "fx_rates", "churn_reason_wordings")
    )


def test_draws_are_pinned() -> None:
    # These numbers must never change: they decide the bytes of every company on every machine.
    draws, keys = Draws(7), np.array([0, 1, 2**40], dtype=np.int64)
    assert draws.bits("pinned", keys).tolist() == PINNED_BITS
    assert [f"{number:.6f}" for number in draws.exponential("pinned", keys)] == PINNED_EXPONENTIAL


def test_seeds_are_small_have_the_contract_as_header_and_carry_their_address(seeds: Path) -> None:
    for entity in entities().values():
        path = seeds / ("reference" if entity.is_reference else "raw") / f"{entity.seed}.csv"
        content = path.read_bytes()
        assert len(content) < 1_000_000, path.name
        assert b"\r" not in content and b"\x00" not in content, path.name
        assert content.endswith(b"\n")
        lines = content.decode().split("\n")
        address = () if entity.is_reference else ("load_id", "line_number")
        assert lines[0] == ",".join((*entity.column_names, *address))
        if entity.is_reference:
            continue
        loads: list[str] = []
        for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
            loads.append(row["load_id"])
            # The record starts at the line that it names: the line begins with its first cell.
            first = row[entity.column_names[0]].split("\n")[0].replace('"', '""')
            assert lines[int(row["line_number"]) - 1].lstrip('"').startswith(first), (
                path.name,
                row["line_number"],
            )
        assert loads == sorted(loads)


def test_no_address_is_in_the_files(seeds: Path) -> None:
    for path in seeds.rglob("*.csv"):
        assert not re.search(r"[^\s,]@[\w-]+\.\w", path.read_text(encoding="utf-8")), path.name
    tokens = {
        row["email"]
        for name in ("accounts", "contacts")
        for row in csv.DictReader((seeds / "raw" / f"raw_{name}.csv").open())
    }
    assert all(re.fullmatch("email:[0-9a-f]{16}", token) for token in tokens - {""})


@pytest.mark.parametrize(
    "oddity", ODDITIES, ids=lambda oddity: f"{oddity.__module__.rsplit('.', 1)[1]}.{oddity.__name__}"
)
def test_every_oddity_adds_or_changes_rows_and_says_why(oddity, clean_texts: dict[str, str]) -> None:
    assert oddity.__doc__
    sample = clean_sample(sample_company(60, SAMPLE_SEED, AS_OF))
    oddity(sample)
    assert {name: seed_text(sample, name) for name in entities()} != clean_texts


@pytest.fixture(scope="session")
def clean_texts() -> dict[str, str]:
    clean = clean_sample(sample_company(60, SAMPLE_SEED, AS_OF))
    return {name: seed_text(clean, name) for name in entities()}


def test_every_column_is_filled_somewhere_and_every_optional_one_empty_somewhere(
    sample: dict[str, list[dict[str, str]]],
) -> None:
    for entity in RAW:
        for column in entity.columns:
            cells = [row[column.name] for row in sample[entity.name]]
            assert any(cells), f"{entity.name}.{column.name} is empty everywhere"
            assert not all(cell.strip() for cell in cells), f"{entity.name}.{column.name} is never empty"


def test_every_value_of_every_enumeration_occurs(sample: dict[str, list[dict[str, str]]]) -> None:
    for entity in RAW:
        for column in entity.columns:
            cells = {row[column.name] for row in sample[entity.name]}
            assert set(column.values) <= cells, f"{entity.name}.{column.name}"
    assert {row["deal_type"] for row in sample["deals"]} >= {"new", "renewal", "upsell", "cross_sell", ""}
    assert {row["cancel_type"] for row in sample["subscription_periods"]} >= {"voluntary", "involuntary", ""}
    assert {row["cost_type"] for row in sample["marketing_spend"]} >= {"acquisition", "retention", ""}
    assert {row["currency"] for row in sample["orders"]} >= {
        "USD",
        "EUR",
        "GBP",
        "ILS",
        "MYR",
        "AED",
        "SAR",
        "JPY",
        "CAD",
        "BRL",
        "QQQ",
        "usd",
        "",
    }


def test_every_stage_occurs_in_deals_and_history(seeds: Path, sample: dict[str, list[dict[str, str]]]) -> None:
    stages = {row["stage"] for row in csv.DictReader((seeds / "reference" / "deal_stages.csv").open())}
    assert {row["stage"] for row in sample["deal_stage_history"]} >= stages
    assert {row["stage"] for row in sample["deals"]} >= stages - {"validation"}


def test_every_reason_has_a_wording_in_every_language_of_the_sample(seeds: Path) -> None:
    rows = list(csv.DictReader((seeds / "reference" / "churn_reason_wordings.csv").open(encoding="utf-8")))
    contract = next(column for column in entities()["churn_reasons"].columns if column.name == "reason")
    assert {row["reason"] for row in rows} == set(contract.values)
    assert len({row["raw_wording"].strip().lower() for row in rows}) == len(rows)
    text = "".join(row["raw_wording"] for row in rows)
    assert re.search("[\u0590-\u05ff]", text) and re.search("[\u0600-\u06ff]", text) and "tiada bajet" in text


def test_keys_repeat_within_a_delivery_only_where_an_oddity_says_so(
    sample: dict[str, list[dict[str, str]]],
) -> None:
    contradicting: dict[str, int] = {}
    for entity in RAW:
        seen: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for row in sample[entity.name]:
            key = tuple(row[name] for name in entity.key)
            if all(row[name].strip() for name in entity.required):
                seen.setdefault((row["load_id"], *key), set()).add(tuple(row[name] for name in entity.column_names))
        contradicting[entity.name] = sum(len(contents) > 1 for contents in seen.values())
    expected = {
        "orders",
        "accounts",
        "subscription_periods",
        "survey_responses",
        "deals",
        "sales_targets",
        "marketing_spend",
        "deal_stage_history",
    }
    assert {name for name, count in contradicting.items() if count} == expected
    assert set(contradicting.values()) <= {0, 1}


def test_the_sample_has_the_shape_of_a_company(sample: dict[str, list[dict[str, str]]]) -> None:
    days: dict[str, set[str]] = {}
    for row in sample["orders"]:
        if not row["refund_of_order_id"] and re.fullmatch(r"\d+\.\d\d", row["amount"]):
            days.setdefault(row["account_id"], set()).add(row["ordered_at"][:10])
    assert sum(len(found) > 1 for found in days.values()) >= 200
    outcome = [row["stage"] for row in sample["deals"] if row["load_id"] and row["stage"] in ("won", "lost")]
    assert 0.30 < outcome.count("won") / len(outcome) < 0.42
    scores = [
        int(row["score"])
        for row in sample["survey_responses"]
        if re.fullmatch("nps-20.*", row["survey"]) and row["score"].isdigit()
    ]
    nps = 100 * (sum(score >= 9 for score in scores) - sum(score <= 6 for score in scores)) / len(scores)
    assert 20 < nps < 40
    per_year = [sum(row["ordered_at"][:4] == year for row in sample["orders"]) for year in ("2023", "2024")]
    assert per_year[1] > per_year[0]
    # The last event falls on the day before as_of, so that the default as_of is that of the sample.
    assert any(row["ordered_at"] == "2025-06-30 23:59:59" for row in sample["orders"])


def test_a_day_without_a_history_that_dates_can_hold_is_wrong_usage(tmp_path: Path) -> None:
    for as_of in ("9999-12-31", "0002-01-01"):
        arguments = ["generate", "--out", str(tmp_path / "out"), "--customers", "3", "--as-of", as_of]
        assert CliRunner().invoke(app, arguments).exit_code == 2
    assert not (tmp_path / "out").exists()


def test_as_of_and_size_can_be_chosen(tmp_path: Path) -> None:
    for customers, as_of in ((1, date(2024, 2, 29)), (3, date(2020, 1, 31))):
        sample = clean_sample(sample_company(customers, 1, as_of))
        add_oddities(sample)
        assert sum(len(rows) for rows in sample.rows["accounts"].values()) > customers


def test_a_seed_that_would_be_too_large_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="less than 1 MB"):
        generate_company(3_000, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unknown_columns_of_an_oddity_are_an_error() -> None:
    sample = Sample(sample_company(1, 1, AS_OF), {"orders": {1: [], 2: []}})
    with pytest.raises(KeyError, match="no column"):
        sample.add("orders", order_number="1")


def test_exports_hold_all_entities_as_text_within_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    counts = generate_company(10_000, 3, tmp_path, FileFormat.PARQUET)
    assert time.monotonic() - started < 20
    assert set(counts) == set(entities())
    for name, entity in entities().items():
        schema = pq.read_schema(tmp_path / f"{name}.parquet")
        assert tuple(schema.names) == entity.column_names
        assert {str(kind) for kind in schema.types} == {"string"}
        assert pq.read_metadata(tmp_path / f"{name}.parquet").num_rows == counts[name]
    per_account = {name: count / 10_000 for name, count in counts.items()}
    for name, expected in {
        "orders": 10,
        "activities": 20,
        "deals": 1,
        "deal_stage_history": 4,
        "subscription_periods": 1.5,
        "survey_responses": 2,
    }.items():
        assert 0.85 < per_account[name] / expected < 1.15, (name, per_account[name])


def test_csv_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    generate_company(300, 3, tmp_path / "csv", FileFormat.CSV)
    generate_company(300, 3, tmp_path / "parquet", FileFormat.PARQUET)
    generate_company(300, 3, tmp_path / "again", FileFormat.PARQUET)
    assert digests(tmp_path / "again") == digests(tmp_path / "parquet")
    for name in entities():
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        expected = pq.read_table(tmp_path / "parquet" / f"{name}.parquet").to_pylist()
        assert rows == [{column: cell or "" for column, cell in row.items()} for row in expected], name


def test_rows_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company(500, 5, AS_OF)

    def accounts_and_orders() -> tuple[list[dict[str, str]], list[str]]:
        orders = [row for table in tables.blocks(company, "orders") for row in table.to_pylist()]
        accounts = [row for table in tables.blocks(company, "accounts") for row in table.to_pylist()]
        return accounts, sorted(
            f"{row['account_id']} {row['ordered_at']} {row['product_id']}" for row in orders if row["amount"]
        )

    whole = accounts_and_orders()
    monkeypatch.setattr(company_module, "BLOCK_CUSTOMERS", 70)
    cut = accounts_and_orders()
    assert cut[0] == whole[0]
    # Numbers of orders run in the order of blocks; defects follow them.
    assert len(set(cut[1]) ^ set(whole[1])) < 10


def test_the_command(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["generate", "--customers", "20", "--seed", "1", "--format", "csv", "--out", str(tmp_path / "a")]
    )
    assert result.exit_code == 0, result.output
    assert "wrote" in result.output and (tmp_path / "a" / "orders.csv").exists()
    assert CliRunner().invoke(app, ["generate", "--customers", "0", "--out", str(tmp_path)]).exit_code == 2
    (tmp_path / "file").write_text("")
    # A generated company can be landed, in every form.
    assert CliRunner().invoke(app, ["generate", "--customers", "20", "--out", str(tmp_path / "seeds")]).exit_code == 0
    for folder in ("a", "seeds"):
        with_dir = {"WAREHOUSE_DIR": str(tmp_path / f"warehouse_{folder}")}
        landed = CliRunner(env=with_dir).invoke(app, ["land", str(tmp_path / folder), "--json"])
        assert landed.exit_code == 0, landed.output
        assert {each["entity"] for each in json.loads(landed.stdout)["files"]} == set(entities())
    refused = CliRunner().invoke(app, ["generate", "--out", str(tmp_path / "file")])
    assert isinstance(refused.exception, WarehouseError)
