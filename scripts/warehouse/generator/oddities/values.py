"""Values that staging must quarantine or repair, for every type and every judged column of the contract.

The rows carry what they are for in their id: `O-bad-amount-03` has an unreadable value in `amount`.
Every value of a type occurs at least once and every column of that type has at least one; the principal
columns get them all.
"""

from datetime import date

from warehouse.contract import Column, Entity, entities
from warehouse.generator.company import seconds_of
from warehouse.generator.oddities.rows import account, as_of, deal, month_start
from warehouse.generator.reference import Row
from warehouse.generator.sample import Sample

_NUMBERS = (
    "N/A",
    "#DIV/0!",
    "NaN",
    "1e40",
    "inf",
    "12abc",
    "1_000",
    "0x1F",
    "-",
    "12,34,56",
    "1,234",
    "1.2.3",
    "$",
    "--5",
    "null island",
)
_INSTANTS = (
    "soon",
    "{year}-02-30",
    "{common_year}-02-29",
    "{year}-13-01",
    "1900-01-01",
    "1970-01-01",
    "1970-01-01 00:00:00",
    "0000-00-00",
    "2199-12-31",
    "infinity",
    "-infinity",
    "{year}-06-30 23:59:60",
    "{year}-03-15 25:00:00",
    "{year}-03-15 24:00:00",
    "03/04/{year}",
    "{year}-03-15T10:00:00+99:00",
    "NaN",
    "N/A",
    "#VALUE!",
    "99999999999999999",
)
UNREADABLE: dict[str, tuple[str, ...]] = {
    "money": _NUMBERS,
    "number": ("two", "1e40", "NaN", "#REF!"),
    "integer": ("1.5", "ten", "1e40", "99999999999"),
    "rate": ("1.5", "140", "high", "NaN"),
    "score": ("8.5", "99", "-1", "11", "★★★★", "ten", "NaN", "9/5", "9-10", "1e1000", "N/A", "٩٫٥"),
    "timestamp": _INSTANTS,
    "month": (
        "{year}-03-15",
        "{year}-02-30",
        "March {year}",
        "{year}-13-01",
        "1900-01-01",
        "infinity",
        "NaN",
    ),
    "currency": ("EURO", "US$", "12", "US", "$"),
    "boolean": ("maybe", "2", "ja?", "NaN"),
    "enum": ("fax", "?", "unknown"),
}
# Values that every column of the type gets, one for each reason that the type can have.
EVERYWHERE: dict[str, tuple[str, ...]] = {
    "money": ("N/A", "1e40"),
    "number": ("two", "1e40"),
    "integer": ("ten",),
    "rate": ("high", "1.5"),
    "score": ("8.5",),
    "timestamp": ("soon", "1900-01-01"),
    "month": ("March {year}", "1900-01-01", "{year}-03-15"),
    "currency": ("EURO",),
    "boolean": ("maybe",),
    "enum": ("fax",),
}
# Years after as_of: no event can be there.
FUTURE = "{future_year}-01-01"
# Values that have one sensible reading, which staging need not know: it may repair or refuse them.
DEBATABLE: dict[str, tuple[str, ...]] = {
    "money": ("1'234.50", "١٬٢٣٤٫٥", "(1.234,50)", "$12.00", "12 USD"),
    "timestamp": ("{serial}.5", "{day} 24:00:00", "{day}T23:30:00-0500", "{arabic_day}T10:00:00Z"),
    "rate": ("40%", "-0.2"),
    "score": ("9/10 - likely",),
}
# What an unreadable cell of a required column can look like when it is empty.
BLANKS = (None, "   ", "\u00a0")
# Columns that get every value of their type.
PRINCIPAL = (
    ("orders", "amount"),
    ("orders", "ordered_at"),
    ("survey_responses", "score"),
    ("survey_responses", "responded_at"),
)

