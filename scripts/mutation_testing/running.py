"""Evaluates mutants: the rendered unit tests with one mark replaced, in plain DuckDB."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import duckdb

from mutation_testing.compiling import UnitTest
from mutation_testing.marking import Mutant, mutated_sql, original_sql, points_in
from warehouse.errors import WarehouseError

TIMEOUT_SECONDS = 5.0

KILLED, SURVIVED, INVALID, NOT_REACHED = "killed", "survived", "invalid", "not reached"

# Text that is no SQL after the change: no mutant, since it could never have been written.
_NO_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.NotImplementedException)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant."""

    mutant: Mutant
    verdict: str


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty database with the settings of the project's profile."""
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "1GB"})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    return connection


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, columns: list[str]) -> Counter[tuple[Any, ...]]:
    timer = threading.Timer(TIMEOUT_SECONDS, connection.interrupt)
    timer.start()
    try:
        names = ", ".join(f'"{column}"' for column in columns) if columns else "*"
        return Counter(connection.execute(f"select {names} from (\n{sql}\n) as actual").fetchall())  # noqa: S608
    finally:
        timer.cancel()


def _expected_rows(
    connection: duckdb.DuckDBPyConnection, test: UnitTest, columns: list[str]
) -> Counter[tuple[Any, ...]]:
    """Return the expected rows in the types of the model's columns, as dbt compares them."""
    described = connection.execute(f"describe (\n{original_sql(test.sql)}\n)").fetchall()
    types = {str(row[0]).lower(): row[1] for row in described}
    casts = ", ".join(f"cast(? as {types[column.lower()]})" for column in columns)
    expected: Counter[tuple[Any, ...]] = Counter()
    for row in test.expected:
        values = [None if row[column] is None else str(row[column]) for column in columns]
        expected[connection.execute(f"select {casts}", values).fetchall()[0]] += 1
    return expected


class Examiner:
    """Runs mutants against the unit tests that hold their mark."""

    def __init__(self, tests: list[UnitTest]) -> None:
        """Connect, and find out which tests hold which mark."""
        self.connection = connect()
        self.tests = {test.name: test for test in tests}
        self.columns = {test.name: list(test.expected[0]) if test.expected else [] for test in tests}
        self.expected: dict[str, Counter[tuple[Any, ...]]] = {}
        self.tests_of_point: dict[int, list[str]] = {}
        for test in tests:
            for point in points_in(test.sql):
                self.tests_of_point.setdefault(point, []).append(test.name)

    def rows_of(self, name: str) -> Counter[tuple[Any, ...]]:
        """Return the rows that the unchanged model gives in this test, which are those the test expects."""
        if name not in self.expected:
            test = self.tests[name]
            actual = _rows(self.connection, original_sql(test.sql), self.columns[name])
            wanted = _expected_rows(self.connection, test, self.columns[name]) if test.expected else Counter()
            if actual != wanted:
                raise WarehouseError(f"The unit test {name} fails without any mutation: repair it first.")
            self.expected[name] = actual
        return self.expected[name]

    def examine(self, mutant: Mutant) -> Outcome:
        """Return what became of one mutant."""
        names = self.tests_of_point.get(mutant.point, [])
        if not names:
            return Outcome(mutant, NOT_REACHED)
        for name in names:
            wanted = self.rows_of(name)
            try:
                actual = _rows(self.connection, mutated_sql(self.tests[name].sql, mutant), self.columns[name])
            except _NO_SQL:
                return Outcome(mutant, INVALID)
            except duckdb.Error:
                return Outcome(mutant, KILLED)
            if actual != wanted:
                return Outcome(mutant, KILLED)
        return Outcome(mutant, SURVIVED)


_examiner: Examiner


def _start_worker(tests: list[UnitTest]) -> None:
    global _examiner
    _examiner = Examiner(tests)


def _examine(mutant: Mutant) -> Outcome:
    return _examiner.examine(mutant)


def failing_tests(tests: list[UnitTest]) -> list[str]:
    """Return the names of the unit tests that fail without any mutation."""
    examiner = Examiner(tests)
    failing: list[str] = []
    for test in tests:
        try:
            examiner.rows_of(test.name)
        except (WarehouseError, duckdb.Error):
            failing.append(test.name)
    return failing


def examine_all(mutants: Iterable[Mutant], tests: list[UnitTest], jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of every mutant, in order, using `jobs` processes."""
    if jobs == 1:
        examiner = Examiner(tests)
        yield from (examiner.examine(mutant) for mutant in mutants)
        return
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(tests,)
    ) as pool:
        yield from pool.map(_examine, mutants, chunksize=8)
