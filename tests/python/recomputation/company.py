"""The company as the metric page sees it at as_of: customers, orders, contracts, deals, answers."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from recomputation.periods import midnight
from recomputation.raw import (
    ExchangeRates,
    Merges,
    Raw,
    Row,
    Variables,
    current,
    folded,
    landed_locally,
    read_rows,
    with_defaults,
)

UNKNOWN = "(unknown)"
UNMAPPED = "(unmapped)"
CUSTOMER_DIMENSIONS = ("segment", "industry", "country", "region", "acquisition_channel")
SURVEY_SCALES = {(0, 10): "0-10", (1, 10): "1-10"}


@dataclass
class Customer:
    """An account after merges; an inferred one is named by facts or merges only."""

    account_id: str
    account_name: str | None = None
    attributes: dict[str, str] = field(default_factory=lambda: dict.fromkeys(CUSTOMER_DIMENSIONS, UNKNOWN))
    is_inferred: bool = False


@dataclass
class Order:
    """An order that is no refund. Money in the reporting currency; `net` includes its refunds."""

    order_id: str
    customer: str
    at: datetime
    amount: Fraction
    net: Fraction
    margin: Fraction

    @property
    def is_qualifying(self) -> bool:
        """True when something was bought in the end."""
        return self.net > 0


@dataclass
class LooseRefund:
    """A refund of an order that is not known: it lowers the historical value of its own account only."""

    customer: str
    amount: Fraction
    margin: Fraction


@dataclass
class Contract:
    """One contract period after corrections; `held_until` is its end with the grace gap behind it."""

    subscription_id: str
    customer: str
    started_at: datetime
    ended_at: datetime | None
    mrr: Fraction
    margin: Fraction
    plan: str
    cancel_reason: str | None
    held_until: datetime | None = None

    def in_force(self, boundary: datetime) -> bool:
        """True just before the boundary, grace gaps included."""
        return self.started_at < boundary and (self.held_until is None or self.held_until >= boundary)


@dataclass
class Stage:
    """One row of the reference `deal_stages`."""

    name: str
    order: int
    is_won: bool
    is_lost: bool

    @property
    def is_open(self) -> bool:
        """True for a stage that is no outcome."""
        return not self.is_won and not self.is_lost


@dataclass
class Entry:
    """A deal entered a stage; `stage` is None when `deal_stages` does not know it."""

    at: datetime
    stage: Stage | None


@dataclass
class Deal:
    """A deal at as_of. `entries` are in order and include the ones derived where there is no history."""

    deal_id: str
    customer: str | None
    pipeline: str
    stages: list[Stage]
    created_at: datetime | None
    outcome: str
    closed_at: datetime | None
    amount: Fraction | None
    entries: list[Entry]
    dimensions: dict[str, str]
    lost_reason: str | None
    competitor: str | None
    deal_type: str | None
    has_cohort: bool

    @property
    def first_event_at(self) -> datetime | None:
        """The earliest of creation and entries, else the close."""
        instants = [entry.at for entry in self.entries]
        instants += [self.created_at] if self.created_at is not None else []
        return min(instants) if instants else self.closed_at

    @property
    def first_seen_at(self) -> datetime | None:
        """The first event or the close, which may be dated before it."""
        instants = [instant for instant in (self.first_event_at, self.closed_at) if instant is not None]
        return min(instants, default=None)

    def open_at(self, boundary: datetime) -> bool:
        """True when the deal was open just before the boundary."""
        began = self.first_event_at
        return began is not None and began < boundary and (self.closed_at is None or self.closed_at >= boundary)


@dataclass
class Response:
    """A response to an NPS survey; `score` None when unscored."""

    response_id: str
    survey_id: str
    customer: str | None
    respondent_id: str | None
    score: int | None
    at: datetime


@dataclass
class Invitation:
    """An invitation to an NPS survey."""

    invitation_id: str
    survey_id: str
    customer: str | None
    respondent_id: str
    sent_at: datetime
    is_delivered: bool


class Company:
    """Everything the marts are computed from, at one as_of. `as_of` is None when there is no event at all."""

    def __init__(self, raw: Raw, variables: Variables) -> None:
        """Judge the raw rows and derive the facts."""
        self.variables = with_defaults(variables)
        self.dimensions: tuple[str, ...] = CUSTOMER_DIMENSIONS
        self.rows = read_rows(raw, self.variables)
        self.merges = Merges(current(self.rows["accounts"]))
        self.rates = ExchangeRates(current(self.rows["fx_rates"]), self.variables["reporting_currency"])
        self.stages_by_pipeline = self._read_stages()
        self.surveys = {row["survey_id"]: row for row in self.current("surveys")}
        self._judge_scores()
        self._judge_rates()
        self.as_of: datetime | None = self.variables["as_of"] or self._default_as_of()
        if self.as_of is None:
            return
        self._read_customers()
        self._read_products()
        self._read_orders()
        self._read_contracts()
        self._read_deals()
        self._read_surveys()

    # ------------------------------------------------------------------ reading

    def current(self, entity: str) -> list[Row]:
        """Return the rows of an entity that count."""
        return current(self.rows[entity])

    def _read_stages(self) -> dict[str, tuple[str, list[Stage]]]:
        """Return folded pipeline -> (its spelling, its stages in order)."""
        found: dict[str, tuple[str, list[Stage]]] = {}
        for row in self.current("deal_stages"):
            name = row["pipeline"] or "default"
            _, stages = found.setdefault(str(folded(name)), (name, []))
            stages.append(Stage(row["stage"], row["stage_order"], bool(row["is_won"]), bool(row["is_lost"])))
        for _, stages in found.values():
            stages.sort(key=lambda stage: stage.order)
        return found

    def pipeline_of(self, name: str | None) -> tuple[str, list[Stage]]:
        """Return the spelling and the stages of a pipeline; an unknown one has no stages."""
        name = name or "default"
        return self.stages_by_pipeline.get(str(folded(name)), (name, []))

    @staticmethod
    def stage_of(stages: list[Stage], name: str | None) -> Stage | None:
        """Find a stage by its name, trimmed and case-insensitively."""
        return next((stage for stage in stages if folded(stage.name) == folded(name)), None)

    def survey_kind(self, survey: str) -> tuple[str | None, tuple[int, int]]:
        """Return survey type and scale of a survey id; an unknown one is taken by its name."""
        if survey in self.surveys:
            row = self.surveys[survey]
            low, high = row["scale_min"], row["scale_max"]
            return row["survey_type"], (0 if low is None else low, 10 if high is None else high)
        return (str(folded(survey)), (0, 10)) if folded(survey) in ("nps", "enps") else (None, (0, 10))

    def _judge_scores(self) -> None:
        for row in self.current("survey_responses"):
            survey_type, scale = self.survey_kind(row["survey"])
            if survey_type in ("nps", "enps") and scale not in SURVEY_SCALES:
                row.quarantine("unsupported_scale")
            elif row["score"] is not None and not scale[0] <= row["score"] <= scale[1]:
                row.quarantine("score_out_of_range")

    def _judge_rates(self) -> None:
        for entity, column in (
            ("orders", "ordered_at"),
            ("subscription_periods", "started_at"),
            ("sales_targets", "period_start"),
            ("marketing_spend", "period_start"),
        ):
            for row in self.current(entity):
                if self.rates.rate(row["currency"], row[column]) is None:
                    row.quarantine("no_fx_rate")
        for row in self.current("deals"):
            day = self._rate_day(row)
            # Without a day nothing is known but whether the currency has rates at all.
            needs_rate = day is not None or not self.rates.has(row["currency"])
            if row["amount"] is not None and needs_rate and self.rates.rate(row["currency"], day) is None:
                row.quarantine("no_fx_rate")

    def _current_stage(self, row: Row) -> Stage | None:
        return self.stage_of(self.pipeline_of(row["pipeline"])[1], row["stage"])

    def _rate_day(self, row: Row) -> datetime | None:
        """Return the date whose rate the row needs: the close that it states when it is closed, else its creation."""
        stage = self._current_stage(row)
        is_closed = stage is not None and not stage.is_open
        day: datetime | None = row["created_at"]
        if is_closed and row["closed_at"] is not None:
            day = row["closed_at"]
        return day

    def _default_as_of(self) -> datetime | None:
        instants: list[datetime] = []
        for entity, column in (
            ("orders", "ordered_at"),
            ("deals", "created_at"),
            ("deal_stage_history", "entered_at"),
            ("survey_invitations", "sent_at"),
            ("survey_responses", "responded_at"),
            ("activities", "occurred_at"),
            ("support_tickets", "opened_at"),
            ("email_preferences", "occurred_at"),
        ):
            instants += [row[column] for row in self.current(entity) if row[column] is not None]
        for row in self.current("deals"):
            stage = self._current_stage(row)
            if stage is None or stage.is_open or row["closed_at"] is None:
                continue
            if row["closed_at"] <= landed_locally(row, self.variables) + timedelta(days=1):
                instants.append(row["closed_at"])
        if not instants:
            for row in self.current("subscription_periods"):
                instants += [at for at in (row["started_at"], row["ended_at"]) if at is not None]
        return midnight(max(instants).date() + timedelta(days=1)) if instants else None

    def _read_customers(self) -> None:
        accounts = {row["account_id"]: row for row in self.current("accounts")}
        named = set(accounts)
        named |= set(self.merges.target.values())
        for entity, column in (
            ("orders", "ordered_at"),
            ("subscription_periods", "started_at"),
            ("activities", "occurred_at"),
            ("email_preferences", "occurred_at"),
            ("support_tickets", "opened_at"),
            ("survey_invitations", "sent_at"),
            ("survey_responses", "responded_at"),
        ):
            named |= {row["account_id"] for row in self.current(entity) if row[column] < self.now}
        for row in self.current("deals"):
            began = self._build_deal(row).first_event_at
            if began is not None and began < self.now:
                named.add(row["account_id"])
        named.discard(None)
        self.test_accounts: set[str] = set()
        self.customers: dict[str, Customer] = {}
        for account_id in sorted({str(self.merges.survivor(name)) for name in named}):
            if account_id not in accounts:
                self.customers[account_id] = Customer(account_id, is_inferred=True)
                continue
            account = accounts[account_id]
            if account["is_test"]:
                self.test_accounts.add(account_id)
                continue
            attributes = {name: account[name] or UNKNOWN for name in CUSTOMER_DIMENSIONS}
            self.customers[account_id] = Customer(account_id, account["account_name"], attributes)

    @property
    def now(self) -> datetime:
        """as_of, where it is known that there is one."""
        assert self.as_of is not None
        return self.as_of

    def customer_of(self, account_id: str | None) -> str | None:
        """Return the customer of an account id (None: no account)."""
        return self.merges.survivor(account_id)

    def is_test(self, account_id: str | None) -> bool:
        """True when the account's survivor is a test account."""
        return self.customer_of(account_id) in self.test_accounts

    def facts(self, entity: str, column: str) -> list[Row]:
        """Return the current rows of an entity before as_of that belong to no test account."""
        return [row for row in self.current(entity) if row[column] < self.now and not self.is_test(row["account_id"])]

    def _read_products(self) -> None:
        self.product_margins = {
            row["product_id"]: Fraction(row["gross_margin_rate"])
            for row in self.current("products")
            if row["gross_margin_rate"] is not None
        }

    def _margin(self, own: Any, product_id: str | None) -> Fraction:
        if own is not None:
            return Fraction(own)
        return self.product_margins.get(str(product_id), Fraction(str(self.variables["gross_margin_rate"])))

    def _read_orders(self) -> None:
        rows = [row for row in self.current("orders") if row["ordered_at"] < self.now]
        plain = {row["order_id"]: row for row in rows if row["refund_of_order_id"] is None}
        refunds: dict[str, list[Row]] = defaultdict(list)
        self.loose_refunds: list[LooseRefund] = []
        self.cash: list[tuple[str, datetime, Fraction]] = []
        for row in rows:
            if row["refund_of_order_id"] is None:
                continue
            if row["refund_of_order_id"] in plain:
                refunds[row["refund_of_order_id"]].append(row)
            elif not self.is_test(row["account_id"]):
                amount = Fraction(row["amount"]) * self._own_rate(row)
                margin = self._margin(row["margin"], row["product_id"])
                self.loose_refunds.append(LooseRefund(str(self.customer_of(row["account_id"])), amount, margin))
        self.orders: list[Order] = []
        for order_id, row in plain.items():
            if self.is_test(row["account_id"]):
                continue
            customer = str(self.customer_of(row["account_id"]))
            rate = self._own_rate(row)
            amount = Fraction(row["amount"]) * rate
            net = amount + sum(self._worth_on(row["ordered_at"], refund) for refund in refunds[order_id])
            margin = self._margin(row["margin"], row["product_id"])
            self.orders.append(Order(order_id, customer, row["ordered_at"], amount, net, margin))
            self.cash.append((customer, row["ordered_at"], amount))
            for refund in refunds[order_id]:
                booked = Fraction(refund["amount"]) * self._own_rate(refund)
                self.cash.append((customer, refund["ordered_at"], booked))

    def _worth_on(self, day: datetime, refund: Row) -> Fraction:
        """Return the amount of a refund at the rate of the day of its order, else at its own."""
        rate = self.rates.rate(refund["currency"], day)
        return Fraction(refund["amount"]) * (self._own_rate(refund) if rate is None else rate)

    def _own_rate(self, row: Row) -> Fraction:
        rate = self.rates.rate(row["currency"], row["ordered_at"])
        assert rate is not None
        return rate

    def _read_contracts(self) -> None:
        by_subscription: dict[str, list[Row]] = defaultdict(list)
        for row in self.current("subscription_periods"):
            by_subscription[row["subscription_id"]].append(row)
        self.contracts: list[Contract] = []
        for subscription_id, rows in by_subscription.items():
            rows.sort(key=lambda row: row["started_at"])
            for row, later in zip(rows, [*rows[1:], None], strict=True):
                ended_at = row["ended_at"]
                if later is not None and (ended_at is None or later["started_at"] < ended_at):
                    ended_at = later["started_at"]
                if row["started_at"] >= self.now or self.is_test(row["account_id"]):
                    continue
                rate = self.rates.rate(row["currency"], row["started_at"])
                assert rate is not None
                self.contracts.append(
                    Contract(
                        subscription_id=subscription_id,
                        customer=str(self.customer_of(row["account_id"])),
                        started_at=row["started_at"],
                        ended_at=ended_at,
                        mrr=Fraction(row["mrr"]) * rate,
                        margin=self._margin(None, row["product_id"]),
                        plan=row["plan"] or UNKNOWN,
                        cancel_reason=row["cancel_reason"],
                        held_until=ended_at,
                    )
                )
        self.contracts.sort(key=lambda contract: (contract.started_at, contract.subscription_id))
        self.contracts_of: dict[str, list[Contract]] = defaultdict(list)
        for contract in self.contracts:
            self.contracts_of[contract.customer].append(contract)
        for own in self.contracts_of.values():
            self._bridge_gaps(own)

    def _bridge_gaps(self, own: list[Contract]) -> None:
        """Hold the contracts that end before a gap of at most grace_days until the next start."""
        for before, after in gaps(own):
            if after is not None and (after.date() - before.date()).days <= self.variables["grace_days"]:
                ending = [contract for contract in own if contract.ended_at == before]
                lasting = [contract for contract in ending if contract.started_at < before]
                for contract in lasting or ending:
                    contract.held_until = after

    def contract_churns(self, customer: str, known_at: datetime | None = None) -> list[datetime]:
        """Return the ends after which the customer had no contract for longer than grace, in order.

        `known_at` is a day of the past: a contract that starts at or after it bridges no gap yet.
        """
        now = self.now if known_at is None else known_at
        found = []
        for before, after in gaps(self.contracts_of[customer]):
            if before >= now:
                continue
            if after is None or after >= now or (after.date() - before.date()).days > self.variables["grace_days"]:
                found.append(before)
        return found

    # ------------------------------------------------------------------ deals

    def _build_deal(self, row: Row) -> Deal:
        pipeline, stages = self.pipeline_of(row["pipeline"])
        stage = self.stage_of(stages, row["stage"])
        created_at = row["created_at"] if row["created_at"] is not None and row["created_at"] < self.now else None
        every_entry = [
            Entry(entry["entered_at"], self.stage_of(stages, entry["stage"])) for entry in self._history[row["deal_id"]]
        ]
        history = [entry for entry in every_entry if entry.at < self.now]
        outcome, closed_at = "open", None
        if stage is not None and not stage.is_open:
            closed_at = row["closed_at"]
            if closed_at is None:
                # Also those to come: what is closed again after as_of was opened again before, or had not closed.
                same = [
                    entry.at
                    for entry in every_entry
                    if entry.stage is not None
                    and (entry.stage.is_won, entry.stage.is_lost) == (stage.is_won, stage.is_lost)
                ]
                closed_at = max(same) if same else None
            if closed_at is not None and closed_at < self.now:
                outcome = "won" if stage.is_won else "lost"
            else:
                closed_at = None
        entries = history or self._entries_without_history(created_at, stages, stage, bool(every_entry))
        entries.sort(key=lambda entry: (entry.at, entry.stage is None, 0 if entry.stage is None else entry.stage.order))
        rep = self._reps.get(row["owner_id"])
        amount = None
        if row["amount"] is not None:
            rate = self.rates.rate(row["currency"], row["created_at"] if outcome == "open" else closed_at)
            if rate is None and outcome != "open":
                # Closed before the first rate of its currency, says only its history.
                rate = self.rates.rate(row["currency"], self._rate_day(row))
            amount = None if rate is None else Fraction(row["amount"]) * rate
        return Deal(
            deal_id=row["deal_id"],
            customer=self.customer_of(row["account_id"]),
            pipeline=pipeline,
            stages=stages,
            created_at=created_at,
            outcome=outcome,
            closed_at=closed_at,
            amount=amount,
            entries=entries,
            dimensions={
                "rep": row["owner_id"] or UNKNOWN,
                "owner_team": (rep and rep["team"]) or UNKNOWN,
                "owner_region": (rep and rep["region"]) or UNKNOWN,
                "lead_source": row["lead_source"] or UNKNOWN,
                "deal_type": row["deal_type"] or UNKNOWN,
            },
            lost_reason=row["lost_reason"],
            competitor=row["competitor"],
            deal_type=row["deal_type"],
            has_cohort=created_at is not None or bool(history),
        )

    @staticmethod
    def _entries_without_history(
        created_at: datetime | None, stages: list[Stage], stage: Stage | None, has_later_history: bool
    ) -> list[Entry]:
        """A deal without history entered the first open stage when it was created.

        And its own later one, where no later history tells when it came there.
        """
        if created_at is None:
            return []
        open_stages = [one for one in stages if one.is_open]
        entries = [Entry(created_at, open_stages[0])] if open_stages else []
        if not has_later_history and (stage is None or (stage.is_open and stage.order > open_stages[0].order)):
            entries.append(Entry(created_at, stage))
        return entries

    @cached_property
    def _history(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.current("deal_stage_history"):
            found[row["deal_id"]].append(row)
        return found

    @cached_property
    def _reps(self) -> dict[str, Row]:
        return {row["rep_id"]: row for row in self.current("sales_reps")}

    def _read_deals(self) -> None:
        self.deals = []
        for row in self.current("deals"):
            deal = self._build_deal(row)
            began = deal.first_event_at
            if began is not None and began < self.now and not self.is_test(row["account_id"]):
                self.deals.append(deal)

    def rep_dimension(self, rep_id: str, dimension: str) -> str:
        """Return the team or region of a rep, or the rep."""
        if dimension == "rep":
            return rep_id
        rep = self._reps.get(rep_id)
        return (rep and rep["team" if dimension == "owner_team" else "region"]) or UNKNOWN

    # ------------------------------------------------------------------ surveys

    def _read_surveys(self) -> None:
        self.responses: dict[tuple[str, str], list[Response]] = defaultdict(list)
        self.invitations: dict[tuple[str, str], list[Invitation]] = defaultdict(list)
        for row in self.facts("survey_responses", "responded_at"):
            survey_type, scale = self.survey_kind(row["survey"])
            if survey_type in ("nps", "enps"):
                self.responses[survey_type, SURVEY_SCALES[scale]].append(
                    Response(
                        row["response_id"],
                        row["survey"],
                        self.customer_of(row["account_id"]),
                        row["respondent_id"],
                        row["score"],
                        row["responded_at"],
                    )
                )
        for row in self.facts("survey_invitations", "sent_at"):
            survey_type, scale = self.survey_kind(row["survey_id"])
            if survey_type in ("nps", "enps") and scale in SURVEY_SCALES:
                self.invitations[survey_type, SURVEY_SCALES[scale]].append(
                    Invitation(
                        row["invitation_id"],
                        row["survey_id"],
                        self.customer_of(row["account_id"]),
                        row["respondent_id"],
                        row["sent_at"],
                        row["delivered"] is not False,
                    )
                )

    # ------------------------------------------------------------------ buying

    @cached_property
    def qualifying_orders(self) -> dict[str, list[Order]]:
        """Qualifying orders of each customer who has any, by time."""
        found: dict[str, list[Order]] = defaultdict(list)
        for order in sorted(self.orders, key=lambda order: (order.at, order.order_id)):
            if order.is_qualifying:
                found[order.customer].append(order)
        return dict(found)

    @cached_property
    def order_days(self) -> dict[str, list[date]]:
        """Distinct qualifying order days of each buyer, in order."""
        return {
            customer: sorted({order.at.date() for order in orders})
            for customer, orders in self.qualifying_orders.items()
        }

    @cached_property
    def inactivity_days(self) -> int:
        """The window W: the variable, or learned from the gaps between order days."""
        given = self.variables["inactivity_days"]
        return int(given) if given is not None else learned_window(self.order_days, self.now.date())

    def purchase_churns(self, customer: str) -> list[date]:
        """Return the churn dates of a buyer, in order: last order day before a gap longer than W, plus W."""
        days = self.order_days[customer]
        window = timedelta(days=self.inactivity_days)
        ends = [*days[1:], self.now.date()]
        return [day + window for day, after in zip(days, ends, strict=True) if day + window < after]

    def dimension_of(self, customer: str | None, dimension: str) -> str:
        """Return an attribute of a customer, `(unknown)` when there is none."""
        if customer is None or customer not in self.customers:
            return UNKNOWN
        return self.customers[customer].attributes[dimension]


def gaps(own: list[Contract]) -> list[tuple[datetime, datetime | None]]:
    """Return the gaps between the contracts of one customer: (last end, next start or None), by time."""
    found: list[tuple[datetime, datetime | None]] = []
    last_end: datetime | None = None
    for contract in own:
        if last_end is not None and contract.started_at > last_end:
            found.append((last_end, contract.started_at))
        if contract.ended_at is None:
            return found
        last_end = contract.ended_at if last_end is None else max(last_end, contract.ended_at)
    if last_end is not None:
        found.append((last_end, None))
    return found


def learned_window(order_days: dict[str, list[date]], today: date) -> int:
    """Learn W: the smallest whole w >= 30 after which waiting 180 more days brings back at most a tenth."""
    closed: dict[int, int] = defaultdict(int)
    every: dict[int, int] = defaultdict(int)
    for days in order_days.values():
        for before, after in pairwise(days):
            closed[(after - before).days] += 1
            every[(after - before).days] += 1
        every[(today - days[-1]).days] += 1
    if not every:
        return 180
    longest = max(every)
    at_risk = sum(every.values())
    survival = Fraction(1)
    by_day = []
    for day in range(longest + 1):
        if closed[day]:
            survival *= 1 - Fraction(closed[day], at_risk)
        at_risk -= every[day]
        by_day.append(survival)
    for window in range(30, longest - 180 + 1):
        if by_day[window] > 0 and 1 - by_day[window + 180] / by_day[window] <= Fraction("0.10") + Fraction("1e-9"):
            return window
    return 180