REPAIRABLE: dict[str, tuple[str, ...]] = {
    "money": (
        "1,234.50",
        "1.234,50",
        "1234,56",
        "1\u00a0234,50",
        "1 234.80",
        "٣٤٥٫٥٠",
        "۱۲۳",
        "１２３",
        "1.5e2",
        "  99.90 ",
        "\u00a088.00\u00a0",
        "+50.00",
        "12.345678",
        ".5",
        "7.",
        "007.50",
    ),
    "number": ("3.0", "٣", " 2 "),
    "integer": ("1.0", "١", " 0 "),
    "rate": ("0,4", "٠٫٤", " 0.35 ", "4e-1"),
    "timestamp": (
        "{day}T10:20:30Z",
        "{day}T23:30:00+03:00",
        "{day}T23:30:00-05:00",
        "{day} 9:05",
        "{day} 10:20:30.123456",
        "{day}",
        "{serial}",
        "{unix}",
        "{unix}000",
        "{arabic_day}",
        "\u00a0{day} 10:00:00 ",
        "{day}T10:20:30.123Z",
    ),
    "month": ("{month} 00:00:00", "{month}T00:00:00Z", " {month} ", "{arabic_month}", "{month_serial}"),
    "currency": ("usd", " EUR ", "Gbp", "\u00a0ILS"),
    "boolean": ("FALSE", "0", "no", "False", " f ", "N"),
    "enum": (" {value} ", "{upper}", "{title}"),
    "id": (" {value} ", "\u00a0{value}"),
}
# Signs as ledgers write them; only orders may be negative without further meaning.
SIGNED_AMOUNTS = ("(120.00)", "45.00-", "−45.00", "-1,234.50", "‎-12.00")

_PREFIXES = {
    "accounts": "A",
    "contacts": "C",
    "leads": "L",
    "deals": "D",
    "orders": "O",
    "subscription_periods": "S",
    "products": "P",
    "activities": "T",
    "support_tickets": "K",
    "sales_reps": "R",
    "surveys": "survey",
    "survey_invitations": "V",
    "survey_responses": "Q",
}
_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_HOLDER, _DEAL = "A-values", "D-values"


def _filled(sample: Sample, value: str, cell: str) -> str:
    """Return the value with its placeholders filled.

    Days of the year before as_of, the ordinary cell of the row.
    """
    year = sample.company.as_of.year - 1
    common_year = year if year % 4 else year - 1
    day = date.fromisoformat(sample.day(9, 17))
    month = date.fromisoformat(month_start(sample, 33))
    epoch = date(1899, 12, 30)
    fillings: dict[str, str] = {
        "year": str(year),
        "common_year": str(common_year),
        "future_year": str(year + 13),
        "day": day.isoformat(),
        "serial": str((day - epoch).days),
        "unix": str(seconds_of(day) + 37_230),
        "arabic_day": day.isoformat().translate(_DIGITS),
        "month": month.isoformat(),
        "arabic_month": month.isoformat().translate(_DIGITS),
        "month_serial": str((month - epoch).days),
        "value": cell,
        "upper": cell.upper(),
        "title": cell.title(),
    }
    return value.format(**fillings)


