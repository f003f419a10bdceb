"""What the user asked of a call, and what became of its files."""

import datetime
import json
from dataclasses import dataclass, field

from warehouse.landing.mapping import Mapping


@dataclass(frozen=True)
class Options:
    """What the user said about the files of a call. `exported_at` is UTC without offset."""

    mapping: Mapping | None = None
    entity: str | None = None
    is_full: bool = False
    exported_at: datetime.datetime | None = None
    accepts_drop: bool = False


@dataclass
class FileResult:
    """What became of one file (and entity): the line that the user sees."""

    file: str
    entity: str | None
    verdict: str
    reason: str | None = None
    rows_in: int = 0
    rows_landed: int = 0
    rows_quarantined: int = 0
    repairs: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The outcome of a call. `load_id` None: nothing was landed. `reasons` counts rows of bad structure."""

    load_id: str | None
    files: list[FileResult]
    skipped: list[tuple[str, str]]
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def has_rejected(self) -> bool:
        """Tell whether any file was rejected."""
        return any(result.verdict == "rejected" for result in self.files)

    def as_json(self) -> str:
        """Return the report as the one JSON object of `--json`."""
        document = {
            "load_id": self.load_id,
            "files": [vars(result) for result in self.files],
            "skipped": [{"file": name, "reason": reason} for name, reason in self.skipped],
        }
        return json.dumps(document, ensure_ascii=False)
