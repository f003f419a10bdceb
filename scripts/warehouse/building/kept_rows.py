"""The typed rows of earlier builds: a later build types only the rows of the loads that came since.

What is kept is the private database of the last build that passed its audit. Its tables of rows (`int_rows__*`) hold
rows and what became of them, nothing that depends on as_of. A build takes the database away, so that whatever stops it
midway leaves nothing half done behind: the next build then types everything again.
"""

import datetime
import hashlib
import json
import os
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.building.folders import RunFolder
from warehouse.building.inputs import LANDED, Inputs
from warehouse.contract import CONTRACT_FILES, entities, seed_file
from warehouse.files import read_json, remove, write_json
from warehouse.landing.zone import DELETIONS, EMPTY_FILE, delivered_at
from warehouse.paths import PROJECT_DIR, WarehousePaths, seeds_folder

# The code that the rows depend on: folders and files. Deals hold their stages as the reference tells them.
_FOLDERS = ("macros", "models/staging", "models/intermediate/rows")
_FILES = ("models/intermediate/deals/int_stages.sql", "dbt_project.yml", "requirements/main.txt", *CONTRACT_FILES)
_VARIABLE = re.compile(r"""var\(\s*["'](\w+)["']""")
# These give the same rows wherever they point.
_PLACES = {"landing_zone", "keeps_rows"}
# Rows that hold a rate of exchange, or its day, as these references tell it.
_DEPEND_ON = {
    "fx_rates": ("orders", "deals", "subscription_periods", "sales_targets", "marketing_spend"),
    "deal_stages": ("deals",),
}
_TABLES = {"accounts": "int_account_versions", "survey_responses": "int_survey_response_versions"}


@dataclass(frozen=True)
class Reuse:
    """What a build takes over. `new_loads` are counted; `typed_again` are the entities it cannot take over."""

    kept_loads: int
    new_loads: int
    typed_again: tuple[str, ...]

    def sentence(self) -> str:
        """Return what is reused, for the user."""
        again = f"; typing {', '.join(self.typed_again)} again" if self.typed_again else ""
        return f"the rows of {self.kept_loads} earlier loads are kept, {self.new_loads} loads are new{again}"


def table_of_rows(entity: str) -> str:
    """Return the table that says what became of the rows of an entity, before other entities were asked about them."""
    return _TABLES.get(entity, f"int_rows__{entity}")


def take_kept_rows(paths: WarehousePaths, run: RunFolder, inputs: Inputs, variables: Mapping[str, Any]) -> Reuse | None:
    """Move the kept database into the folder of the run, if it holds just what this build would make of these loads.

    Returns None, and removes what is kept, when everything has to be typed again.
    """
    folder = _folder(paths)
    record = read_json(folder / "kept.json")
    database = folder / "build.duckdb"
    if record is None or not database.exists():
        return None
    again = None
    if record["fingerprint"] == _fingerprint(variables) and record["erased"] == _erased(paths):
        kept_loads, loads = ([_load(row) for row in rows] for rows in (record["loads"], inputs.loads))
        again = entities_to_type_again(kept_loads, loads, _deleting_loads(paths))
    if again is not None and _prepared(database, again):
        database.replace(run.build_file)
        kept = {row["load_id"] for row in record["loads"]}
        reuse = Reuse(len(kept), len({row["load_id"] for row in inputs.loads} - kept), again)
    else:
        reuse = None
    remove(folder)
    return reuse


def keep_rows(paths: WarehousePaths, run: RunFolder, inputs: Inputs, variables: Mapping[str, Any]) -> None:
    """Keep the database of an audited build of landed files for the next one."""
    folder = _folder(paths)
    remove(folder)
    if inputs.kind != LANDED or not run.build_file.exists():
        return
    folder.mkdir(parents=True)
    run.build_file.replace(folder / "build.duckdb")
    loads = [{**load, **{name: str(load[name]) for name in _TIMES}} for load in map(_load, inputs.loads)]
    write_json(
        folder / "kept.json",
        {"fingerprint": _fingerprint(variables), "erased": _erased(paths), "loads": loads},
    )