def _ordinary(sample: Sample, entity: Entity, name: str, number: int) -> Row:
    """Return a good row of the entity whose key is its own.

    `name` where it can be, else the `number`-th minute or month.
    """
    minute = f"{sample.day(8, 1 + number % 28)} {8 + number // 600:02d}:{number % 60:02d}:{number % 59:02d}"
    month = month_start(sample, 35 - number % 36)
    prefix = _PREFIXES.get(entity.name, "")
    key = f"{prefix}-{name}"
    rows: dict[str, Row] = {
        "accounts": {"account_id": key, "account_name": name, "created_at": minute, "is_test": "false"},
        "contacts": {
            "contact_id": key,
            "account_id": _HOLDER,
            "full_name": "Robin Quill",
            "created_at": minute,
        },
        "leads": {"lead_id": key, "created_at": minute, "source": "event", "status": "new"},
        "deals": {
            "deal_id": key,
            "account_id": _HOLDER,
            "stage": "lost",
            "lost_reason": "no budget",
            "created_at": f"{sample.day(10, 2)} 08:00:00",
            "closed_at": minute,
            "amount": "800.00",
            "currency": "USD",
            "deal_type": "upsell",
            "owner_id": "R0002",
            "product_id": "P002",
        },
        "deal_stage_history": {
            "deal_id": _DEAL,
            "stage": "prospecting",
            "entered_at": minute,
            "changed_by": "R0002",
        },
        "orders": {
            "order_id": key,
            "account_id": _HOLDER,
            "ordered_at": minute,
            "amount": "20.00",
            "currency": "USD",
            "product_id": "P002",
            "quantity": "1",
            "margin": "0.5",
        },
        "subscription_periods": {
            "subscription_id": key,
            "account_id": _HOLDER,
            "started_at": sample.day(12, 4),
            "ended_at": sample.day(1, 4),
            "mrr": "15.00",
            "currency": "USD",
            "plan": "starter",
            "product_id": "P001",
            "cancel_requested_at": f"{sample.day(2, 4)} 08:00:00",
        },
        "products": {
            "product_id": key,
            "product_name": name,
            "product_line": "Services",
            "unit_price": "10.00",
            "gross_margin_rate": "0.5",
        },
        "activities": {
            "activity_id": key,
            "account_id": _HOLDER,
            "activity_type": "call",
            "occurred_at": minute,
            "owner_id": "R0002",
        },
        "email_preferences": {"account_id": _HOLDER, "action": "subscribe", "occurred_at": minute},
        "support_tickets": {
            "ticket_id": key,
            "account_id": _HOLDER,
            "opened_at": minute,
            "closed_at": f"{sample.day(7, 20)} 08:00:00",
            "priority": "low",
            "category": "how to",
        },
        "sales_reps": {
            "rep_id": key,
            "rep_name": "Tal Gal",
            "team": "Falcon",
            "region": "EMEA",
            "hired_at": sample.day(20, 1),
            "left_at": sample.day(3, 1),
        },
        "sales_targets": {
            "rep_id": "R-values" if name.startswith("bad") else "R-values-2",
            "period_start": month,
            "target_amount": "500.00",
            "currency": "USD",
        },
        "marketing_spend": {
            "channel": f"channel {name}",
            "period_start": month,
            "amount": "50.00",
            "currency": "USD",
            "cost_type": "acquisition",
        },
        "surveys": {
            "survey_id": key,
            "survey_type": "pulse",
            "scale_min": "0",
            "scale_max": "10",
            "survey_name": name,
        },
        "survey_invitations": {
            "invitation_id": key,
            "survey_id": "csat-support",
            "respondent_id": f"C-{name}",
            "account_id": _HOLDER,
            "sent_at": minute,
            "delivered": "true",
        },
        "survey_responses": {
            "response_id": key,
            "account_id": _HOLDER,
            "survey": "nps",
            "score": "8",
            "responded_at": minute,
            "respondent_id": f"C-{name}",
            "language": "en",
        },
    }
    return rows[entity.name]


def _judged(kind: str) -> list[tuple[Entity, Column]]:
    """Return the columns of a type, entity by entity."""
    return [
        (entity, column)
        for entity in entities().values()
        if not entity.is_reference
        for column in entity.columns
        if column.type == kind
    ]


def _unreadable_pairs(kind: str) -> list[tuple[Entity, Column, str]]:
    """Pair the unreadable values of a type with its columns: each reason everywhere, each value somewhere."""
    pairs = _pairs(kind, UNREADABLE[kind])
    for entity, column in _judged(kind):
        values = (*EVERYWHERE[kind], *((FUTURE,) if column.is_event else ()))
        pairs += [(entity, column, value) for value in values if (entity, column, value) not in pairs]
    return pairs


def _pairs(kind: str, values: tuple[str, ...]) -> list[tuple[Entity, Column, str]]:
    """Pair values and columns so that each of both occurs; principal columns meet every value."""
    columns = _judged(kind)
    pairs = [
        (*columns[number % len(columns)], values[number % len(values)])
        for number in range(max(len(columns), len(values)))
    ]
    for entity, column in columns:
        if (entity.name, column.name) in PRINCIPAL:
            pairs = [pair for pair in pairs if pair[:2] != (entity, column)]
            pairs += [(entity, column, value) for value in values]
    return pairs


def _add(sample: Sample, sort: str, entity: Entity, column: Column, value: str | None, numbers: dict[str, int]) -> None:
    """Add an ordinary row with one cell replaced; `numbers` counts the rows of an entity."""
    numbers[entity.name] = number = numbers.get(entity.name, 0) + 1
    row = _ordinary(sample, entity, f"{sort}-{column.name}-{number:02d}", number)
    cell = row.get(column.name) or ""
    sample.add(entity.name, 1, **{**row, column.name: None if value is None else _filled(sample, value, cell)})


