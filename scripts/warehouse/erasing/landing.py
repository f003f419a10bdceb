"""Takes a customer's rows out of the landed files. All files change together, whenever the process is killed.

New files are prepared in WAREHOUSE_DIR/erasing; once the marker `ready` is there, they are moved into place,
and a killed move is finished by whoever looks next (`finish_erasure`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contract import entities
from warehouse.erasing.columns import FREE_TEXTS, KEYS
from warehouse.erasing.customer import Customer
from warehouse.erasing.memory import Contains, remembered, without_erased
from warehouse.erasing.texts import redacted
from warehouse.erasing.torn_lines import lines_of_erased
from warehouse.files import flush_file, flush_folder, remove
from warehouse.landing import zone
from warehouse.paths import WarehousePaths

FOLDER, READY = "erasing", "ready"
_COUNTS = "erasure-"
Key = tuple[str, str, str]
Address = tuple[str, str, str, int]


@dataclass
class LandedErasure:
    """What goes: rows and rows of bad structure by (load_id, entity, file), and the addresses of all of them."""

    rows: dict[Key, int] = field(default_factory=dict)
    bad_rows: dict[Key, int] = field(default_factory=dict)
    addresses: set[Address] = field(default_factory=set)

    @property
    def count(self) -> int:
        """All rows that go."""
        return sum(self.rows.values()) + sum(self.bad_rows.values())

    def total(self, key: Key) -> int:
        """All rows of one file and entity that go."""
        return self.rows.get(key, 0) + self.bad_rows.get(key, 0)

    def add(self, table: pa.Table, entity: str, counts: dict[Key, int]) -> None:
        """Count the rows of `table`, which has address columns, in `rows` or `bad_rows`."""
        columns = (table.column(name).to_pylist() for name in ("load_id", "file", "record_number"))
        for load_id, file, record_number in zip(*columns, strict=True):
            key = (load_id, entity, file)
            counts[key] = counts.get(key, 0) + 1
            self.addresses.add((load_id, entity, file, record_number))


def prepare_erasure(paths: WarehousePaths, customer: Customer) -> LandedErasure:
    """Write the landed files as they are to be, beside the zone. The caller holds the lock of the zone."""
    finish_erasure(paths)
    paths.make_private(FOLDER)
    erasure = _rewrite(paths.landing, paths.root / FOLDER, customer.contains, customer)
    _write_counts(erasure, paths.root / FOLDER, f"{_COUNTS}{secrets.token_hex(8)}.parquet")
    return erasure


def drop_remembered(paths: WarehousePaths, private: Path, accepted: Sequence[Any]) -> int:
    """Take the rows of erased customers out of deliveries that are about to be landed; return how many.

    `private` is the folder of the load, `accepted` its deliveries, each with the `result` that the user sees and the
    row of the load `registry`: both are corrected, and the rows are counted in the landing zone as erased.
    """
    contains = remembered(paths)
    if contains is None:
        return 0
    fresh = private / FOLDER
    erasure = _rewrite(private, fresh, contains, None)
    for path in fresh.glob("*/*.parquet"):
        path.replace(private / path.parent.name / path.name)
    remove(fresh)
    for delivery in accepted:
        key = (delivery.registry["load_id"], delivery.registry["entity"], delivery.registry["file"])
        for name, gone in (("rows_landed", erasure.rows), ("rows_quarantined", erasure.bad_rows)):
            count = gone.get(key, 0)
            delivery.registry[name] -= count
            setattr(delivery.result, name, getattr(delivery.result, name) - count)
        if delivery.quarantine is not None and key in erasure.bad_rows:
            delivery.quarantine.count_again()
        if total := erasure.total(key):
            delivery.result.repairs.append(f"rows of erased customers left out: {total}")
    if accepted:
        _write_counts(erasure, private, f"{accepted[0].registry['load_id']}.parquet")
    return erasure.count


def erased_rows(paths: WarehousePaths) -> dict[str, int]:
    """Return the number of landed rows that each erasure took out, without those that a redelivery was kept from."""
    files = sorted((paths.landing / zone.ERASED).glob(f"{_COUNTS}*.parquet"))
    return {
        path.stem: sum(pq.read_table(path, columns=["rows_erased"], partitioning=None).column(0).to_pylist())
        for path in files
    }


def _rewrite(source: Path, target: Path, contains: Contains, customer: Customer | None) -> LandedErasure:
    """Write every Parquet file below `source` that names the erased below `target`, without their rows."""
    erasure = LandedErasure()
    for name in entities():
        for path in sorted((source / name).glob("*.parquet")):
            _rewrite_entity_file(path, target / name / path.name, name, contains, customer, erasure)
    for path in sorted((source / zone.QUARANTINE).glob("*.parquet")):
        _rewrite_quarantine_file(path, target / zone.QUARANTINE / path.name, contains, customer, erasure)
    for path in sorted((source / zone.DELETIONS).glob("*.parquet")):
        _rewrite_deletions_file(path, target / zone.DELETIONS / path.name, contains)
    return erasure


def _write_counts(erasure: LandedErasure, folder: Path, name: str) -> None:
    keys = sorted({*erasure.rows, *erasure.bad_rows})
    if not keys:
        return
    rows = [{"load_id": key[0], "entity": key[1], "file": key[2], "rows_erased": erasure.total(key)} for key in keys]
    target = folder / zone.ERASED / name
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, zone.ERASED_SCHEMA), target, compression="zstd")


def commit_erasure(paths: WarehousePaths) -> None:
    """Put the prepared files into place."""
    folder = paths.root / FOLDER
    for path in folder.glob("*/*"):
        flush_file(path)
    folder.mkdir(exist_ok=True)
    (folder / READY).touch()
    flush_folder(folder)
    finish_erasure(paths)


def finish_erasure(paths: WarehousePaths) -> None:
    """Finish an erasure that was killed while it moved files; drop one that was not ready."""
    folder = paths.root / FOLDER
    if (folder / READY).exists():
        for path in sorted(folder.glob("*/*.parquet")):
            target = paths.landing / path.parent.name
            path.replace(target / path.name)
            flush_folder(target)
    remove(folder)


def _rewrite_entity_file(
    path: Path, target: Path, entity: str, contains: Contains, customer: Customer | None, erasure: LandedErasure
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    is_changed = False
    file = pq.ParquetFile(path)
    with pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches():
            before = pa.Table.from_batches([batch]).append_column("row", pa.array(range(batch.num_rows)))
            remaining = without_erased(entity, before, contains)
            if remaining.erased:
                kept = remaining.table.column("row").combine_chunks()
                gone = before.filter(pc.invert(pc.is_in(before.column("row"), value_set=kept)))
                erasure.add(gone, entity, erasure.rows)
            after, is_redacted = _without_texts(entity, remaining.table.drop_columns(["row"]), customer)
            is_changed = is_changed or remaining.erased > 0 or remaining.is_changed or is_redacted
            writer.write_table(after)
    if not is_changed:
        target.unlink()


def _without_texts(entity: str, table: pa.Table, customer: Customer | None) -> tuple[pa.Table, bool]:
    """Return rows of other customers without this one's tokens in any text, and names in what people write freely."""
    if customer is None:
        return table, False
    is_changed = False
    for column in entities()[entity].columns:
        # What was landed before the contract had the column names nobody in it.
        if column.type not in ("text", "email", "comment") or column.name not in table.column_names:
            continue
        patterns = customer.patterns if column.name in FREE_TEXTS else customer.token_patterns
        values = redacted(table.column(column.name), patterns)
        if values is not None:
            table = table.set_column(table.column_names.index(column.name), table.schema.field(column.name), values)
            is_changed = True
    return table, is_changed


