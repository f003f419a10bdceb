"""The benchmark's own answers: the yardstick against the warehouse's marts, the reduced jobs against each other."""

import importlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet
import pytest

from benchmarking import bi, day, documents, limits, tables, yardstick
from benchmarking.agreement import KEYS, compare_marts
from benchmarking.dbt_times import covered_seconds
from benchmarking.measuring import sizes_up_to
from benchmarking.peers.answers import differences, write_answers
from harness.compiled_project import CompiledProject, compile_project
from warehouse.errors import WarehouseError
from warehouse.generate import FileFormat, generate_company

CUSTOMERS = 400
PEERS = {"duckdb": "duckdb", "pandas": "pandas", "polars": "polars", "clickhouse": "chdb"}
SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    generate_company(CUSTOMERS, 11, folder, FileFormat.PARQUET)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    return compile_project(tmp_path_factory.mktemp("project"))


def delivered(raw: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the exports as the harness takes them."""
    return {
        file.stem: [
            {**row, "load_id": "00001-first", "line_number": str(number)}
            for number, row in enumerate(parquet.read_table(file).to_pylist(), start=2)
        ]
        for file in raw.glob("*.parquet")
    }


def published(project: CompiledProject, raw: Path, file: Path) -> Path:
    """Build the company with the warehouse's own code and copy its seven marts into a file."""
    connection = project.built(delivered(raw))
    connection.execute(f"attach '{file}' as published")
    connection.execute("create schema published.marts")
    for mart in KEYS:
        connection.execute(f"create table published.marts.{mart} as from marts_file.marts.{mart}")
    connection.close()
    return file


def test_the_yardstick_answers_what_the_warehouse_answers(project: CompiledProject, raw: Path, tmp_path: Path) -> None:
    ours = tmp_path / "yardstick.duckdb"
    seconds = yardstick.run(raw, ours)
    assert set(yardstick.MARTS) == set(KEYS)
    assert len(seconds) == len(yardstick.blocks())
    found = compare_marts(ours, published(project, raw, tmp_path / "published.duckdb"))
    assert [each for each in found if each.unmatched or each.differing] == []
    assert all(each.rows for each in found)


def test_a_wrong_mart_is_noticed(raw: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.duckdb", tmp_path / "theirs.duckdb"
    yardstick.run(raw, ours)
    yardstick.run(raw, theirs)
    with duckdb.connect(str(theirs)) as connection:
        connection.execute("update marts.nps set nps = nps + 1 where dimension = 'all' and nps is not null")
        connection.execute("delete from marts.retention_rate where dimension = 'segment'")
    found = {each.mart: each for each in compare_marts(ours, theirs)}
    assert set(found["nps"].differing) == {"nps"}
    assert found["retention_rate"].unmatched > 0
    assert (found["churn_cohorts"].unmatched, found["churn_cohorts"].differing) == (0, {})


def without_impossible_dates(raw: Path, folder: Path) -> Path:
    """Copy what the reduced job reads, without the date that one tool reads otherwise."""
    for name in ("orders", "subscription_periods"):
        table = parquet.read_table(raw / f"{name}.parquet")
        if name == "orders":
            table = table.filter(pc.not_equal(pc.fill_null(table["ordered_at"], ""), "2023-02-29"))
        parquet.write_table(table, folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize("tool", PEERS)
def test_the_reduced_jobs_agree(raw: Path, tmp_path: Path, tool: str) -> None:
    pytest.importorskip(PEERS[tool], reason=f"{PEERS[tool]} is only in the environment of `make bench`")
    folder = without_impossible_dates(raw, tmp_path)
    answers = {}
    for name in {tool, "duckdb"}:
        out = tmp_path / f"{name}.json"
        write_answers(out, **importlib.import_module(f"benchmarking.peers.{name}_job").job(folder))
        answers[name] = json.loads(out.read_text(encoding="utf-8"))
    assert differences(answers[tool], answers["duckdb"]) == []


def test_the_reduced_job_counts_what_it_says(tmp_path: Path) -> None:
    orders = [
        ("a", "2024-01-05 10:00:00", "10.00", None),
        ("a", "2024-01-20 10:00:00", "5.50", None),
        ("a", "2024-02-01 00:00:00", "1.00", None),
        ("b", "2024-02-10", "7.00", None),
        ("b", "2024-04-10", "8.00", None),
        ("b", "2024-04-11", "-8.00", "the order before"),
        ("c", "yesterday", "3.00", None),
        ("c", "2024-03-01", "N/A", None),
    ]
    contracts = [
        ("a", "2024-01-01", "2024-03-01", "100.00"),
        ("a", "2024-03-01", "2024-05-15", "80.00"),
        ("a", "2024-07-01", None, "120.00"),
        ("b", "2024-03-10", "2024-03-10", "50.00"),
    ]
    names = ("account_id", "ordered_at", "amount", "refund_of_order_id")
    parquet.write_table(as_text(orders, names), tmp_path / "orders.parquet")
    names = ("account_id", "started_at", "ended_at", "mrr")
    parquet.write_table(as_text(contracts, names), tmp_path / "subscription_periods.parquet")
    answers = importlib.import_module("benchmarking.peers.duckdb_job").job(tmp_path)
    january, february, april = 2024 * 12, 2024 * 12 + 1, 2024 * 12 + 3
    assert sorted(answers["cohorts"]) == [
        (january, 0, 1, 1550),
        (january, 1, 1, 100),
        (february, 0, 1, 700),
        (february, 2, 1, 800),
    ]
    assert sorted(answers["retention"]) == [(january, 1, 1), (february, 2, 0), (april, 1, 0)]
    assert sorted(answers["movements"]) == [
        (january, 10000, 0, 0, 0, 0, 10000),
        (2024 * 12 + 2, 0, 0, 0, 2000, 0, 8000),
        (2024 * 12 + 4, 0, 0, 0, 0, 8000, 0),
        (2024 * 12 + 6, 0, 12000, 0, 0, 0, 12000),
    ]


def as_text(rows: list[tuple[str | None, ...]], names: tuple[str, ...]) -> pa.Table:
    return pa.table({name: pa.array([row[place] for row in rows], "string") for place, name in enumerate(names)})


def test_twenty_queries_run_on_the_marts_that_exist() -> None:
    names = [name for name, _ in bi.queries()]
    assert len(names) == len(set(names)) == 20
    marts = {path.stem for path in (SCRIPTS.parent / "models" / "marts").glob("*/*.sql")}
    for name, sql in bi.queries():
        read = {word.removeprefix("marts.") for word in sql.split() if word.startswith("marts.")}
        assert read, name
        assert read <= marts, name


def test_time_that_overlaps_counts_once() -> None:
    assert covered_seconds([(0, 2), (1, 3), (5, 6)]) == 4
    assert covered_seconds([]) == 0


@pytest.mark.parametrize(
    ("customers", "sizes"),
    [(10_000, [10_000]), (50_000, [10_000, 50_000]), (1_000_000, [10_000, 100_000, 1_000_000])],
)
def test_growth_is_measured_over_powers_of_ten(customers: int, sizes: list[int]) -> None:
    assert sizes_up_to(customers) == sizes


def results() -> dict[str, Any]:
    """Return the figures of a made-up run."""

    def cost(seconds: float, peak_mb: float = 500.0) -> dict[str, Any]:
        return {"seconds": seconds, "fastest": seconds, "slowest": seconds, "cpu_seconds": seconds, "peak_mb": peak_mb}

    def company(customers: int, build: float, yardstick_seconds: float) -> dict[str, Any]:
        jobs = {"warehouse build": cost(build), "yardstick": cost(yardstick_seconds)}
        jobs |= {f"reduced job: {name}": cost(2.0) for name in ("duckdb", "pandas")}
        jobs |= {"build under 1 GB": cost(build * 1.5, 1200.0)}
        fit = {"bg_nbd": {"r": 0.25}, "bg_nbd_seconds": 1.0, "gamma_gamma": {"p": 6.25}, "gamma_gamma_seconds": 1.0}
        return {
            "customers": customers,
            "jobs": jobs,
            "marts_sql_seconds": yardstick_seconds * 1.4,
            "tests_sql_seconds": 4.0,
            "yardstick_parts": {"orders": 1.0},
            "agreement": [{"mart": "nps", "rows": 3, "values": 30, "unmatched": 1, "differing": {"nps": 2}}],
            "queries_ms": {"one": 1.0, "two": 3.0},
            "day": {"rows": 1000, "land_seconds": 2.0, "build_seconds": build / 2, "build_cpu_seconds": build / 2},
            "peer_differences": {"pandas": ["cohorts: 3 rows differ, 5 against 5 rows"]},
            "value_models": {"warehouse": fit, "lifetimes": fit},
        }

    floor = {"build": cost(15.0), "floor": cost(12.0), "nodes": 250}
    companies = [company(10_000, 10.0, 5.0), company(100_000, 60.0, 20.0)]
    return {"environment": {"duckdb": "2.0.0"}, "rounds": 3, "floor": floor, "companies": companies}


def test_figures_are_held_against_their_limits() -> None:
    found = {each.name: each for each in limits.verdicts(results())}
    assert found["whole build / yardstick"].value == 3.0
    assert found["whole build / yardstick"].is_kept is False
    assert found["SQL of the seven marts / yardstick"].is_kept is True
    assert found["peak memory under a 1 GB limit"].is_kept is True
    assert found["time under a 1 GB limit / without"].is_kept is False
    assert found["build of the sample / dbt's floor"].value == 1.25
    growth = found["growth of the warehouse build, 10,000 to 100,000 customers"]
    assert growth.value == pytest.approx(0.778, abs=0.001)
    assert found["growth of the yardstick, 10,000 to 100,000 customers"].is_kept is None
    assert found["queries of dashboards, p95"].value == pytest.approx(2.9)
    assert found["queries of dashboards, p95"].is_kept is True
    assert found["build with a day's delivery / whole build"].value == 0.5


def test_a_day_is_every_thousandth_fact_under_a_new_identifier(raw: Path, tmp_path: Path) -> None:
    rows = day.write_delivery(raw, tmp_path / "delivery")
    before = parquet.read_table(raw / "orders.parquet")
    delivery = parquet.read_table(tmp_path / "delivery" / "orders.parquet")
    assert delivery.schema.names == before.schema.names
    assert delivery.num_rows == -(-before.num_rows // day.SHARE)
    assert set(delivery["order_id"].to_pylist()) == {
        f"day-{identifier}" for identifier in before["order_id"].to_pylist()[:: day.SHARE]
    }
    assert rows == sum(
        pc.count(parquet.read_table(file).column(0), mode="all").as_py() for file in (tmp_path / "delivery").iterdir()
    )


@pytest.mark.parametrize(
    ("rounds", "cores", "words"), [(1, 1, "1 round, in turn, on 1 core; "), (3, 8, "3 rounds, in turn, on 8 cores; ")]
)
def test_the_page_says_what_was_measured_on(
    rounds: int, cores: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    page = f"{documents.BEGIN}{documents.END}"
    assert words in documents.with_figures(page, {**results(), "rounds": rounds}, [])


def test_the_page_keeps_its_text_and_takes_new_figures() -> None:
    page = documents.PAGE.read_text(encoding="utf-8")
    found = tables.sheets(results())
    once = documents.with_figures(page, results(), found)
    assert documents.with_figures(once, results(), found) == once
    assert once.startswith(page.partition(documents.BEGIN)[0])
    assert once.endswith(page.partition(documents.END)[2])
    assert "1 rows only on one side; nps 2" in once
    assert "| whole build / yardstick | 3.00 × | 2.5 × | missed |" in once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(WarehouseError, match="marks"):
        documents.with_figures("# Benchmarks", results(), [])
