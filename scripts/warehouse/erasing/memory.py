"""What is remembered about erased customers, so that a redelivery does not bring them back.

Only keyed hashes of identifiers are kept (HMAC-SHA256 with the key of the e-mail tokens): whoever has the
file alone cannot test a guess. Landing asks `without_erased` about every block of rows before it writes them.
"""

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contract import entities
from warehouse.errors import WarehouseError
from warehouse.files import read_json, write_json
from warehouse.landing.personal_data import KEY_VARIABLE, token_key
from warehouse.paths import WarehousePaths

MEMORY_FILE = "erased.json"

# A row goes when one of these columns names something of an erased customer ...
OWNING_COLUMNS: Mapping[str, str] = {
    "account_id": "account",
    "converted_account_id": "account",
    "deal_id": "deal",
    "converted_deal_id": "deal",
    "order_id": "order",
    "refund_of_order_id": "order",
    "lead_id": "lead",
}
# ... and of another customer's row only this cell goes.
MENTIONING_COLUMNS: Mapping[str, str] = {
    "referred_by_account_id": "account",
    "merged_into_account_id": "account",
}
# A person's row goes where it names no account; in a row of another account only the cell goes.
PERSON_COLUMNS: Mapping[str, str] = {"contact_id": "contact", "respondent_id": "respondent"}
Contains = Callable[[str, pa.Array], pa.Array]


def memory_document(paths: WarehousePaths) -> list[str]:
    """Return the keyed hashes of all that was erased, sorted."""
    return sorted(_document(paths)["hashes"])


def _document(paths: WarehousePaths) -> dict[str, Any]:
    path = paths.root / MEMORY_FILE
    if not path.exists():
        return {"hashes": []}
    found = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get("hashes"), list):
        raise WarehouseError(
            f"{MEMORY_FILE} in the warehouse folder is damaged: restore it from a copy of the folder; "
            "without it a redelivery would bring erased customers back"
        )
    return found


def _key(paths: WarehousePaths) -> bytes:
    """Return the key of the hashes; raise WarehouseError when they were made with another one."""
    key = token_key(paths.root)
    if _document(paths).get("key", _mark(key)) != _mark(key):
        raise WarehouseError(
            "erased customers were remembered with another key: restore token.key in the warehouse folder, "
            f"or set {KEY_VARIABLE} as it was; otherwise a redelivery would bring them back"
        )
    return key


def _mark(key: bytes) -> str:
    """Return what tells one key from another, and nothing about it."""
    return identifier_hash(key, "key", "")


def erased_hashes(paths: WarehousePaths) -> frozenset[str]:
    """Return the keyed hashes of the identifiers of erased customers."""
    return frozenset(memory_document(paths))


def identifier_hash(key: bytes, kind: str, value: str) -> str:
    """Return the keyed hash of an identifier (account, deal, order, lead, contact or respondent)."""
    return hmac.digest(key, f"{kind}:{value}".encode("utf-8", "surrogateescape"), "sha256").hex()[:32]


def remember(paths: WarehousePaths, identifiers: Mapping[str, Iterable[str]]) -> None:
    """Add identifiers by kind to the memory."""
    key = _key(paths)
    hashes = {identifier_hash(key, kind, value) for kind, values in identifiers.items() for value in values}
    write_json(paths.root / MEMORY_FILE, {"hashes": sorted({*erased_hashes(paths), *hashes}), "key": _mark(key)})


def remembered(paths: WarehousePaths) -> Contains | None:
    """Return the test "was this erased?" for arrays of identifiers, or None when nothing ever was."""
    hashes = erased_hashes(paths)
    if not hashes:
        return None
    key = _key(paths)

    def contains(kind: str, values: pa.Array) -> pa.Array:
        distinct = [value for value in pc.unique(values).to_pylist() if value is not None]
        erased = [value for value in distinct if identifier_hash(key, kind, value) in hashes]
        return pc.is_in(values, value_set=pa.array(erased, pa.string()))

    return contains


@dataclass(frozen=True)
class Remaining:
    """The rows that stay, how many went, and whether cells of rows that stay were emptied."""

    table: pa.Table
    erased: int
    is_changed: bool


def without_erased(entity: str, table: pa.Table, contains: Contains) -> Remaining:
    """Return the rows of an entity that do not belong to an erased customer.

    `table` has the canonical columns of the entity as text (others may stand beside them); `contains` comes
    from `remembered`.
    """
    columns = [name for name in entities()[entity].column_names if name in table.column_names]
    required = entities()[entity].required
    belongs = pa.array([False] * table.num_rows, pa.bool_())
    for name in columns:
        if name in OWNING_COLUMNS:
            belongs = pc.or_(belongs, _hits(table, name, OWNING_COLUMNS[name], contains))
    emptied: dict[str, pa.Array] = {
        name: _hits(table, name, MENTIONING_COLUMNS[name], contains) for name in columns if name in MENTIONING_COLUMNS
    }
    for name in columns:
        if name in PERSON_COLUMNS:
            hits = _hits(table, name, PERSON_COLUMNS[name], contains)
            has_account = pc.is_valid(_flat(table, "account_id"))
            belongs = pc.or_(belongs, pc.and_(hits, pc.invert(has_account)))
            if name not in required:
                emptied[name] = hits
    is_changed = False
    for name, hits in emptied.items():
        hits = pc.and_(hits, pc.invert(belongs))
        if pc.any(hits, min_count=1).as_py():
            is_changed = True
            cells = pc.if_else(hits, pa.scalar(None, pa.string()), _flat(table, name))
            table = table.set_column(table.column_names.index(name), table.schema.field(name), cells)
    erased = int(pc.sum(belongs).as_py() or 0)
    return Remaining(table.filter(pc.invert(belongs)) if erased else table, erased, is_changed)


def names_erased(words: Sequence[Collection[str]], contains: Contains) -> list[bool]:
    """Tell for the words of each raw line whether one of them is an identifier of an erased customer."""
    distinct = sorted({word for found in words for word in found})
    hits: set[str] = set()
    for kind in {*OWNING_COLUMNS.values(), *PERSON_COLUMNS.values()}:
        erased = contains(kind, pa.array(distinct, pa.string())).to_pylist()
        hits.update(word for word, is_erased in zip(distinct, erased, strict=True) if is_erased)
    return [not hits.isdisjoint(found) for found in words]


def _flat(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks().cast(pa.string())


def _hits(table: pa.Table, name: str, kind: str, contains: Contains) -> pa.Array:
    return pc.fill_null(contains(kind, _flat(table, name)), False)
