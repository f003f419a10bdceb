"""Progress of dbt on a terminal; nothing in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def shown_progress() -> Iterator[Callable[[Any], None]]:
    """Yield what dbt calls with every event; on a terminal it draws nodes done and the current one."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the project", total=None)

        def on_event(event: Any) -> None:
            if event.info.name == "ConcurrencyLine":
                progress.update(task, total=event.data.node_count)
            elif event.info.name == "NodeStart":
                progress.update(task, description=event.data.node_info.node_name)
            elif event.info.name == "NodeFinished":
                progress.advance(task)

        yield on_event
