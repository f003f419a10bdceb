"""Random small companies with adversarial shapes, as delivered rows, and the seed files that hold them."""

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from recomputation.periods import add_months
from warehouse.contract import Column, entities

Raw = dict[str, list[dict[str, str | None]]]
Cells = dict[str, str | None]

FIRST_LOAD, SECOND_LOAD = "00001-aaaaaaaa", "00002-bbbbbbbb"
NAMES = ("Acme", "شركة النور", "מאפיית הזית", "Kedai Kopi Ñandú", "O'Hara, Sons & Co", 'Sdn "Bhd"', None)
SEGMENTS = ("SMB", "Enterprise", "mid market", None)
COUNTRIES = ("DE", "MY", "إسرائيل", None)
CHANNELS = ("ads", "referral", None)
CURRENCIES = (*[None] * 9, "USD", "USD", *["EUR"] * 7, "eur", "GBP", "JPY")
OPEN_STAGES = ("Prospecting", "Research", "Qualification", "Demo", "Objection handling", "Closing")
LIFECYCLES = ("prospecting", "research", "qualification", "demo", "objection_handling", "closing")
WORDINGS = (
    ("too expensive", "price"),
    ("Bugs", "product"),
    ("went to rival", "competitor"),
    ("No Decision", "no_decision"),
    ("card declined", "payment"),
    ("slow support", "service"),
    ("billing", "payment"),
)
FACTS = (
    "orders",
    "subscription_periods",
    "deals",
    "survey_responses",
    "survey_invitations",
    "activities",
    "email_preferences",
    "support_tickets",
)
DIRTY = {
    "money": ("abc", "1_000", "1e17", "NaN"),
    "number": ("many", "0x1F"),
    "rate": ("1.5", "half"),
    "fx_rate": ("-",),
    "integer": ("ten",),
    "score": ("8.5", "11", "-1", "n/a", "1e16"),
    "timestamp": ("soon", "2023-02-30", "1979-12-31 23:59:59", "2200-01-01", "9999-12-31", "2023-05-01 25:00"),
    "date": ("soon", "1900-01-01"),
    "month": ("2023-05-02", "May"),
    "boolean": ("maybe",),
    "enum": ("whatever",),
    "currency": ("EURO", "E1R"),
}


