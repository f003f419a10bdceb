"""Calendar periods, half-open, as naive local midnights."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime

PERIOD_TYPES = ("month", "quarter", "year")
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """One calendar period; its end is looked at from `cut`: the end, or as_of when partial."""

    kind: str
    start: datetime
    end: datetime
    cut: datetime
    state: str

    def holds(self, instant: datetime) -> bool:
        """True when the instant lies inside the period (as far as as_of reaches)."""
        return self.start <= instant < self.cut


def midnight(day: date) -> datetime:
    """Return the local midnight at which a day begins."""
    return datetime(day.year, day.month, day.day)


def add_months(instant: datetime, months: int) -> datetime:
    """Move by calendar months; a day that the month lacks becomes its last day."""
    index = instant.year * 12 + instant.month - 1 + months
    year, month = divmod(index, 12)
    day = min(instant.day, monthrange(year, month + 1)[1])
    return instant.replace(year=year, month=month + 1, day=day)


def period_start(instant: datetime, kind: str) -> datetime:
    """Return the start of the month, quarter or year that holds the instant."""
    months = MONTHS[kind]
    month = (instant.month - 1) // months * months + 1
    return datetime(instant.year, month, 1)


def periods(first: datetime, as_of: datetime, kind: str) -> list[Period]:
    """Return every period from the one that holds `first` up to as_of; future periods do not exist."""
    found = []
    start = period_start(first, kind)
    while start < as_of:
        end = add_months(start, MONTHS[kind])
        state = "complete" if end <= as_of else "partial"
        found.append(Period(kind, start, end, min(end, as_of), state))
        start = end
    return found


def whole_periods_between(first: datetime, later: datetime, kind: str) -> int:
    """Count the whole calendar periods between the periods of two instants."""
    one, two = period_start(first, kind), period_start(later, kind)
    return ((two.year - one.year) * 12 + two.month - one.month) // MONTHS[kind]