def entities_to_type_again(
    kept: Iterable[Mapping[str, Any]],
    current: Iterable[Mapping[str, Any]],
    deleting_loads: Container[str] = frozenset(),
) -> tuple[str, ...] | None:
    """Return the entities whose kept rows cannot simply be added to, or None when no rows can be kept at all.

    Both are rows of the load registry. New loads add to an entity when they are later than all that is kept of it;
    a full delivery deletes, an older one lands between, and a new reference changes rates that rows hold. The first
    delivery of a reference takes the place of the seed, whose rows are kept. Where one of `deleting_loads` has rows
    that delete keys, what another source says of such a key, and was replaced, counts again.
    """
    known = {_address(load): load for load in kept}
    now = {_address(load): load for load in current}
    if any(now.get(address) != load for address, load in known.items()):
        return None
    last_known = max((load["load_sequence"] for load in known.values()), default=0)
    new = [load for address, load in now.items() if address not in known]
    if any(load["load_sequence"] <= last_known for load in new):
        return None
    again: set[str] = set()
    for load in new:
        earlier = [delivered_at(other, known.values()) for other in known.values() if other["entity"] == load["entity"]]
        replaces_seed = not earlier and entities()[load["entity"]].is_reference
        sources = {other["source"] for other in now.values() if other["entity"] == load["entity"]}
        if load["load_id"] in deleting_loads and len(sources) > 1:
            again.add(load["entity"])
        if replaces_seed or load["is_full"] or (earlier and delivered_at(load, now.values()) < max(earlier)):
            again.add(load["entity"])
        again.update(_DEPEND_ON.get(load["entity"], ()))
    return tuple(sorted(again))


def _deleting_loads(paths: WarehousePaths) -> frozenset[str]:
    """Return the loads with rows that say that a key was deleted."""
    files = (paths.landing / DELETIONS).glob("*.parquet")
    return frozenset(path.stem.rpartition("-")[0] for path in files if path.name != EMPTY_FILE)


_TIMES = ("exported_at", "landed_at")
_COMPARED = ("load_id", "entity", "source", "file", "file_sha256", "rows_in", "is_full", *_TIMES, "load_sequence")


def _load(row: Mapping[str, Any]) -> dict[str, Any]:
    load = {name: row[name] for name in _COMPARED}
    for name in _TIMES:
        if isinstance(load[name], str):
            load[name] = None if load[name] == "None" else datetime.datetime.fromisoformat(load[name])
    return load


def _address(load: Mapping[str, Any]) -> tuple[str, str, str]:
    return load["load_id"], load["entity"], load["file"]


def _folder(paths: WarehousePaths) -> Path:
    return paths.builds / "kept_rows"


def _prepared(database: Path, again: tuple[str, ...]) -> bool:
    """Drop the tables that have to be built again; tell whether the database could be read at all."""
    try:
        with duckdb.connect(str(database)) as connection:
            for entity in again:
                connection.execute(f'drop table if exists intermediate."{table_of_rows(entity)}"')
    except duckdb.Error:
        return False
    return True


def code_files() -> list[Path]:
    """Return the files that the rows depend on, beside what is landed: code, settings, seeds of references."""
    files = [PROJECT_DIR / name for name in _FILES]
    for folder in _FOLDERS:
        files += sorted((PROJECT_DIR / folder).rglob("*"))
    files += sorted(seeds_folder().rglob("*.yml"))
    files += [seed_file(seeds_folder(), entity) for entity in entities().values() if entity.is_reference]
    return [path for path in files if path.is_file()]


def _fingerprint(variables: Mapping[str, Any]) -> str:
    """Return a hash of the code that makes the rows, and of those variables that it reads."""
    code = hashlib.sha256()
    read: set[str] = set()
    for path in code_files():
        text = path.read_bytes()
        code.update(os.path.relpath(path, PROJECT_DIR).encode() + b"\0" + text + b"\0")
        if path.suffix == ".sql":
            read.update(_VARIABLE.findall(text.decode()))
    settings = {name: variables[name] for name in sorted(variables) if name in read - _PLACES}
    code.update(json.dumps([settings, _COMPARED], default=str).encode())
    return code.hexdigest()


def _erased(paths: WarehousePaths) -> list[str]:
    return sorted(path.name for path in (paths.landing / "_erased").glob("*.parquet"))