def holders(sample: Sample) -> None:
    """Add the account, deal and representative that the rows of this module belong to."""
    account(sample, _HOLDER)
    deal(sample, _DEAL, "prospecting", f"{sample.day(9, 1)} 08:00:00", account_id=_HOLDER)
    for rep_id in ("R-values", "R-values-2"):
        sample.add(
            "sales_reps",
            1,
            rep_id=rep_id,
            rep_name="Iman bin Bukit",
            team="Kestrel",
            region="APAC",
            hired_at=sample.day(35, 1),
        )


def unreadable_values(sample: Sample) -> None:
    """Add values that no reading makes sense of, for every type."""
    numbers: dict[str, int] = {}
    for kind in UNREADABLE:
        for entity, column, value in _unreadable_pairs(kind):
            _add(sample, "bad", entity, column, value, numbers)


def missing_values(sample: Sample) -> None:
    """Add rows with each required column empty once; keys of blanks only."""
    numbers: dict[str, int] = {}
    position = 0
    for entity in entities().values():
        for column in entity.columns:
            if column.is_required and not entity.is_reference:
                _add(sample, "missing", entity, column, BLANKS[position % len(BLANKS)], numbers)
                position += 1


def repairable_values(sample: Sample) -> None:
    """Add values with one sensible reading.

    Localised digits, separators, ledger signs, serials, epochs, blanks, letter case.
    """
    numbers: dict[str, int] = {"deal_stage_history": 100, "email_preferences": 100}
    for kind, values in REPAIRABLE.items():
        for entity, column, value in _pairs(kind, values):
            if kind == "id" and not _ordinary(sample, entity, "x", 0).get(column.name):
                # An optional reference that the ordinary row leaves empty has nothing to pad.
                continue
            _add(sample, "repair", entity, column, value, numbers)
    orders = entities()["orders"]
    amount = next(column for column in orders.columns if column.name == "amount")
    for value in SIGNED_AMOUNTS:
        _add(sample, "repair", orders, amount, value, numbers)


def debatable_values(sample: Sample) -> None:
    """Add orders and answers with values that staging may repair or refuse."""
    numbers: dict[str, int] = {}
    for kind, values in DEBATABLE.items():
        entity, column = next(pair for pair in _judged(kind) if pair[0].name in ("orders", "survey_responses"))
        for value in values:
            _add(sample, "debatable", entity, column, value, numbers)


def enumerated_values(sample: Sample) -> None:
    """Add every value of every enumeration."""
    numbers: dict[str, int] = {"email_preferences": 200}
    for entity, column in _judged("enum"):
        for value in column.values:
            _add(sample, "value", entity, column, value, numbers)


def bare_rows(sample: Sample) -> None:
    """Add one row per entity with nothing but its required cells."""
    for number, entity in enumerate(raw for raw in entities().values() if not raw.is_reference):
        row = _ordinary(sample, entity, "only-required", 300 + number)
        sample.add(entity.name, 1, **{name: row[name] for name in entity.required})


def impossible_rows(sample: Sample) -> None:
    """Add rows whose cells are good one by one and impossible together, or whose currency has no rate."""
    row: Row = {"account_id": _HOLDER, "mrr": "15.00", "currency": "USD", "plan": "starter"}
    sample.add(
        "subscription_periods",
        1,
        subscription_id="S-ends-before-start",
        started_at=sample.day(8),
        ended_at=sample.day(9),
        **row,
    )
    sample.add(
        "subscription_periods",
        1,
        subscription_id="S-no-rate",
        started_at=sample.day(8),
        **{**row, "currency": "BRL"},
    )
    sample.add(
        "orders",
        1,
        order_id="O-unknown-currency",
        account_id=_HOLDER,
        ordered_at=sample.day(8),
        amount="10.00",
        currency="QQQ",
    )
    # An event long after everything was delivered is none.
    sample.add(
        "orders",
        2,
        order_id="O-after-everything",
        account_id=_HOLDER,
        ordered_at=f"{int(as_of(sample)[:4]) + 12}-01-01",
        amount="10.00",
    )


ODDITIES = (
    holders,
    unreadable_values,
    missing_values,
    repairable_values,
    debatable_values,
    enumerated_values,
    bare_rows,
    impossible_rows,
)
