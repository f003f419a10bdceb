"""What is remembered about erased customers, so that a redelivery does not bring them back.

Only keyed hashes of identifiers are kept (HMAC-SHA256 with the key of the e-mail tokens): whoever has the
file alone cannot test a guess. Landing asks `without_erased` about every block of rows before it writes them.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contract import entities
from warehouse.erasing.columns import KEYS, MENTIONS, owner_of
from warehouse.erasing.texts import REPLACEMENT
from warehouse.errors import WarehouseError
from warehouse.files import read_json, write_json
from warehouse.landing.personal_data import KEY_VARIABLE, TOKEN, token_key
from warehouse.paths import WarehousePaths

MEMORY_FILE = "erased.json"

# What was remembered before the kinds were written down beside the hashes.
_FIRST_KINDS = ("account", "contact", "deal", "lead", "order", "respondent")
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
    """Return the keyed hash of an identifier; its kind is account, respondent or that of a key (erasing.columns)."""
    return hmac.digest(key, f"{kind}:{value}".encode("utf-8", "surrogateescape"), "sha256").hex()[:32]


def remember(paths: WarehousePaths, identifiers: Mapping[str, Iterable[str]]) -> None:
    """Add identifiers by kind to the memory."""
    key = _key(paths)
    found = [(kind, value) for kind, values in identifiers.items() for value in values]
    hashes = {*erased_hashes(paths), *(identifier_hash(key, kind, value) for kind, value in found)}
    kinds = _kinds(paths) | {kind for kind, _ in found}
    write_json(paths.root / MEMORY_FILE, {"hashes": sorted(hashes), "key": _mark(key), "kinds": sorted(kinds)})


def _kinds(paths: WarehousePaths) -> set[str]:
    """Return the kinds of identifiers that are remembered: others need not be hashed to be compared."""
    document = _document(paths)
    return set(document.get("kinds", _FIRST_KINDS if document["hashes"] else ()))


def remembered(paths: WarehousePaths) -> Contains | None:
    """Return the test "was this erased?" for arrays of identifiers, or None when nothing ever was."""
    hashes = erased_hashes(paths)
    if not hashes:
        return None
    key, kinds = _key(paths), _kinds(paths)

    def contains(kind: str, values: pa.Array) -> pa.Array:
        distinct = [value for value in pc.unique(values).to_pylist() if value is not None and kind in kinds]
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
    from `remembered`. A row belongs to whom its account names and whose its key is; one without an account belongs to
    whom it mentions. In a row of another account only the mention goes.
    """
    columns = tuple(name for name in entities()[entity].column_names if name in table.column_names)
    owner, key = owner_of(columns), KEYS.get(entity)
    nowhere = pa.array([False] * table.num_rows, pa.bool_())
    belongs = _hits(_flat(table, owner), "account", contains) if owner else nowhere
    has_account = pc.is_valid(_flat(table, owner)) if owner else nowhere
    if key is not None and all(name in columns for name in key.columns):
        texts = [_flat(table, name) for name in key.columns]
        belongs = pc.or_(belongs, _hits(pc.binary_join_element_wise(*texts, "|"), key.kind, contains))
    emptied: dict[str, pa.Array] = {}
    for name in columns:
        if name in MENTIONS and (key is None or name not in key.columns):
            emptied[name] = _hits(_flat(table, name), MENTIONS[name], contains)
            belongs = pc.or_(belongs, pc.and_(emptied[name], pc.invert(has_account)))
    is_changed = False
    for name, hits in emptied.items():
        hits = pc.and_(hits, pc.invert(belongs))
        if pc.any(hits, min_count=1).as_py():
            is_changed = True
            # A column that must be filled says that it was.
            nothing = REPLACEMENT if name in entities()[entity].required else None
            cells = pc.if_else(hits, pa.scalar(nothing, pa.string()), _flat(table, name))
            table = table.set_column(table.column_names.index(name), table.schema.field(name), cells)
    erased = int(pc.sum(belongs).as_py() or 0)
    return Remaining(table.filter(pc.invert(belongs)) if erased else table, erased, is_changed)


def _flat(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks().cast(pa.string())


def _hits(values: pa.Array, kind: str, contains: Contains) -> pa.Array:
    """Tell for each identifier whether it was erased; of a respondent also by a token that stands among other words."""
    hits = pc.fill_null(contains(kind, values), False)
    if kind != "respondent":
        return hits
    others = values.filter(pc.invert(pc.match_substring_regex(values, f"^{TOKEN.pattern}$")))
    tokens = {text: TOKEN.findall(text) for text in pc.unique(others).to_pylist() if text is not None}
    distinct = sorted({token for found in tokens.values() for token in found})
    erased = set(pa.array(distinct, pa.string()).filter(contains(kind, pa.array(distinct, pa.string()))).to_pylist())
    named = [text for text, found in tokens.items() if not erased.isdisjoint(found)]
    return pc.or_(hits, pc.fill_null(pc.is_in(values, value_set=pa.array(named, pa.string())), False))
