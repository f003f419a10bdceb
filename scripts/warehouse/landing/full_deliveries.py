"""Full deliveries are held when they are surely incomplete, or lose most keys of the one before."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contract import Entity, entities
from warehouse.engine import literal
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.deliveries import Accepted, Deliveries, is_provided
from warehouse.paths import WarehousePaths

# A full delivery with fewer than this share of the keys that were there is held until the user accepts the drop.
SMALLEST_FULL_SHARE = 0.5


def complete_full_deliveries(deliveries: Deliveries, on_file: Callable[[str], Callable[[int], None]]) -> None:
    """Read the unchanged files of a full delivery as well, unless all of it is what the last full one was.

    What is left out of a full delivery counts as deleted.
    """
    if not deliveries.options.is_full:
        return
    while True:
        again = [each for each in deliveries.unchanged if not all(_is_repeated(deliveries, row) for row in each.rows)]
        if not again:
            return
        for unchanged in again:
            deliveries.read_again(unchanged, on_file(unchanged.delivered.name))


def _is_repeated(deliveries: Deliveries, row: dict[str, Any]) -> bool:
    """Tell whether this call brings just the files that the last full delivery of the row's entity consisted of."""

    def is_same_kind(other: dict[str, Any]) -> bool:
        return (other["entity"], other["source"]) == (row["entity"], row["source"])

    full = [load for load in deliveries.loads if load["is_full"] and is_same_kind(load)]
    last = max(full, key=lambda load: (zone.delivered_at(load, full), load["load_sequence"]))
    here = [other for each in deliveries.unchanged for other in each.rows if is_same_kind(other)]
    return {(other["load_id"], other["file"]) for other in here} == {
        (load["load_id"], load["file"]) for load in full if load["load_id"] == last["load_id"]
    } and not any(taken.registry["entity"] == row["entity"] for taken in deliveries.accepted)


def hold_full_deliveries(deliveries: Deliveries, paths: WarehousePaths) -> None:
    """Reject full deliveries that are surely incomplete, or that lose most keys of the one before."""
    if not deliveries.options.is_full:
        return
    has_unknown = any(result.verdict == "rejected" and result.entity is None for result in deliveries.results)
    broken = {result.entity for result in deliveries.results if result.verdict == "rejected"}
    for name in {taken.registry["entity"] for taken in deliveries.accepted}:
        group = [taken for taken in deliveries.accepted if taken.registry["entity"] == name]
        if name in broken or has_unknown:
            for taken in group:
                deliveries.reject(
                    taken,
                    f"another file of this full delivery was rejected: {name} would not be complete",
                )
            continue
        if deliveries.options.accepts_drop:
            continue
        before, now = _key_counts(paths, deliveries.loads, entities()[name], group)
        if now < SMALLEST_FULL_SHARE * before:
            for taken in group:
                deliveries.reject(
                    taken,
                    f"this full delivery has {now} keys of {name} where {before} were current: held; "
                    "if that is right, land it with --accept-drop",
                )


def _key_counts(
    paths: WarehousePaths, loads: list[dict[str, Any]], entity: Entity, group: list[Accepted]
) -> tuple[int, int]:
    """Return the number of distinct keys of the same source that are current, and of the new deliveries."""
    import duckdb

    source = group[0].registry["source"]
    # What a mapping brought along is no delivery that a complete one could lose anything of.
    rows = [row for row in loads if (row["entity"], row["source"]) == (entity.name, source) and not is_provided(row)]
    ages = {id(row): (zone.delivered_at(row, rows), row["load_sequence"]) for row in rows}
    last_full = max((ages[id(row)] for row in rows if row["is_full"]), default=None)
    places = {age: place for place, age in enumerate(sorted(set(ages.values())))}
    wanted = {
        (row["load_id"], row["file"]): places[ages[id(row)]]
        for row in rows
        if last_full is None or ages[id(row)] >= last_full
    }
    keys = ", ".join(f"coalesce({column}, '')" for column in entity.key)
    connection = duckdb.connect()
    try:
        before = 0
        if wanted:
            load_ids, files = zip(*wanted, strict=True)
            columns = {"load_id": load_ids, "file": files, "place": list(wanted.values())}
            connection.register("wanted", pa.table(columns))
            # Only entities of one key column have rows that delete a key.
            query = f"""
                select count(*)
                from (
                    select {keys}, {entity.key[0]} as key_value, max(place) as place
                    from {zone.landed_rows(paths.landing, entity)} inner join wanted using (load_id, file)
                    group by all
                ) as delivered
                left join (
                    select key_value, max(place) as place
                    from {zone.rows_of_folder(paths.landing, zone.DELETIONS)} inner join wanted using (load_id, file)
                    where entity = {literal(entity.name)}
                    group by key_value
                ) as deleted using (key_value)
                where deleted.place is null or deleted.place < delivered.place
                """  # noqa: S608
            try:
                before = connection.execute(query).fetchall()[0][0]
            except duckdb.Error as error:
                raise WarehouseError(
                    f"a landed file of {entity.name} cannot be read ({type(error).__name__}): restore the folder "
                    f"landing/{entity.name} of the warehouse from a copy"
                ) from None
        key = list(entity.key)
        connection.register("new", pa.concat_tables([pq.read_table(taken.path, columns=key) for taken in group]))
        now = connection.execute(f"select count(*) from (select distinct {keys} from new)").fetchall()[0][0]  # noqa: S608
    finally:
        connection.close()
    return before, now
