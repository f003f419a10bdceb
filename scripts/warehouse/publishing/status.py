"""What is published, since when and from what; which versions are kept; whether the file is whole."""

from typing import Any

from warehouse.files import read_json
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import live_version, published_state, read_mart_run
from warehouse.publishing.versions import AUDIT, Version, kept_versions, read_stack


def status_document(paths: WarehousePaths) -> dict[str, Any]:
    """Return the status as one record; `state` is `nothing`, `live` or `damaged`. Changes nothing."""
    state = published_state(paths)
    version = live_version(paths)
    stack = read_stack(paths, version.run_id if version else None)
    entry = stack[-1] if stack and version and stack[-1]["run_id"] == version.run_id else {}
    return {
        "state": state,
        "file": str(paths.published_file),
        "published_at": entry.get("rolled_back_at") or entry.get("published_at"),
        "is_rolled_back": "rolled_back_at" in entry,
        "run": _described(version) if version else _unkept(paths),
        "versions": [
            {
                **_described(kept),
                "is_live": version is not None and kept.run_id == version.run_id,
                "was_published": any(kept.run_id == past["run_id"] for past in stack),
            }
            for kept in reversed(kept_versions(paths).values())
        ],
    }


def _described(version: Version) -> dict[str, Any]:
    record = version.record
    names = (
        "run_id", "as_of", "inactivity_days", "audited_at", "input_kind", "loads", "variables",
        "accepted_change", "bytes", "unmapped_stages",
    )  # fmt: skip
    return {name: record[name] for name in names} | {
        "marts": {name: mart["rows"] for name, mart in record["marts"].items()}
    }


def _unkept(paths: WarehousePaths) -> dict[str, Any] | None:
    row = read_mart_run(paths.published_file)
    return None if row is None else {name: None if value is None else str(value) for name, value in row.items()}


def findings_of(version: Version) -> list[dict[str, str]]:
    """Return the audit findings stored with a version."""
    found = read_json(version.folder / AUDIT)
    return found if isinstance(found, list) else []
