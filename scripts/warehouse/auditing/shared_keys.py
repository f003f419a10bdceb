"""Keys that several sources deliver: the later one counts, right for one customer and wrong for two orders."""

from collections import Counter
from typing import Any

from warehouse.auditing.findings import NOTED, PASSED, Finding
from warehouse.building.inputs import Inputs
from warehouse.building.kept_rows import table_of_rows
from warehouse.contract import entities
from warehouse.landing.deliveries import is_provided

SHARED_KEYS = "keys of one source"


def check_shared_keys(connection: Any, inputs: Inputs) -> list[Finding]:
    """Return a finding where an entity was delivered by several sources, none else.

    `connection` has the build attached as `build`.
    """
    sources: dict[str, set[str]] = {}
    for load in inputs.loads:
        # Nobody can give a prefix to rows that mappings bring along.
        if not entities()[load["entity"]].is_reference and not is_provided(load):
            sources.setdefault(load["entity"], set()).add(load["source"])
    shared = Counter(
        {entity: _shared_keys(connection, entity) for entity, names in sorted(sources.items()) if len(names) > 1}
    )
    if not shared:
        return []
    counts = ", ".join(f"{count:,} of {entity}" for entity, count in shared.items() if count)
    if not counts:
        return [Finding(SHARED_KEYS, "sources", PASSED, f"no key of {', '.join(shared)} comes from two sources")]
    return [Finding(SHARED_KEYS, "sources", NOTED, f"several sources deliver {counts}: of each the last row counts")]


def _shared_keys(connection: Any, entity: str) -> int:
    key = ", ".join(f"delivered.{column}" for column in entities()[entity].key)
    query = f"""
        select count(*) from (
            select {key}
            from build.intermediate.{table_of_rows(entity)} as delivered
            inner join build.intermediate.int_deliveries as deliveries
                on delivered.load_id = deliveries.load_id and delivered.file = deliveries.file
                and deliveries.entity = ?
            where delivered.row_state <> 'quarantined'
            group by {key}
            having
                min(deliveries.source) <> max(deliveries.source)
                and count(*) filter (where delivered.row_state = 'current') > 0
        )
        """  # noqa: S608
    return int(connection.execute(query, [entity]).fetchall()[0][0])
