"""nps (metric page §13)."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import sqrt
from typing import Any

from recomputation.company import Company, Invitation, Response
from recomputation.numbers import NORMAL_QUANTILE
from recomputation.periods import PERIOD_TYPES, periods

Rows = list[dict[str, Any]]
NPS_DIMENSIONS = ("segment", "country")
SCORED = (
    "promoters",
    "passives",
    "detractors",
    "nps",
    "std_error",
    "ci_low",
    "ci_high",
    "change",
    "change_z",
    "is_change_significant",
)


def answers(responses: list[Response]) -> list[Response]:
    """Keep one answer per respondent (else account; neither: each counts): the latest scored one."""
    chosen: dict[tuple[str, str | None], Response] = {}
    for one in sorted(responses, key=lambda one: (one.at, one.response_id)):
        if one.score is None:
            continue
        if one.respondent_id is not None:
            key = ("respondent", one.respondent_id)
        elif one.customer is not None:
            key = ("account", one.customer)
        else:
            key = ("response", one.response_id)
        chosen[key] = one
    return list(chosen.values())


def score_counts(kept: list[Response]) -> tuple[int, int, int]:
    """Return (promoters, passives, detractors)."""
    scores = [one.score for one in kept if one.score is not None]
    promoters = sum(1 for score in scores if score >= 9)
    detractors = sum(1 for score in scores if score <= 6)
    return promoters, len(scores) - promoters - detractors, detractors


def score(promoters: int, passives: int, detractors: int) -> dict[str, Any]:
    """Return NPS, its standard error and its adjusted Wald interval, in points."""
    n = promoters + passives + detractors
    p, d = Fraction(promoters, n), Fraction(detractors, n)
    adjusted_p = Fraction(promoters + Fraction(3, 4)) / (n + 3)
    adjusted_d = Fraction(detractors + Fraction(3, 4)) / (n + 3)
    centre = 100 * float(adjusted_p - adjusted_d)
    spread = NORMAL_QUANTILE * 100 * sqrt((adjusted_p + adjusted_d - (adjusted_p - adjusted_d) ** 2) / (n + 3))
    return {
        "nps": float(100 * (p - d)),
        "std_error": 100 * sqrt((p + d - (p - d) ** 2) / n),
        "ci_low": max(-100.0, centre - spread),
        "ci_high": min(100.0, centre + spread),
    }


def sample_state(survey_type: str, n: int) -> str:
    """Return suppressed, indicative or ok."""
    if n < (5 if survey_type == "enps" else 10):
        return "suppressed"
    return "indicative" if n < 30 else "ok"


def is_answered(invitation: Invitation, responses: list[Response]) -> bool:
    """True when the same respondent answered the same survey within 30 × 24 hours."""
    return any(
        one.respondent_id == invitation.respondent_id
        and one.survey_id == invitation.survey_id
        and invitation.sent_at <= one.at <= invitation.sent_at + timedelta(hours=30 * 24)
        for one in responses
    )


class Series:
    """One survey type on one scale."""

    def __init__(self, company: Company, survey_type: str, scale: str) -> None:
        """Collect the series and its dimension values."""
        self.company, self.survey_type, self.scale = company, survey_type, scale
        self.responses = company.responses.get((survey_type, scale), [])
        self.invitations = company.invitations.get((survey_type, scale), [])
        customers = [one.customer for one in self.responses] + [one.customer for one in self.invitations]
        self.values = {("all", "all")} | {
            (name, company.dimension_of(customer, name)) for customer in customers for name in NPS_DIMENSIONS
        }
        self.first = min([one.at for one in self.responses] + [one.sent_at for one in self.invitations], default=None)

    def under(self, value: tuple[str, str], customer: str | None) -> bool:
        """True when a customer counts under a dimension value."""
        return value[0] == "all" or self.company.dimension_of(customer, value[0]) == value[1]

    def measure(self, responses: list[Response], invitations: list[Invitation]) -> dict[tuple[str, str], Any]:
        """Return the measures of a window for every dimension value."""
        kept = answers(responses)
        delivered = [one for one in invitations if one.is_delivered]
        return {value: self._row(value, kept, delivered) for value in self.values}

    def _row(self, value: tuple[str, str], kept: list[Response], delivered: list[Invitation]) -> dict[str, Any]:
        promoters, passives, detractors = score_counts([one for one in kept if self.under(value, one.customer)])
        n = promoters + passives + detractors
        invited = [one for one in delivered if self.under(value, one.customer)]
        answered = sum(1 for one in invited if is_answered(one, self.responses))
        state = sample_state(self.survey_type, n)
        row: dict[str, Any] = {
            **dict.fromkeys(SCORED),
            "responses": n,
            "sample_state": state,
            "invited": len(invited) if self.invitations else None,
            "answered": answered if self.invitations else None,
            "response_rate": float(Fraction(answered, len(invited))) if invited else None,
        }
        if state != "suppressed":
            row.update(promoters=promoters, passives=passives, detractors=detractors)
            row.update(score(promoters, passives, detractors))
        return row

    def window(self, since: datetime, until: datetime) -> dict[tuple[str, str], Any]:
        """Measure the half-open window."""
        return self.measure(
            [one for one in self.responses if since <= one.at < until],
            [one for one in self.invitations if since <= one.sent_at < until],
        )

    def rows(self) -> Rows:
        """Return every row of the series."""
        found: Rows = []
        if self.first is None:
            return found
        for kind in PERIOD_TYPES:
            before = None
            for period in periods(self.first, self.company.now, kind):
                here = self.window(period.start, period.cut)
                found += self._emit(kind, period.start, "", here, before)
                before = here
        for period in periods(self.first, self.company.now, "month"):
            since = period.cut - timedelta(days=90)
            here = self.window(since, period.cut)
            before = self.window(since - timedelta(days=90), since)
            found += self._emit("rolling_90d", period.cut, "", here, before)
        surveys = {one.survey_id for one in self.responses} | {one.survey_id for one in self.invitations}
        for survey_id in sorted(surveys):
            responses = [one for one in self.responses if one.survey_id == survey_id]
            invitations = [one for one in self.invitations if one.survey_id == survey_id]
            dated = [one.sent_at for one in invitations] or [one.at for one in responses]
            found += self._emit("wave", min(dated), survey_id, self.measure(responses, invitations), None)
        return found

    def _emit(
        self,
        kind: str,
        start: datetime,
        wave: str,
        here: dict[tuple[str, str], Any],
        before: dict[tuple[str, str], Any] | None,
    ) -> Rows:
        rows = []
        for value, measured in here.items():
            row = {
                "survey_type": self.survey_type,
                "scale": self.scale,
                "period_type": kind,
                "period_start": start.date(),
                "wave": wave,
                "dimension": value[0],
                "dimension_value": value[1],
                **measured,
            }
            if before is not None:
                compare_with(row, before[value])
            rows.append(row)
        return rows


def compare_with(row: dict[str, Any], before: dict[str, Any]) -> None:
    """Fill in the change against the window before, where both have a score."""
    if row["nps"] is None or before["nps"] is None:
        return
    row["change"] = row["nps"] - before["nps"]
    spread = sqrt(row["std_error"] ** 2 + before["std_error"] ** 2)
    if spread > 0:
        row["change_z"] = row["change"] / spread
        row["is_change_significant"] = abs(row["change_z"]) > NORMAL_QUANTILE


def nps(company: Company) -> Rows:
    """One row per series, window, wave and dimension value."""
    rows = []
    for survey_type, scale in sorted({*company.responses, *company.invitations}):
        rows += Series(company, survey_type, scale).rows()
    return rows
