"""Kept versions of the warehouse and which of them is live.

    versions/<run id>/warehouse.duckdb   the compact, read-only copy of the audited marts
    versions/<run id>/run.json           what was built from which inputs, and the fingerprint of every mart
    versions/<run id>/audit.json         the findings of the audit
    versions/published.json              the publications in order, the live one last

A version appears as a whole by a rename. What is live is decided by the published file alone. `published.json` is
written before the file is swapped in; an entry whose swap did not happen is dropped at the next look.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.files import PARTIAL, flush_file, flush_folder, read_json, remove, write_json
from warehouse.paths import WarehousePaths

KEPT_VERSIONS = 5
FILE, RECORD, AUDIT = "warehouse.duckdb", "run.json", "audit.json"
_ASIDE = f".aside{PARTIAL}"


def versions_folder(paths: WarehousePaths) -> Path:
    """Return the folder of the kept versions."""
    return paths.root / "versions"


@dataclass(frozen=True)
class Version:
    """One kept version and its record."""

    folder: Path
    record: dict[str, Any]

    @property
    def run_id(self) -> str:
        """The run that built it."""
        return self.folder.name

    @property
    def file(self) -> Path:
        """Its compact database."""
        return self.folder / FILE


def kept_versions(paths: WarehousePaths) -> dict[str, Version]:
    """Return the kept versions by run id, in the order in which they were built."""
    found = []
    for folder in versions_folder(paths).glob("[!.]*"):
        record = read_json(folder / RECORD)
        # A version without a readable record is none.
        if isinstance(record, dict) and isinstance(record.get("sequence"), int) and (folder / FILE).exists():
            found.append(Version(folder, record))
    found.sort(key=lambda version: (version.record["sequence"], version.run_id))
    return {version.run_id: version for version in found}


def next_sequence(paths: WarehousePaths) -> int:
    """Return the number of the next version. Versions are ordered by it: a clock may jump."""
    return 1 + max((version.record["sequence"] for version in kept_versions(paths).values()), default=0)


def new_version_folder(paths: WarehousePaths, run_id: str) -> Path:
    """Create and return the private folder in which a version is prepared."""
    folder = versions_folder(paths) / f".{run_id}{PARTIAL}"
    remove(folder)
    folder.mkdir(parents=True)
    return folder


def keep_version(paths: WarehousePaths, prepared: Path, run_id: str, record: dict[str, Any], findings: Any) -> Version:
    """Make a prepared folder (with its database) a kept version and return it."""
    write_json(prepared / RECORD, record)
    write_json(prepared / AUDIT, findings)
    flush_file(prepared / FILE)
    flush_folder(prepared)
    folder = versions_folder(paths) / run_id
    prepared.rename(folder)
    flush_folder(folder.parent)
    return Version(folder, record)


def replace_version(
    paths: WarehousePaths, version: Version, prepared: Path, record: dict[str, Any], findings: Any
) -> Version:
    """Put a prepared folder in the place of a kept version; killed midway, `bring_back_versions` undoes it."""
    aside = version.folder.with_name(f".{version.run_id}{_ASIDE}")
    version.folder.rename(aside)
    kept = keep_version(paths, prepared, version.run_id, record, findings)
    remove(aside)
    return kept


def bring_back_versions(paths: WarehousePaths) -> None:
    """Bring back versions that were set aside for a rewritten one which never came."""
    for aside in versions_folder(paths).glob(f".*{_ASIDE}"):
        folder = aside.with_name(aside.name.removeprefix(".").removesuffix(_ASIDE))
        if folder.exists():
            remove(aside)
        else:
            aside.rename(folder)


# ---------------------------------------------------------------- the order of publications


def _stack_file(paths: WarehousePaths) -> Path:
    return versions_folder(paths) / "published.json"


def read_stack(paths: WarehousePaths, live_run_id: str | None) -> list[dict[str, Any]]:
    """Return the publications in order, the live one last. Entries whose swap never happened are left out."""
    stack = read_json(_stack_file(paths))
    entries = (
        [entry for entry in stack if isinstance(entry, dict) and "run_id" in entry] if isinstance(stack, list) else []
    )
    if live_run_id is None:
        return entries
    last = max((number for number, entry in enumerate(entries) if entry["run_id"] == live_run_id), default=None)
    if last is None:
        return [{"run_id": live_run_id, "published_at": None}]
    return entries[: last + 1]


def write_stack(paths: WarehousePaths, entries: list[dict[str, Any]]) -> None:
    """Replace the list of publications."""
    write_json(_stack_file(paths), entries)


def drop_old_versions(paths: WarehousePaths, stack: list[dict[str, Any]], keep: int = KEPT_VERSIONS) -> list[str]:
    """Remove all but the last `keep` published versions and the newest `keep` others; return what went."""
    versions = kept_versions(paths)
    published = list(dict.fromkeys(entry["run_id"] for entry in reversed(stack)))[:keep]
    others = [run_id for run_id in reversed(versions) if run_id not in {entry["run_id"] for entry in stack}][:keep]
    dropped = [run_id for run_id in versions if run_id not in {*published, *others}]
    for run_id in dropped:
        # Out of sight by one rename: a version is never half there.
        hidden = versions_folder(paths) / f".{run_id}{PARTIAL}"
        versions[run_id].folder.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)
    return dropped
