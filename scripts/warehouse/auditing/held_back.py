"""Whether the marts of personal data are empty as long as nobody allowed them."""

from collections.abc import Collection

from warehouse.auditing.findings import FAILED, PASSED, Finding

VARIABLE = "published_personal_data"


def check_held_back(rows: dict[str, int], held_back: Collection[str]) -> list[Finding]:
    """Return findings on the rows of the marts that the variable does not allow."""
    findings = [
        Finding("personal data held back", name, FAILED, f"{rows[name]:,} rows that {VARIABLE} does not allow")
        for name in sorted(held_back)
        if rows.get(name)
    ]
    if findings:
        return findings
    details = f"empty: {', '.join(sorted(held_back))}" if held_back else f"{VARIABLE} allows every kind"
    return [Finding("personal data held back", "marts of personal data", PASSED, details)]
