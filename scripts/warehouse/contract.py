"""The input contract, read from the YAML files beside the seeds: entities, their columns, keys and types."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from warehouse.paths import PROJECT_DIR

CONTRACT_FILES = ("seeds/raw/_raw__seeds.yml", "seeds/reference/_reference__seeds.yml")


@dataclass(frozen=True)
class Column:
    """One canonical column of a raw entity; `type` is one of the types that the contract file explains.

    `empty_when`: a date that is so counts as none, instead of being a reason to refuse its row.
    """

    name: str
    type: str
    description: str
    is_required: bool = False
    is_event: bool = False
    values: tuple[str, ...] = ()
    empty_when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entity:
    """One raw entity. `seed` is the name of its seed, `key` the columns that identify a row."""

    name: str
    seed: str
    is_reference: bool
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The canonical column names in their canonical order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a file of this entity must have."""
        return tuple(column.name for column in self.columns if column.is_required)


@cache
def entities() -> dict[str, Entity]:
    """Return every entity of the contract by its name, raw entities first, then the reference entities."""
    found: dict[str, Entity] = {}
    for number, name in enumerate(CONTRACT_FILES):
        for seed in yaml.safe_load((PROJECT_DIR / name).read_text(encoding="utf-8"))["seeds"]:
            meta = seed["config"]["meta"]
            columns = tuple(
                Column(
                    name=column["name"],
                    type=column["config"]["meta"]["type"],
                    description=column["description"],
                    is_required=column["config"]["meta"].get("required", False),
                    is_event=column["config"]["meta"].get("event", False),
                    values=tuple(column["config"]["meta"].get("values", ())),
                    empty_when=tuple(column["config"]["meta"].get("empty_when", ())),
                )
                for column in seed["columns"]
            )
            found[meta["entity"]] = Entity(
                name=meta["entity"],
                seed=seed["name"],
                is_reference=number == 1,
                description=seed["description"],
                key=tuple(meta["key"]),
                columns=columns,
            )
    return found


def is_laid_out(folder: Path) -> bool:
    """Tell whether a folder of seeds is laid out like the project's own."""
    return (folder / "raw").is_dir() and (folder / "reference").is_dir()


def seed_file(folder: Path, entity: Entity) -> Path:
    """Return where the seed of an entity lies in a folder of seeds, whether there is one or not."""
    if is_laid_out(folder):
        folder = folder / ("reference" if entity.is_reference else "raw")
    return folder / f"{entity.seed}.csv"
