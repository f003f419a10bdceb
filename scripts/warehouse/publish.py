"""`warehouse publish`: an audited build that is kept, or the published marts to PostgreSQL."""

import json
import sys
from typing import Annotated, Any

import typer


def publish(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A kept run; by default the newest unpublished one.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Copy the published marts into PostgreSQL: postgres://user@host/database."),
    ] = None,
    reader: Annotated[
        str, typer.Option(metavar="ROLE", help="PostgreSQL role that may read the marts; created where absent.")
    ] = "warehouse_reader",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Publish an audited build that was kept, such as a replay; or copy what is published into PostgreSQL.

    For example:

    warehouse publish RUN   (a run that `warehouse status` lists)

    warehouse publish --to postgres://etl@db.example.com/analytics --reader bi
    """
    if to is not None:
        if run is not None:
            raise typer.BadParameter("--to copies what is published: publish the run first", param_hint="RUN")
        document = _to_postgres(to, reader)
        sentence = f"run {document['run_id']}: {document['marts']} marts, {document['rows']:,} rows in PostgreSQL"
    else:
        document = _publish(run)
        sentence = f"published run {document['run_id']}, as of {document['as_of']}"
    if as_json:
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        from rich.console import Console

        Console(soft_wrap=True, highlight=False, markup=False).print(sentence)


def _publish(run: str | None) -> dict[str, Any]:
    from warehouse.locks import exclusive
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.live import choose_version, publish_version

    paths = warehouse_paths()
    with exclusive(paths, "a publication"):
        version = choose_version(paths, run)
        publish_version(paths, version)
    return {"run_id": version.run_id, "as_of": version.record["as_of"]}


def _to_postgres(url: str, reader: str) -> dict[str, Any]:
    from warehouse.paths import warehouse_paths
    from warehouse.publishing.postgres import publish_to_postgres

    if not url.startswith(("postgres://", "postgresql://")):
        raise typer.BadParameter("give a URL like postgres://user@host:5432/database", param_hint="--to")
    return publish_to_postgres(warehouse_paths(), url, reader)
