"""Mutation tests of the SQL: changes one operator at a time and asks whether a unit test notices.

python scripts/mutate.py                       every mutant of every model and macro
python scripts/mutate.py --sample 200 --seed 7 a random sample
python scripts/mutate.py --path models/marts   only some files
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mutation_testing.compiling import UnitTest, build_relations, prepare_project, render_unit_tests
from mutation_testing.marking import NOT_MUTATED, Mutant, mark_project
from mutation_testing.running import (
    INVALID,
    KILLED,
    NOT_REACHED,
    SURVIVED,
    Outcome,
    examine_all,
    failing_tests,
)
from mutation_testing.survivors import Survivor, accepted_survivors
from warehouse.errors import WarehouseError
from warehouse.paths import PROJECT_DIR

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def kill_rate(outcomes: list[Outcome], known: dict[str, Survivor]) -> float:
    """Return killed ÷ (killed + survived + not reached).

    Text that is no SQL after the change is no mutant, nor is a listed equivalent; accepted survivors are survivors.
    """
    judged = [outcome for outcome in outcomes if outcome.verdict != INVALID and not is_equivalent(outcome, known)]
    killed = sum(outcome.verdict == KILLED for outcome in judged)
    return killed / len(judged) if judged else 1.0


def is_equivalent(outcome: Outcome, known: dict[str, Survivor]) -> bool:
    """Tell whether the mutant lives because no data can tell it from the original."""
    survivor = known.get(outcome.mutant.name)
    return outcome.verdict != KILLED and survivor is not None and survivor.kind == "equivalent"


def report_table(outcomes: list[Outcome], accepted: dict[str, Survivor]) -> Table:
    """Return one line per file: its mutants and what became of them."""
    table = Table(title="Mutants by file")
    table.add_column("file", no_wrap=True)
    for heading in ("mutants", "killed", "survived", "of these listed", "not reached", "kill rate"):
        table.add_column(heading, justify="right")
    for path in sorted({outcome.mutant.path for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.mutant.path == path and outcome.verdict != INVALID]
        verdicts = Counter(outcome.verdict for outcome in own)
        alive = [outcome for outcome in own if outcome.verdict != KILLED]
        table.add_row(
            path,
            str(len(own)),
            str(verdicts[KILLED]),
            str(verdicts[SURVIVED]),
            str(sum(outcome.mutant.name in accepted for outcome in alive)),
            str(verdicts[NOT_REACHED]),
            f"{kill_rate(own, accepted):.1%}",
        )
    return table


def _chosen(mutants: list[Mutant], paths: list[str], sample: int | None, seed: int) -> list[Mutant]:
    chosen = [mutant for mutant in mutants if not paths or any(mutant.path.startswith(path) for path in paths)]
    if sample is not None and sample < len(chosen):
        chosen = sorted(random.Random(seed).sample(chosen, sample), key=lambda mutant: mutant.number)  # noqa: S311
    return chosen


def examine_project(
    paths: list[str],
    sample: int | None,
    seed: int,
    jobs: int,
    build_dir: Path | None,
    project: Path = PROJECT_DIR,
) -> list[Outcome]:
    """Mark the project, let dbt render its unit tests and examine the chosen mutants.

    Args:
        paths: only mutants of files whose path (from the project's root) begins so; all when empty.
        sample: examine at most so many, drawn with `seed`.
        seed: seed of the sample.
        jobs: number of processes.
        build_dir: folder with a build.duckdb that holds all relations; None: build them without rows.
        project: root of the dbt project.

    Raises:
        WarehouseError: dbt cannot render the unit tests, or one of them fails without any mutation.
    """
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        marked = Path(scratch) / "project"
        mutants = _chosen(mark_project(project, marked), paths, sample, seed)
        prepare_project(project, marked)
        relations = build_dir or Path(scratch) / "build"
        if build_dir is None:
            build_relations(project, relations)
        # The tests of a model reach its own mutants; those of a macro may be reached from anywhere.
        only_models = all(mutant.path.startswith("models/") for mutant in mutants)
        models = sorted({Path(mutant.path).stem for mutant in mutants}) if only_models else None
        tests: list[UnitTest] = render_unit_tests(marked, relations, models)
    failing = failing_tests(tests)
    if failing:
        raise WarehouseError(f"These unit tests fail without any mutation; repair them first: {', '.join(failing)}")
    outcomes = examine_all(mutants, tests, jobs)
    return list(track(outcomes, "Mutants", total=len(mutants), console=Console(stderr=True), transient=True))


@app.command()
def mutate(
    path: Annotated[list[str] | None, typer.Option(help="Only files whose path begins so; may be repeated.")] = None,
    sample: Annotated[int | None, typer.Option(help="Examine a random sample of so many mutants.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample.")] = 1,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 2,
    threshold: Annotated[float, typer.Option(help="Exit with 1 when the kill rate is lower.")] = 0.9,
    build_dir: Annotated[
        Path | None, typer.Option(help="Folder of a finished build to read column types from.")
    ] = None,
    show_survivors: Annotated[bool, typer.Option(help="List the accepted survivors, too.")] = False,
) -> None:
    """Change one operator of the SQL at a time and report which changes no unit test notices."""
    outcomes = examine_project(path or [], sample, seed, jobs, build_dir)
    accepted = accepted_survivors()
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(report_table(outcomes, accepted))
    for outcome in outcomes:
        mutant = outcome.mutant
        if outcome.verdict in (SURVIVED, NOT_REACHED) and (show_survivors or mutant.name not in accepted):
            survivor = accepted.get(mutant.name)
            reason = f"{survivor.kind}: {survivor.reason}" if survivor else "no reason listed"
            console.print(f"{outcome.verdict}: line {mutant.line} of {mutant.name} ({reason})")
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    rate = kill_rate(outcomes, accepted)
    console.print(
        f"{verdicts[KILLED]} killed, {verdicts[SURVIVED]} survived, {verdicts[NOT_REACHED]} not reached by a unit test,"
        f" {verdicts[INVALID]} no SQL; {len(NOT_MUTATED)} files left out."
        f" Kill rate {rate:.1%}, counting equivalents as survivors {kill_rate(outcomes, {}):.1%}"
    )
    if rate < threshold:
        console.print(f"The kill rate is under {threshold:.0%}.")
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        app()
    except WarehouseError as error:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"error: {error}")
        sys.exit(1)
