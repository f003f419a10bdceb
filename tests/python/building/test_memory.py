"""How the memory that a build may use is shared out."""

import pytest

from warehouse.memory import DEFAULT_MEMORY_LIMIT, MEMORY_LIMIT, bytes_of, limit_of_engine, memory_limit, threads_of
from warehouse.paths import PROJECT_DIR


@pytest.mark.parametrize(
    ("limit", "rows", "is_one"),
    [
        ("1GB", 0, True),
        ("900 MiB", 0, True),
        ("1.9gb", 0, True),
        ("2GB", 0, False),
        ("4GB", 40_000_000, False),
        ("4GB", 40_000_001, True),
        ("4GB", None, True),
        ("0.5GB", 1, True),
        ("80%", 40_000_001, False),
        ("", None, False),
    ],
)
def test_nodes_run_one_at_a_time_where_memory_is_small(limit: str, rows: int | None, is_one: bool) -> None:
    assert threads_of(limit, rows) == (["--threads", "1"] if is_one else [])


def test_the_memory_limit_that_is_assumed_is_that_of_the_profile() -> None:
    profile = (PROJECT_DIR / "profiles.yml").read_text("utf-8")
    assert f"env_var('{MEMORY_LIMIT}', '{DEFAULT_MEMORY_LIMIT}')" in profile


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("12MB", 12e6),
        ("1.5 GiB", 1.5 * 1024**3),
        ("900 mib", 900 * 1024**2),
        ("1T", 1e12),
        ("512KB", 512e3),
        ("80%", None),
        ("much", None),
    ],
)
def test_limits_are_read_as_the_engine_reads_them(limit: str, expected: float | None) -> None:
    assert bytes_of(limit) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("4GB", "3650MB"),
        ("1GB", "650MB"),
        ("1GiB", "724MB"),
        ("200MB", "130MB"),
        ("80%", "80%"),
    ],
)
def test_the_engine_leaves_room_for_what_runs_beside_it(limit: str, expected: str) -> None:
    assert limit_of_engine(limit) == expected


def test_an_empty_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "")
    assert memory_limit() == DEFAULT_MEMORY_LIMIT
    monkeypatch.setenv(MEMORY_LIMIT, "2GB")
    assert memory_limit() == "2GB"
