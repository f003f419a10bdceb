"""`warehouse land`: takes export files into the landing zone, or writes them as seeds."""

import datetime
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from warehouse.landing.report import Report


def _given_path(text: str) -> Path:
    """Return a path of the command line. What a shell makes of an unset variable is not the folder one is in."""
    if not text:
        raise typer.BadParameter("it is empty")
    return Path(text)


def land(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Export files, or folders of them.", parser=_given_path),
    ],
    source: Annotated[
        str | None, typer.Option(help="Name of a shipped mapping, or the path of a mapping file (.yml).")
    ] = None,
    entity: Annotated[
        str | None, typer.Option(help="The entity that the files hold, when their names do not say.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="The delivery is complete: what is missing was deleted.")
    ] = False,
    exported_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the files were exported (ISO date or time, UTC).")
    ] = None,
    accept_drop: Annotated[
        bool, typer.Option("--accept-drop", help="Land a full delivery although it loses most of its rows.")
    ] = False,
    to_seeds: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write seed CSV files there instead of landing.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Let --to-seeds overwrite tracked files.")] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show what would be mapped to what, and propose a mapping. Lands nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take export files into the landing zone; every row is landed or quarantined with a reason.

    A file that `warehouse quarantine --export` wrote is recognised by its columns: its corrected rows take the place
    of the refused ones, at the time of their first delivery.

    For example:

    warehouse land exports/   (canonical files: accounts.csv, orders_2025-07-01.csv, …)

    warehouse land ~/Downloads/hubspot --source hubspot

    warehouse land answers.xlsx --entity survey_responses --exported-at 2025-07-01

    warehouse land export.csv --explain > my_source.yml   (a mapping to start from)
    """
    from warehouse.arguments import check_entity, check_source
    from warehouse.landing.mapping import load_mapping
    from warehouse.landing.report import Options
    from warehouse.paths import warehouse_paths
    from warehouse.runs.landing import land as land_files

    check_entity(entity)
    check_source(source)
    if explain and as_json:
        raise typer.BadParameter("it shows tables and a mapping: leave out --json", param_hint="--explain")
    options = Options(
        mapping=load_mapping(source) if source else None,
        entity=entity,
        is_full=full,
        exported_at=_time(exported_at) if exported_at else None,
        accepts_drop=accept_drop,
    )
    if explain:
        from warehouse.landing.explain import explain_file

        for path in inputs:
            explain_file(path, options)
        return
    paths = warehouse_paths()
    with _progress() as on_file:
        if to_seeds is not None:
            from warehouse.runs.seeds import write_seeds

            report = write_seeds(paths.root, inputs, options, to_seeds, overwrite, on_file)
        else:
            report = land_files(paths, inputs, options, on_file)
    _show(report, as_json)
    if report.has_rejected:
        raise typer.Exit(1)


def _time(text: str) -> datetime.datetime:
    """Return `--exported-at` as UTC without offset; without an offset it is UTC already."""
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "not an ISO date or time, like 2024-07-01 or 2024-07-01T12:00:00Z", param_hint="--exported-at"
        ) from None
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    if moment > now + datetime.timedelta(days=1):
        raise WarehouseError("--exported-at lies in the future: no later delivery could replace these rows")
    return moment


@contextmanager
def _progress() -> Iterator[Callable[[str], Callable[[int], None]]]:
    """Show rows read per file on a terminal; stay quiet elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: lambda __: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def on_file(name: str) -> Callable[[int], None]:
            task = progress.add_task(escape(name), total=None)
            return lambda rows: progress.advance(task, rows)

        yield on_file


def _show(report: "Report", as_json: bool) -> None:
    """Print one line per file, or the JSON object."""
    from rich.console import Console

    if as_json:
        sys.stdout.write(report.as_json() + "\n")
        return
    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for result in report.files:
        if result.verdict == "rejected":
            console.print(f"rejected  {result.file}: {result.reason}")
            continue
        notes = f" ({'; '.join(result.repairs)})" if result.repairs else ""
        counts = f"{result.rows_in} rows in, {result.rows_landed} landed, {result.rows_quarantined} quarantined"
        console.print(f"accepted  {result.file} -> {result.entity}: {counts}{notes}")
    for name, reason in report.skipped:
        console.print(f"skipped   {name}: {reason}")
    if report.reasons:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(report.reasons.items()))
        console.print(f"quarantined rows: {listed} (see `warehouse quarantine`)")