def _rewrite_quarantine_file(
    path: Path, target: Path, contains: Contains, customer: Customer | None, erasure: LandedErasure
) -> None:
    """Leave out the rows of the erased; what the lines of others write of the customer goes."""
    table = pq.read_table(path, partitioning=None)
    gone = pa.array(lines_of_erased(table, contains), pa.bool_())
    for entity in set(table.column("entity").to_pylist()):
        named = table.filter(pc.and_(gone, pc.equal(table.column("entity"), entity)))
        erasure.add(named, entity, erasure.bad_rows)
    remaining = table.filter(pc.invert(gone))
    without_texts = _lines_without_texts(remaining, customer) if customer else remaining
    if without_texts is not remaining or remaining.num_rows < table.num_rows:
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(without_texts, target, compression="zstd")


def _lines_without_texts(table: pa.Table, customer: Customer) -> pa.Table:
    """Return rows of bad structure of others without what their lines write of the customer."""
    lines = redacted(table.column("raw_line"), customer.patterns)
    if lines is None:
        return table
    columns = {"raw_line": lines}
    if "made_identifiers" in table.column_names:
        made = table.column("made_identifiers").to_pylist()
        columns["made_identifiers"] = pa.array(
            [[word for word in words or () if not any(token in word for token in customer.tokens)] for words in made],
            pa.list_(pa.string()),
        )
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), table.schema.field(name), values)
    return table


def _rewrite_deletions_file(path: Path, target: Path, contains: Contains) -> None:
    """Leave out the keys of the erased. They are no rows of a delivery: nothing is counted."""
    table = pq.read_table(path, partitioning=None)
    stays = pa.array([True] * table.num_rows, pa.bool_())
    kinds = {name: key.kind for name, key in KEYS.items() if key.columns == entities()[name].key}
    for name, kind in {"accounts": "account", **kinds}.items():
        is_of_entity = pc.equal(table.column("entity"), name)
        hits = pc.and_(is_of_entity, contains(kind, table.column("key_value").combine_chunks()))
        stays = pc.and_(stays, pc.invert(pc.fill_null(hits, False)))
    if not pc.all(stays, min_count=0).as_py():
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.filter(stays), target, compression="zstd")
