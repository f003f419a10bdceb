"""The findings of an audit: one row per thing that was checked, readable as a table."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PASSED, FAILED, ACCEPTED, NOTED = "passed", "failed", "accepted", "noted"


@dataclass(frozen=True)
class Finding:
    """One finding: the check, what it looked at, its verdict and the numbers in words.

    `accepted` is a failure that the user overruled, `noted` something to know that fails nothing. `details`
    never holds names, addresses or comments of customers.
    """

    check: str
    subject: str
    verdict: str
    details: str

    def sentence(self) -> str:
        """Return the finding as one line."""
        return f"{self.check} ({self.subject}): {self.details}"


def failed(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that forbid to publish."""
    return [finding for finding in findings if finding.verdict == FAILED]


def as_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return the findings as plain records."""
    return [asdict(finding) for finding in findings]


def write_table(findings: Iterable[Finding], path: Path) -> None:
    """Write the findings as a Parquet table with the columns of Finding."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in ("check", "subject", "verdict", "details")])
    pq.write_table(pa.Table.from_pylist(as_rows(findings), schema), path, compression="zstd")
