"""What an engine says about a failure, without what it read: a cell can hold an address or a name."""

import re
from typing import Any

# What the engine calls the lack of it.
OUT_OF_MEMORY = "Out of Memory Error"
_LONGEST = 300
# Errors that come from the code name tables and columns; all others may quote the data.
_ABOUT_CODE = (
    "Catalog Error",
    "Binder Error",
    "Parser Error",
    "Compilation Error",
    "Contract Error",
    "Parsing Error",
    "Env var",
)
_KIND = re.compile(r"\b((?:[A-Z][a-z]+ )?(?:Error|Exception))\b")


def described_failure(message: Any) -> str:
    """Return the first telling line of an error. The contents of quoted cells are left out.

    Errors about code keep their words; of errors about data the part before any value is kept.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(message or "no message"))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    telling = next((line for line in lines if _KIND.search(line) and not line.startswith("Runtime Error")), None)
    line = telling or (lines[0] if lines else "no message")
    if lines and lines[0].startswith(("Compilation Error", "Parsing Error")):
        line = " ".join(lines)
    if not any(kind in line for kind in _ABOUT_CODE):
        line = _without_values(line)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _without_values(line: str) -> str:
    line = re.sub(r"\"[^\"]*\"|'[^']*'?", "…", line)
    line = re.sub(r"(?i)\b(key|value|string|row)\b ?:.*", r"\1 …", line)
    return re.sub(r"\S*[@＠]\S*", "…", line)
