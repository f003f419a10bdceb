"""The command `warehouse generate`: a synthetic company of any size, the same bytes for the same seed."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from warehouse.errors import WarehouseError

SAMPLE_CUSTOMERS = 600
SAMPLE_SEED = 7
SAMPLE_AS_OF = "2025-07-01"
# Three years of history before, and contracts that run on after it, are dates that the warehouse takes.
_AS_OF_YEARS = range(1990, 2190)


class FileFormat(StrEnum):
    """The forms in which a company can be written."""

    SEEDS = "seeds"
    CSV = "csv"
    PARQUET = "parquet"


def generate_company(
    customers: int,
    seed: int,
    out: Path,
    file_format: FileFormat = FileFormat.SEEDS,
    as_of: date = date.fromisoformat(SAMPLE_AS_OF),  # noqa: B008 (a constant)
) -> dict[str, int]:
    """Write a company and return the rows per entity.

    `seeds` writes raw/raw_<entity>.csv and reference/<entity>.csv with every oddity of the sample; `csv` and
    `parquet` write <entity>.<format> as exports of a company whose few defects come at low rates.
    Raises WarehouseError when a seed would be too large or the folder cannot be written.
    """
    from warehouse.generator.company import Company
    from warehouse.generator.exports import write_exports
    from warehouse.generator.oddities import add_oddities
    from warehouse.generator.sample import clean_sample, sample_company, write_seeds

    console = Console(stderr=True)

    def report(entity: str, rows: int) -> None:
        if console.is_terminal:
            console.print(f"{entity}: {rows:,} rows")

    try:
        if file_format is not FileFormat.SEEDS:
            return write_exports(Company(customers, seed, as_of), out, file_format.value, report)
        sample = clean_sample(sample_company(customers, seed, as_of))
        add_oddities(sample)
        return write_seeds(sample, out)
    except OSError as error:
        reason = error.strerror or "not writable"
        raise WarehouseError(f"generate: cannot write to {out}: {reason}; choose another --out") from error


def generate(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    customers: Annotated[int, typer.Option(min=1, help="Number of accounts.")] = SAMPLE_CUSTOMERS,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = SAMPLE_SEED,
    file_format: Annotated[
        FileFormat,
        typer.Option("--format", help="seeds: the sample with every oddity; csv, parquet: exports to land."),
    ] = FileFormat.SEEDS,
    as_of: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="The day after the last event; the history is three years."),
    ] = SAMPLE_AS_OF,  # type: ignore[assignment]  # typer parses the text
) -> None:
    """Write a synthetic company of any size, deterministic.

    For example:

    warehouse generate --out company --customers 10000 --format parquet

    warehouse land company

    warehouse generate --out seeds_of_ours   (a small company as seeds: WAREHOUSE_SEEDS=seeds_of_ours dbt build)
    """
    if as_of.year not in _AS_OF_YEARS:
        years = f"{_AS_OF_YEARS[0]} and {_AS_OF_YEARS[-1]}"
        raise typer.BadParameter(f"give a day between {years}", param_hint="--as-of")
    counts = generate_company(customers, seed, out, file_format, as_of.date())
    Console(highlight=False).print(
        f"wrote {sum(counts.values()):,} rows of {len(counts)} entities as {file_format.value} to {out}",
        soft_wrap=True,
    )
