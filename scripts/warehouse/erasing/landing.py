"""Takes a customer's rows out of the landed files. All files change together, whenever the process is killed.

New files are prepared in WAREHOUSE_DIR/erasing; once the marker `ready` is there, they are moved into place,
and a killed move is finished by whoever looks next (`finish_erasure`).
"""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contract import entities
from warehouse.erasing.customer import SHORTEST_NAME, Customer
from warehouse.erasing.memory import Contains, names_erased, without_erased
from warehouse.landing import zone
from warehouse.paths import WarehousePaths
from warehouse.publishing.files import flush_file, flush_folder, remove

FOLDER, READY = "erasing", "ready"
REPLACEMENT = "(erased)"
Address = tuple[str, str, str, int]


@dataclass
class LandedErasure:
    """What goes: rows by (load_id, entity, file), and addresses (load_id, entity, file, record_number)."""

    rows: dict[tuple[str, str, str], int] = field(default_factory=dict)
    addresses: set[Address] = field(default_factory=set)

    @property
    def count(self) -> int:
        """All rows that go."""
        return sum(self.rows.values())

    def add(self, table: pa.Table, entity: str) -> None:
        """Count the rows of `table`, which has address columns."""
        columns = (table.column(name).to_pylist() for name in ("load_id", "file", "record_number"))
        for load_id, file, record_number in zip(*columns, strict=True):
            key = (load_id, entity, file)
            self.rows[key] = self.rows.get(key, 0) + 1
            self.addresses.add((load_id, entity, file, record_number))


def prepare_erasure(paths: WarehousePaths, customer: Customer) -> LandedErasure:
    """Write the landed files as they are to be, beside the zone. The caller holds the lock of the zone."""
    finish_erasure(paths)
    erasure = LandedErasure()
    contains = _membership(customer)
    for name in entities():
        for path in sorted((paths.landing / name).glob("*.parquet")):
            _prepare_entity_file(paths, path, name, customer, contains, erasure)
    for path in sorted((paths.landing / zone.QUARANTINE).glob("*.parquet")):
        _prepare_quarantine_file(paths, path, customer, erasure)
    if erasure.rows:
        rows = [
            {"load_id": load_id, "entity": entity, "file": file, "rows_erased": count}
            for (load_id, entity, file), count in sorted(erasure.rows.items())
        ]
        target = _prepared(paths, zone.ERASED, f"erasure-{secrets.token_hex(8)}.parquet")
        pq.write_table(pa.Table.from_pylist(rows, zone.ERASED_SCHEMA), target, compression="zstd")
    return erasure


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


def _prepared(paths: WarehousePaths, folder: str, name: str) -> Path:
    target = paths.root / FOLDER / folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _membership(customer: Customer) -> Contains:
    def contains(kind: str, values: pa.Array) -> pa.Array:
        return pc.is_in(values, value_set=pa.array(sorted(customer.identifiers.get(kind, ())), pa.string()))

    return contains


def _prepare_entity_file(
    paths: WarehousePaths,
    path: Path,
    entity: str,
    customer: Customer,
    contains: Contains,
    erasure: LandedErasure,
) -> None:
    target = _prepared(paths, entity, path.name)
    is_changed = False
    file = pq.ParquetFile(path)
    with pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches():
            before = pa.Table.from_batches([batch]).append_column("row", pa.array(range(batch.num_rows)))
            remaining = without_erased(entity, before, contains)
            if remaining.erased:
                gone = pc.invert(
                    pc.is_in(before.column("row"), value_set=remaining.table.column("row").combine_chunks())
                )
                erasure.add(before.filter(gone), entity)
            after, is_redacted = _without_texts(entity, remaining.table.drop_columns(["row"]), customer)
            is_changed = is_changed or remaining.erased > 0 or remaining.is_changed or is_redacted
            writer.write_table(after)
    if not is_changed:
        target.unlink()


def _without_texts(entity: str, table: pa.Table, customer: Customer) -> tuple[pa.Table, bool]:
    """Return rows of other customers without this one's tokens in any text and names in comments."""
    names = [name for name in customer.names if len(name) >= SHORTEST_NAME]
    is_changed = False
    for column in entities()[entity].columns:
        texts = customer.tokens if column.type in ("text", "email") else {*customer.tokens, *names}
        if column.type not in ("text", "email", "comment") or not texts:
            continue
        values = table.column(column.name)
        hits = pc.match_substring_regex(values, "|".join(re.escape(text) for text in sorted(texts)))
        if pc.any(hits, min_count=1).as_py():
            for text in sorted(texts, key=len, reverse=True):
                values = pc.replace_substring(values, text, REPLACEMENT)
            table = table.set_column(table.column_names.index(column.name), table.schema.field(column.name), values)
            is_changed = True
    return table, is_changed


def _prepare_quarantine_file(paths: WarehousePaths, path: Path, customer: Customer, erasure: LandedErasure) -> None:
    table = pq.read_table(path, partitioning=None)
    gone = _names_customer(table, customer, _membership(customer))
    if not any(gone):
        return
    mask = pa.array(gone, pa.bool_())
    for entity in set(table.column("entity").to_pylist()):
        erasure.add(table.filter(pc.and_(mask, pc.equal(table.column("entity"), entity))), entity)
    kept = table.filter(pc.invert(mask))
    pq.write_table(kept, _prepared(paths, zone.QUARANTINE, path.name), compression="zstd")


def _names_customer(table: pa.Table, customer: Customer, contains: Contains) -> list[bool]:
    """Tell for each row of bad structure whether it names the customer: an id as a word, or a text anywhere."""
    lines = [f"{row['key_value'] or ''}\n{row['raw_line'] or ''}" for row in table.to_pylist()]
    by_text = [any(text in line for text in customer.texts) for line in lines]
    return [left or right for left, right in zip(by_text, names_erased(lines, contains), strict=True)]
