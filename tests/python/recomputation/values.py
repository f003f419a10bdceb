"""Text of one cell to its value, or to the reason why it has none."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
BOTH_SEPARATORS_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
BOTH_SEPARATORS_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
TIMESTAMP = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|z|[+-]\d{2}:?\d{2})?)?"
    r"( day)?"
)
SCORE_OF = re.compile(r"(\S+?)\s*/\s*10")
SCORE_LABEL = re.compile(r"([^\s-]+)\s*[-–—:]\s*\D.*", re.DOTALL)
TRUE_WORDS = {"true", "t", "yes", "y", "1"}
FALSE_WORDS = {"false", "f", "no", "n", "0"}
FIRST_DATE = datetime(1980, 1, 1)
END_OF_DATES = datetime(2200, 1, 1)
LARGEST_NUMBER = Decimal(10) ** 16


@dataclass(frozen=True)
class Cell:
    """A typed value and, when the text does not mean one, the reason."""

    value: object
    reason: str | None = None


def clean(text: str | None) -> str | None:
    """Trim; empty text is NULL."""
    if text is None:
        return None
    return text.strip() or None


def parse_number(text: str) -> Decimal | None:
    """Read a number in any of the accepted notations; None when it is none of them."""
    digits = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
    digits = digits.replace("٫", ".").replace("٬", "").replace("−", "-").replace("–", "-")
    digits = digits.replace("\u00a0", "").replace("\u202f", "")
    sign = 1
    if re.fullmatch(r"\(.+\)", digits):
        digits, sign = digits[1:-1].strip(), -1
    elif re.fullmatch(r"[^-]+-", digits):
        digits, sign = digits[:-1].strip(), -1
    if BOTH_SEPARATORS_POINT.fullmatch(digits):
        digits = digits.replace(",", "")
    elif BOTH_SEPARATORS_COMMA.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    if not NUMBER.fullmatch(digits):
        return None
    return sign * Decimal(digits)


def parse_timestamp(text: str, timezone: ZoneInfo) -> datetime | None:
    """Read an instant as naive local time; None when the text is no instant.

    Only a timestamp with an offset (or an epoch number) is converted; everything else is local already.
    """
    match = TIMESTAMP.fullmatch(text)
    if match:
        year, month, day, hour, minute, second, fraction, offset, is_day = match.groups()
        microsecond = int((fraction or "0")[:6].ljust(6, "0"))
        try:
            instant = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                microsecond,
            )
        except ValueError:
            return None
        if not offset:
            return None if is_day else instant
        shift = timedelta(0)
        if offset not in ("Z", "z"):
            bare = offset[1:].replace(":", "")
            shift = timedelta(hours=int(bare[:2]), minutes=int(bare[2:]))
            shift = -shift if offset[0] == "-" else shift
        local = (instant - shift).replace(tzinfo=UTC).astimezone(timezone).replace(tzinfo=None)
        # Of some instants only the local day is meant.
        return local.replace(hour=0, minute=0, second=0, microsecond=0) if is_day else local
    epoch = datetime(1970, 1, 1)
    if re.fullmatch(r"\d{13}", text):
        moment = epoch + timedelta(milliseconds=int(text))
        return moment.replace(tzinfo=UTC).astimezone(timezone).replace(tzinfo=None)
    if re.fullmatch(r"\d{9,10}", text):
        moment = epoch + timedelta(seconds=int(text))
        return moment.replace(tzinfo=UTC).astimezone(timezone).replace(tzinfo=None)
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return datetime(1899, 12, 30) + timedelta(days=float(text))
    return None


def is_repaired(kind: str, text: str) -> bool:
    """True when a text that means a value of this kind is not how such a value is plainly written.

    Plain are numbers of ASCII digits with a point and no more decimals than are kept, whole scores without a label,
    and dates and times in ISO 8601.
    """
    if kind in ("timestamp", "date", "month"):
        return not (text.isascii() and TIMESTAMP.fullmatch(text))
    if kind not in ("money", "number", "rate", "fx_rate", "integer", "score"):
        return False
    whole, point, decimals = text.removeprefix("-").partition(".")
    kept = {"money": 4, "number": 4, "rate": 10, "fx_rate": 10}.get(kind, 0)
    is_plain = all(part.isascii() and part.isdigit() for part in ((whole, decimals) if point else (whole,)))
    return not is_plain or len(decimals) > kept


def parse_boolean(text: str) -> bool | None:
    """Read a truth value; None when the text is none."""
    word = text.lower()
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else None


def score_number(text: str) -> Decimal | None:
    """Read the number of a score: `9`, `9.0`, `9/10`, `9 - label`; scientific notation is none."""
    number = parse_number(text)
    if number is not None:
        return number if "e" not in text.lower() else None
    for pattern in (SCORE_OF, SCORE_LABEL):
        match = pattern.fullmatch(text)
        if match:
            return parse_number(match.group(1))
    return None


def judge_number(name: str, kind: str, text: str) -> Cell:
    """Judge a number, an amount of money, a rate, a whole number or a score."""
    number = score_number(text) if kind == "score" else parse_number(text)
    if number is None:
        return Cell(None, "score_not_whole" if kind == "score" else f"{name}_not_a_number")
    if abs(number) >= LARGEST_NUMBER or (kind == "rate" and number > 1):
        return Cell(None, f"{name}_out_of_range")
    if kind == "score":
        return Cell(int(number)) if number == int(number) else Cell(None, "score_not_whole")
    if kind == "integer":
        return Cell(int(number)) if number == int(number) else Cell(None, f"{name}_not_a_number")
    if kind == "money":
        number = number.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    elif kind in ("rate", "fx_rate"):
        number = number.quantize(Decimal("0.0000000001"), ROUND_HALF_UP)
    return Cell(number)


def judge_instant(name: str, kind: str, text: str, timezone: ZoneInfo, latest: datetime | None) -> Cell:
    """Judge an instant, a day or the first day of a month; `latest` bounds events."""
    instant = parse_timestamp(text, timezone)
    if instant is None:
        return Cell(None, f"{name}_not_a_date")
    if instant < FIRST_DATE or instant >= END_OF_DATES:
        return Cell(None, f"{name}_out_of_range")
    if latest is not None and instant > latest:
        return Cell(None, f"{name}_in_future")
    if kind == "timestamp":
        return Cell(instant)
    if kind == "month" and instant.day != 1:
        return Cell(None, f"{name}_not_first_of_month")
    return Cell(instant.date())


def is_empty(reason: str | None, text: str, empty_when: tuple[str, ...], timezone: ZoneInfo) -> bool:
    """True when a date that would be refused counts as none instead."""
    if reason is None or not empty_when:
        return False
    if reason.endswith("_not_a_date"):
        return "not_a_date" in empty_when
    instant = parse_timestamp(text, timezone)
    is_late = instant is not None and instant >= END_OF_DATES
    return "out_of_range" in empty_when or (is_late and "too_late" in empty_when)


def judge_cell(
    name: str,
    kind: str,
    text: str | None,
    *,
    is_required: bool,
    accepted: tuple[str, ...],
    timezone: ZoneInfo,
    latest: datetime | None,
    empty_when: tuple[str, ...] = (),
) -> Cell:
    """Judge one cell of a column `name` whose type in the contract is `kind`."""
    text = clean(text)
    if text is None:
        return Cell(None, f"{name}_missing" if is_required else None)
    if kind in ("money", "number", "rate", "fx_rate", "integer", "score"):
        return judge_number(name, kind, text)
    if kind in ("timestamp", "date", "month"):
        cell = judge_instant(name, kind, text, timezone, latest)
        return Cell(None) if is_empty(cell.reason, text, empty_when, timezone) else cell
    if kind == "boolean":
        truth = parse_boolean(text)
        return Cell(truth, None if truth is not None else f"{name}_not_a_boolean")
    if kind == "enum":
        word = text.lower()
        return Cell(word) if word in accepted else Cell(None, f"{name}_unknown_value")
    if kind == "currency":
        is_code = re.fullmatch(r"[A-Za-z]{3}", text)
        return Cell(text.upper()) if is_code else Cell(None, f"{name}_not_a_code")
    return Cell(text)