class Maker:
    """Makes one company; every choice comes from one seeded generator."""

    def __init__(self, seed: int, regulars: int = 0) -> None:
        """Choose the size, the time span and the entities of the company."""
        self.random = random.Random(seed)
        self.seed, self.regulars = seed, regulars
        self.start = datetime(2022, self.random.randint(1, 12), 1)
        self.months = self.random.choice((3, 7, 13, 18, 24))
        self.end = add_months(self.start, self.months)
        self.window = self.random.choice((30, 60, 90))
        count = self.random.choice((5, 8, 15, 25, 40))
        self.accounts = [f"A{n:03}" if n % 4 else f"0{n}" for n in range(1, count + 1)]
        self.named = [*self.accounts, *self.accounts, *self.accounts, "X1", "x1", "X2"]
        chosen = [name for name in FACTS if self.random.random() < 0.4] or [self.random.choice(FACTS)]
        self.wanted = set(FACTS) if self.random.random() < 0.5 else set(chosen)
        self.has_accounts = self.random.random() < 0.85
        self.raw: dict[str, list[Cells]] = {name: [] for name in entities()}
        self.instants = [self.random_instant() for _ in range(4)]

    # ------------------------------------------------------------------ cells

    def chance(self, probability: float) -> bool:
        """Return True with the probability."""
        return self.random.random() < probability

    def random_instant(self) -> datetime:
        """Return an instant of the company's time, often one that sits on a boundary."""
        kind = self.random.random()
        if kind < 0.25:
            return add_months(self.start, self.random.randint(0, self.months))
        day = self.start + timedelta(days=self.random.randint(0, (self.end - self.start).days))
        if kind < 0.5:
            return day
        if kind < 0.55:
            return day + timedelta(hours=23, minutes=59, seconds=59)
        return day + timedelta(seconds=self.random.randint(0, 86_399))

    def instant(self) -> datetime:
        """Return an instant; some come again and again, so that rows share them."""
        return self.random.choice(self.instants) if self.chance(0.1) else self.random_instant()

    def text(self, instant: datetime) -> str:
        """Write an instant in one of the accepted notations."""
        kind = self.random.random()
        if instant.microsecond:
            return instant.isoformat(" ")
        is_midnight = (instant.hour, instant.minute, instant.second) == (0, 0, 0)
        if is_midnight and kind < 0.6:
            return instant.date().isoformat()
        if is_midnight and kind < 0.7:
            return (instant + timedelta(hours=20)).isoformat() + "+00:00 day"
        if kind < 0.8:
            return instant.isoformat(" ")
        if kind < 0.88:
            return instant.isoformat() + "Z"
        if kind < 0.95:
            return (instant + timedelta(hours=2)).isoformat(" ") + "+02:00"
        return str(int((instant - datetime(1970, 1, 1)).total_seconds()))

    def amount(self, low: int = 0, high: int = 300_000) -> str:
        """Return an amount of money, now and then 0 or with four decimals."""
        if self.chance(0.04):
            return "0"
        cents = self.random.randint(low, high)
        if self.chance(0.1):
            return f"{cents / 100:.2f}{self.random.randint(1, 99):02}"
        return f"{cents / 100:.2f}" if self.chance(0.7) else str(cents // 100)

    def dressed(self, number: str) -> str:
        """Write a number in another accepted notation."""
        if self.chance(0.92):
            return number
        kind = self.random.randint(0, 3)
        if kind == 0 and number.startswith("-"):
            return f"({number[1:]})"
        if kind == 1 and number.startswith("-"):
            return "−" + number[1:]
        if kind == 2 and "." in number and float(number) >= 1000:
            return f"{float(number):,.2f}" if len(number.split(".")[1]) == 2 else number
        return f"{number}e0" if kind == 3 else number

    def add(self, entity: str, **cells: str | None) -> Cells:
        """Deliver a row in the first load."""
        row: Cells = {column: cells.get(column) for column in entities()[entity].column_names}
        row["load_id"] = FIRST_LOAD
        self.raw[entity].append(row)
        return row

    # ------------------------------------------------------------------ entities

    def make(self) -> Raw:
        """Return the delivered rows of every entity."""
        self.references()
        if self.has_accounts:
            self.make_accounts()
        self.make_small_entities()
        for entity, maker in (
            ("orders", self.make_orders),
            ("subscription_periods", self.make_contracts),
            ("deals", self.make_deals),
            ("activities", self.make_activities),
            ("email_preferences", self.make_preferences),
            ("support_tickets", self.make_tickets),
        ):
            if entity in self.wanted:
                maker()
        if self.wanted & {"survey_responses", "survey_invitations"}:
            self.make_surveys()
        self.make_regulars()
        self.deliver_again()
        self.soil()
        self.number_lines()
        return self.raw

    def references(self) -> None:
        """Two pipelines, rates that change (none for JPY, none at first for GBP) and the wordings."""
        rows: list[dict[str, str | None]] = []
        for order, (stage, lifecycle) in enumerate(zip(OPEN_STAGES, LIFECYCLES, strict=True), start=1):
            rows.append(
                {
                    "pipeline": "default",
                    "stage": stage,
                    "stage_order": str(order),
                    "lifecycle_stage": lifecycle,
                }
            )
        rows.append({"pipeline": "default", "stage": "Won", "stage_order": "7", "is_won": "true", "is_lost": "false"})
        rows.append({"pipeline": "default", "stage": "Lost", "stage_order": "8", "is_won": "false", "is_lost": "true"})
        for order, stage in enumerate(("Intro", "Pilot"), start=1):
            rows.append({"pipeline": "Partner", "stage": stage, "stage_order": str(order * 10)})
        rows.append({"pipeline": "Partner", "stage": "Signed", "stage_order": "30", "is_won": "true"})
        rows.append({"pipeline": "Partner", "stage": "Dead", "stage_order": "40", "is_lost": "true"})
        self.reference("deal_stages", rows)
        middle = add_months(self.start, self.months // 2).date()
        self.reference(
            "fx_rates",
            [
                {"currency": "EUR", "valid_from": "2021-01-01", "rate": "1.1"},
                {"currency": "EUR", "valid_from": middle.isoformat(), "rate": "1.071234567"},
                {"currency": "EUR", "valid_from": (middle + timedelta(days=45)).isoformat(), "rate": "0.97"},
                {"currency": "GBP", "valid_from": middle.isoformat(), "rate": "1.25"},
            ],
        )
        self.reference("churn_reasons", [{"raw_wording": raw, "reason": reason} for raw, reason in WORDINGS])

    def reference(self, entity: str, rows: list[dict[str, str | None]]) -> None:
        """Fill a reference seed: it has no load."""
        names = entities()[entity].column_names
        self.raw[entity] = [{name: row.get(name) for name in names} for row in rows]

    def make_accounts(self) -> None:
        """Accounts with merges (chains, cycles, into themselves, into the unknown) and test accounts."""
        for number, account_id in enumerate(self.accounts):
            merged = None
            if self.chance(0.12):
                merged = self.random.choice([*self.accounts, "X3", "X1"])
            elif self.chance(0.06) and number:
                merged = self.accounts[number - 1]
            self.add(
                "accounts",
                account_id=account_id if self.chance(0.95) else f" {account_id} ",
                account_name=self.random.choice(NAMES),
                segment=self.random.choice(SEGMENTS),
                industry=self.random.choice(("Retail", "ريادة", None)),
                country=self.random.choice(COUNTRIES),
                region=self.random.choice(("North", "South", None)),
                acquisition_channel=self.random.choice(CHANNELS),
                created_at=self.text(self.instant()),
                merged_into_account_id=merged,
                referred_by_account_id=self.random.choice([*self.accounts, None]),
                is_test=self.random.choice((None, None, "false", "no", "0", "true" if self.chance(0.3) else "FALSE")),
            )
        if self.chance(0.25) and len(self.accounts) > 4:
            one, two, three = self.random.sample(range(len(self.accounts)), 3)
            for source, target in ((one, two), (two, three), (three, one)):
                self.raw["accounts"][source]["merged_into_account_id"] = self.accounts[target]

    def make_small_entities(self) -> None:
        """Products, contacts, leads, reps, targets and spend."""
        if self.chance(0.7):
            for number in range(1, 4):
                rate = self.random.choice(("0.4", "0.75", "1", "-0.1", None))
                self.add("products", product_id=f"P{number}", gross_margin_rate=rate, unit_price=self.amount())
        if self.chance(0.7):
            for number in range(self.random.randint(0, 2 * len(self.accounts))):
                self.add("contacts", contact_id=f"C{number}", account_id=self.random.choice(self.named))
        if self.chance(0.3):
            for number in range(3):
                self.add("leads", lead_id=f"L{number}", created_at=self.text(self.instant()))
        if self.chance(0.8):
            for number in range(1, 5):
                self.add(
                    "sales_reps",
                    rep_id=f"R{number}",
                    team=self.random.choice(("Red", "Blue", None)),
                    region=self.random.choice(("North", "South", None)),
                    hired_at="2020-01-01",
                )
        if self.chance(0.7):
            for rep in ("R1", "R2", "R7"):
                for month in range(-1, self.months + 4):
                    if self.chance(0.5):
                        first = add_months(self.start, month).date().isoformat()
                        self.add(
                            "sales_targets",
                            rep_id=rep,
                            period_start=first,
                            target_amount=self.amount(),
                            currency=self.random.choice(CURRENCIES),
                        )
        if self.chance(0.3):
            for month in range(self.months):
                first = add_months(self.start, month).date().isoformat()
                self.add("marketing_spend", channel="ads", period_start=first, amount=self.amount(), currency="EUR")

    def make_orders(self) -> None:
        """Buyers of every habit: once, often, after gaps around the window, twice an instant; and refunds."""
        number = 0
        for account in [name for name in self.named if self.chance(0.35)]:
            at = self.instant()
            for _ in range(self.random.choice((1, 1, 2, 4, 9))):
                number += 1
                is_negative = self.chance(0.02)
                amount = self.amount()
                order = self.add(
                    "orders",
                    order_id=f"O{number}",
                    account_id=account,
                    ordered_at=self.text(at),
                    amount=self.dressed("-" + amount if is_negative and amount != "0" else amount),
                    currency=self.random.choice(CURRENCIES),
                    product_id=self.random.choice(("P1", "P2", "P9", None)),
                    quantity=str(self.random.randint(1, 9)),
                    margin=self.random.choice((None, None, "0.5", "0.125", "-0.2")),
                )
                if self.chance(0.2):
                    self.refund(order, number, at, amount)
                step = self.random.choice((0, 1, 7, 30, self.window, self.window, self.window + 1, 100, 200))
                at = at + timedelta(days=step, seconds=self.random.choice((0, 0, 3600)))
        if number and self.chance(0.5):
            for target in ("O-unknown", "F1"):
                self.add(
                    "orders",
                    order_id=f"F-{target}",
                    account_id=self.random.choice(self.named),
                    ordered_at=self.text(self.instant()),
                    amount=f"-{self.amount()}",
                    refund_of_order_id=target,
                )

    def refund(self, order: Cells, number: int, at: datetime, amount: str) -> None:
        """Refund an order in full, in part, twice, too much or in another currency."""
        share = self.random.choice(("full", "full", "part", "twice", "over", "positive"))
        text = {"full": f"-{amount}", "over": f"-{amount}9", "positive": "1.50"}.get(share, "-1.25")
        if text == "-0":
            text = "0"
        for part in range(2 if share == "twice" else 1):
            self.add(
                "orders",
                order_id=f"F{number}" if not part else f"F{number}b",
                account_id=order["account_id"] if self.chance(0.9) else self.random.choice(self.named),
                ordered_at=self.text(at + timedelta(days=self.random.choice((-1, 0, 3, 40, 400)))),
                amount=self.dressed(text),
                currency=order["currency"] if self.chance(0.9) else self.random.choice((None, "EUR")),
                margin=self.random.choice((None, "0.9")),
                refund_of_order_id=order["order_id"],
            )

    def make_contracts(self) -> None:
        """Periods that touch, overlap, leave gaps, have no length, start in the future or never end."""
        number = 0
        for account in [name for name in self.named if self.chance(0.35)]:
            for _ in range(self.random.choice((1, 1, 2))):
                number += 1
                started = self.instant()
                for _ in range(self.random.choice((1, 1, 2, 3))):
                    length = self.random.choice((0, 0, 1, 14, 31, 59, 90, 200))
                    on_month = self.chance(0.4)
                    ended = add_months(started, 1 + length // 30) if on_month else started + timedelta(days=length)
                    is_open = self.chance(0.25)
                    is_trial = self.chance(0.15)
                    sign = "-" if self.chance(0.05) else ""
                    self.add(
                        "subscription_periods",
                        subscription_id=f"S{number}",
                        account_id=account if self.chance(0.97) else self.random.choice(self.named),
                        started_at=self.text(started),
                        ended_at=None if is_open else self.text(ended),
                        mrr="0"
                        if is_trial
                        else sign + self.amount(1000, 20_000)
                        if sign
                        else self.dressed(self.amount(1000, 20_000)),
                        currency=self.random.choice(CURRENCIES),
                        plan=self.random.choice(("basic", "pro", "pro", "خطة", None)),
                        product_id=self.random.choice(("P1", "P3", None)),
                        cancel_requested_at=None if self.chance(0.8) else self.text(started),
                        cancel_reason=self.random.choice((None, None, " BUGS ", "too expensive", "shrug")),
                    )
                    gap = self.random.choice((0, 0, 0, 1, 5, 30, 120, -7, -20))
                    started = max(started + timedelta(days=1), ended + timedelta(days=gap))
                    if self.chance(0.1):
                        started += timedelta(hours=6)

    def make_regulars(self) -> None:
        """Customers as the value models imagine them: each buys at an own rate and size, renews with an own chance.

        They have a generator of their own, so that the rest of the company is the same with and without them.
        """
        own = random.Random(self.seed + 2_000_003)
        weeks = self.months * 30 / 7
        for number in range(1, self.regulars + 1):
            account = f"B{number:02}"
            at, rate, dropout = own.uniform(0, 0.7 * weeks), own.gammavariate(1.2, 0.25), own.betavariate(1, 4)
            size = own.gammavariate(6, 1)
            orders = 0
            while at < weeks and orders < 30:
                orders += 1
                self.add(
                    "orders",
                    order_id=f"{account}-{orders}",
                    account_id=account,
                    ordered_at=(self.start + timedelta(weeks=at)).isoformat(" ", "seconds"),
                    amount=f"{own.gammavariate(4, 20) * size:.2f}",
                    margin=own.choice((None, "0.5")),
                )
                if own.random() < dropout:
                    break
                at += own.expovariate(rate)
            if own.random() < 0.7:
                continue
            leaves = own.betavariate(1, 3)
            started = self.start + timedelta(days=own.randint(0, int(5 * weeks)))
            months = 1
            while own.random() > leaves and add_months(started, months) < self.end:
                months += 1
            ended = add_months(started, months)
            self.add(
                "subscription_periods",
                subscription_id=account,
                account_id=account,
                started_at=started.date().isoformat(),
                ended_at=ended.date().isoformat() if ended < self.end else None,
                mrr=f"{own.gammavariate(4, 20):.2f}",
                plan=own.choice(("basic", "pro")),
            )

    def make_deals(self) -> None:
        """Deals with and without history, of both pipelines and of one that nobody knows."""
        has_history = self.chance(0.7)
        for number in range(self.random.choice((4, 12, 30, 60))):
            kind = self.random.random()
            pipeline = self.random.choice((None, "default", " DEFAULT")) if kind < 0.65 else "partner"
            stages: tuple[str, ...] = OPEN_STAGES
            won, lost = "Won", "Lost"
            if pipeline == "partner":
                stages, won, lost = ("Intro", "Pilot"), "Signed", "Dead"
            if kind > 0.95:
                pipeline = "ghost"
            created = self.instant()
            highest = self.random.randint(0, len(stages) - 1)
            outcome = self.random.choice(("open", "won", "won", "lost", "lost"))
            stage = {"won": won, "lost": lost}.get(outcome, stages[highest])
            if self.chance(0.05):
                stage = "Mystery"
            closed: datetime | None = created + timedelta(days=self.random.choice((0, 1, 20, 60, 150)))
            if self.chance(0.05):
                closed = self.end + timedelta(days=self.random.randint(-2, 60))
            if (outcome == "open" and self.chance(0.6)) or self.chance(0.1):
                closed = None
            is_dated = not self.chance(0.1)
            recorded_closing = closed
            if not is_dated and closed is not None and self.chance(0.3):
                # Recorded later than it happened, before anything else that is known of the company.
                recorded_closing = self.start - timedelta(days=self.random.randint(1, 60))
            self.add(
                "deals",
                deal_id=f"D{number}",
                account_id=self.random.choice([*self.named, None]),
                stage=self.spelled(stage),
                created_at=self.text(created) if is_dated else None,
                closed_at=None
                if recorded_closing is None or (is_dated and recorded_closing < created)
                else self.text(recorded_closing),
                amount=None if self.chance(0.1) else self.dressed(self.amount()),
                currency=self.random.choice(CURRENCIES),
                pipeline=pipeline,
                deal_type=self.random.choice(("new", "renewal", "Renewal", None)),
                owner_id=self.random.choice(("R1", "R2", "R3", "R9", None)),
                lead_source=self.random.choice(("web", "fair", None)),
                lost_reason=self.random.choice((None, "no decision", " NO DECISION", "too expensive", "?")),
                competitor=self.random.choice((None, "Rival")),
            )
            if has_history and self.chance(0.7):
                self.make_history(f"D{number}", created, closed, [*stages[: highest + 1]], stage)

    def spelled(self, stage: str) -> str:
        """Spell a stage as people do."""
        return self.random.choice((stage, stage, stage, stage.upper(), f" {stage.lower()} "))

    def make_history(
        self, deal_id: str, created: datetime, closed: datetime | None, path: list[str], stage: str
    ) -> None:
        """Enter stages: some skipped, some again, at one instant, unknown ones, before the creation."""
        path = [name for name in path if self.chance(0.8)]
        if self.chance(0.15) and path:
            path.append(self.random.choice(path))
        if self.chance(0.1):
            path.insert(self.random.randint(0, len(path)), "Mystery")
        if self.chance(0.5):
            path.append(stage)
        at = created + timedelta(days=self.random.choice((0, 0, 0, -3, 2)))
        entered = set()
        for name in path:
            if (name, at) in entered:
                at += timedelta(minutes=1)
            entered.add((name, at))
            spelled = name if self.chance(0.9) else name.upper()
            self.add("deal_stage_history", deal_id=deal_id, stage=spelled, entered_at=self.text(at))
            at += timedelta(days=self.random.choice((0, 0, 1, 5, 20)), seconds=self.random.choice((0, 5400)))
        if closed is not None and self.chance(0.3):
            self.add("deal_stage_history", deal_id=deal_id, stage=stage, entered_at=self.text(closed))
        if self.chance(0.03):
            self.add("deal_stage_history", deal_id="D-unknown", stage="Demo", entered_at=self.text(created))

    def make_activities(self) -> None:
        """Touches of every type."""
        types = (
            "web_visit",
            "email_sent",
            "email_open",
            "email_click",
            "social",
            "call",
            "meeting",
            "Loyalty",
        )
        for number in range(self.random.randint(1, 30)):
            self.add(
                "activities",
                activity_id=f"T{number}",
                account_id=self.random.choice(self.named),
                activity_type=self.random.choice(types),
                occurred_at=self.text(self.instant()),
            )

    def make_preferences(self) -> None:
        """Subscriptions and the end of them, by contact and for the whole account, some at one instant."""
        for account in [name for name in self.named if self.chance(0.4)]:
            at = self.instant()
            done = set()
            for _ in range(self.random.choice((1, 1, 2, 4))):
                action = self.random.choice(("unsubscribe", "unsubscribe", "subscribe"))
                contact = self.random.choice((None, None, f"C{self.random.randint(0, 20)}", "C-new"))
                if (action, contact, at) not in done:
                    done.add((action, contact, at))
                    self.add(
                        "email_preferences",
                        account_id=account,
                        action=action,
                        occurred_at=at.isoformat(" "),
                        contact_id=contact,
                    )
                at += timedelta(days=self.random.choice((0, 0, 1, 30)))

    def make_tickets(self) -> None:
        """Tickets, some about what made a customer leave."""
        for number in range(self.random.randint(1, 30)):
            self.add(
                "support_tickets",
                ticket_id=f"K{number}",
                account_id=self.random.choice(self.named),
                opened_at=self.text(self.instant()),
                category=self.random.choice((None, "billing", "Slow support", "hello")),
            )

    def make_surveys(self) -> None:
        """Surveys on both NPS scales and on others, answers of every kind, invitations of every fate."""
        if self.chance(0.85):
            for survey_id, survey_type, low, high in (
                ("nps-1", "nps", None, None),
                ("nps-2", "NPS", "0", "10"),
                ("nps-ten", "nps", "1", "10"),
                ("nps-five", "nps", "0", "5"),
                ("staff", "enps", None, "10"),
                ("happy", "csat", "1", "5"),
                ("bye", "exit", None, None),
            ):
                self.add("surveys", survey_id=survey_id, survey_type=survey_type, scale_min=low, scale_max=high)
        surveys = [
            "nps-1",
            "nps-1",
            "nps-2",
            "nps-ten",
            "nps-five",
            "staff",
            "happy",
            "bye",
            "nps",
            "enps",
            "lost",
        ]
        busy = self.random.choice(("nps-1", "nps", "nps-ten", "staff"))
        people = [*(f"p{number}" for number in range(self.random.choice((6, 30, 90)))), None]
        when = self.random_instant()
        if "survey_invitations" in self.wanted:
            for number in range(self.random.choice((5, 20, 60))):
                sent = self.instant() if self.chance(0.5) else when
                invitation = self.add(
                    "survey_invitations",
                    invitation_id=f"I{number}",
                    survey_id=busy if self.chance(0.6) else self.random.choice(surveys),
                    respondent_id=self.random.choice(people[:-1]),
                    account_id=self.random.choice([*self.named, None]),
                    sent_at=self.text(sent),
                    delivered=self.random.choice((None, "true", "false", "yes")),
                )
                if "survey_responses" in self.wanted and self.chance(0.5):
                    wait = self.random.choice((0, 1, 10, 30, 31))
                    self.respond(f"RI{number}", invitation, sent + timedelta(days=wait))
        if "survey_responses" in self.wanted:
            for number in range(self.random.choice((5, 40, 150))):
                at = self.instant() if self.chance(0.3) else when + timedelta(days=self.random.randint(0, 70))
                survey = busy if self.chance(0.6) else self.random.choice(surveys)
                self.respond(f"RR{number}", {"survey_id": survey, "respondent_id": self.random.choice(people)}, at)

    def respond(self, response_id: str, about: Cells, at: datetime) -> None:
        """Answer a survey; some answers carry no score, some a label."""
        survey = about["survey_id"]
        highest = {"happy": 5, "nps-five": 5}.get(str(survey), 10)
        number = self.random.choice((highest, highest, highest - 1, highest - 2, self.random.randint(1, highest)))
        score = self.random.choice((f"{number}", f"{number}", f"{number}.0", f"{number}/{highest}", f"{number} - ok"))
        has_score = self.chance(0.9) and survey != "bye"
        self.add(
            "survey_responses",
            response_id=response_id,
            account_id=about.get("account_id") if self.chance(0.5) else self.random.choice([*self.named, None]),
            survey=survey,
            score=score if has_score else None,
            comment=self.random.choice((None, 'bagus, "tapi" mahal', "שלום\nעולם")),
            responded_at=self.text(at),
            respondent_id=about["respondent_id"],
            reason=self.random.choice((None, "too expensive", " bugs", "dunno")) if survey == "bye" else None,
        )

    # ------------------------------------------------------------------ deliveries

    def deliver_again(self) -> None:
        """Redeliver some rows: equal, changed, in the same load and in a later one."""
        for entity, rows in self.raw.items():
            if not rows or entities()[entity].is_reference:
                continue
            key = entities()[entity].key
            for row in list(rows):
                if not self.chance(0.06):
                    continue
                again = dict(row)
                again["load_id"] = self.random.choice((FIRST_LOAD, SECOND_LOAD, SECOND_LOAD))
                free = [column for column in entities()[entity].columns if column.name not in key]
                if free and self.chance(0.6):
                    self.change(again, self.random.choice(free))
                rows.append(again)

    def change(self, row: Cells, column: Column) -> None:
        """Give a cell another good value."""
        if column.type == "money":
            row[column.name] = self.amount()
        elif column.type == "timestamp" and column.name not in ("ended_at", "closed_at", "created_at"):
            row[column.name] = self.text(self.instant())
        elif column.type == "text" and column.name not in ("stage", "pipeline"):
            row[column.name] = self.random.choice(("North", "web", "too expensive"))

    def soil(self) -> None:
        """Add a few rows that must be quarantined, with keys of their own."""
        for entity, rows in self.raw.items():
            if not rows or entities()[entity].is_reference or not self.chance(0.6):
                continue
            for number in range(self.random.choice((1, 1, 2, 4))):
                row = dict(self.random.choice(rows))
                if entities()[entity].columns[0].type == "id":
                    row[entities()[entity].key[0]] = f"bad-{number}"
                column = self.random.choice(entities()[entity].columns)
                if column.type in DIRTY:
                    row[column.name] = self.random.choice(DIRTY[column.type])
                    if column.is_event and self.chance(0.3):
                        row[column.name] = "2030-01-02 00:00:01"
                elif column.is_required:
                    row[column.name] = self.random.choice((None, "", "  "))
                if entity == "subscription_periods" and self.chance(0.3):
                    row["started_at"], row["ended_at"] = "2022-05-02", "2022-05-01"
                elif entity == "subscription_periods" and self.chance(0.3):
                    row["ended_at"] = self.random.choice(DIRTY["timestamp"])
                if entity == "deals" and self.chance(0.3):
                    row["created_at"], row["closed_at"] = "2022-05-02", "2022-05-01 10:00"
                elif entity == "deals" and self.chance(0.5):
                    row["closed_at"] = self.random.choice((*DIRTY["timestamp"], "2052-06-01"))
                rows.append(row)

    def number_lines(self) -> None:
        """Give every row its address: file and line within its load."""
        for entity, rows in self.raw.items():
            if entities()[entity].is_reference:
                continue
            rows.sort(key=lambda row: str(row["load_id"]))
            lines: dict[str | None, int] = {}
            for row in rows:
                lines[row["load_id"]] = lines.get(row["load_id"], 1) + 1
                row["line_number"] = str(lines[row["load_id"]])
                row["file"] = f"{entities()[entity].seed}.csv"


def random_company(seed: int, regulars: int = 0) -> Raw:
    """Return entity -> delivered rows of a small adversarial company; the same seed gives the same rows.

    `regulars` are customers on top, on whom value models can be fitted.
    """
    return Maker(seed, regulars).make()


def written_company(**exports: str) -> Raw:
    """Return entity -> delivered rows of a company that is written out: the CSV text of each entity that it has."""
    maker = Maker(0)
    maker.references()
    for entity, text in exports.items():
        for row in csv.DictReader(text.strip().splitlines()):
            maker.add(entity, **{name: cell.strip() or None for name, cell in row.items()})
    maker.number_lines()
    return maker.raw


def random_variables(seed: int) -> dict[str, Any]:
    """Return variables to look at a random company with: as_of on and off boundaries, windows, grace."""
    maker = Maker(seed)
    chooser = random.Random(seed + 1_000_003)
    middle = add_months(maker.start, max(1, maker.months * 2 // 3))
    as_of: list[date | None] = [
        None,
        None,
        middle.date(),
        (middle + timedelta(days=13)).date(),
        maker.end.date(),
    ]
    return {
        "as_of": chooser.choice(as_of),
        "inactivity_days": chooser.choice((None, maker.window, maker.window, 45)),
        "grace_days": chooser.choice((0, 0, 0, 5, 30)),
        "gross_margin_rate": chooser.choice((1, "0.8")),
        "reporting_timezone": chooser.choice(("UTC", "UTC", "UTC", "Asia/Kuala_Lumpur", "America/New_York")),
        "conversion_window_days": chooser.choice((90, 30)),
        "bottleneck_minimum_decided": chooser.choice((30, 1, 2)),
        "velocity_minimum_won": chooser.choice((20, 1, 2)),
    }


def write_seeds(raw: Raw, directory: Path) -> None:
    """Write every entity as a seed file; an absent one is a header. Reference seeds carry no address."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, entity in entities().items():
        columns = list(entity.column_names)
        if not entity.is_reference:
            columns += ["load_id", "line_number"]
        with (directory / f"{entity.seed}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for row in raw.get(name, ()):
                writer.writerow([row.get(column) or "" for column in columns])
