"""Full deliveries are held when they are surely incomplete, or lose most keys of the one before."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contract import Entity, entities
from warehouse.landing.deliveries import Accepted, Deliveries
from warehouse.paths import WarehousePaths

# A full delivery with fewer than this share of the keys that were there is held until the user accepts the drop.
SMALLEST_FULL_SHARE = 0.5


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
    rows = [row for row in loads if (row["entity"], row["source"]) == (entity.name, source)]
    rows.sort(key=lambda row: (row["exported_at"] or row["landed_at"], row["load_sequence"]))
    last_full = max((number for number, row in enumerate(rows) if row["is_full"]), default=0)
    if rows:
        stamp = (
            rows[last_full]["exported_at"] or rows[last_full]["landed_at"],
            rows[last_full]["load_sequence"],
        )
        rows = [row for row in rows if ((row["exported_at"] or row["landed_at"]), row["load_sequence"]) >= stamp]
    wanted = {(row["load_id"], row["file"]) for row in rows}
    keys = ", ".join(f"coalesce({column}, '')" for column in entity.key)
    connection = duckdb.connect()
    try:
        before = 0
        if wanted:
            pairs = pa.table({"load_id": [pair[0] for pair in wanted], "file": [pair[1] for pair in wanted]})
            connection.register("wanted", pairs)
            folder = str(paths.landing / entity.name).replace("'", "''")
            query = (
                f"select count(*) from (select distinct {keys} from read_parquet('{folder}/*.parquet') "  # noqa: S608
                "inner join wanted using (load_id, file))"
            )
            before = connection.execute(query).fetchall()[0][0]
        key = list(entity.key)
        connection.register("new", pa.concat_tables([pq.read_table(taken.path, columns=key) for taken in group]))
        now = connection.execute(f"select count(*) from (select distinct {keys} from new)").fetchall()[0][0]  # noqa: S608
    finally:
        connection.close()
    return before, now
