"""Who a customer is in the landing zone: the ids, tokens and names that are only theirs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contract import entities
from warehouse.engine import literal, open_engine
from warehouse.erasing.columns import KEYS
from warehouse.erasing.memory import Contains
from warehouse.erasing.texts import patterns_of_names, patterns_of_tokens
from warehouse.erasing.torn_lines import lines_of_erased
from warehouse.landing.personal_data import TOKEN
from warehouse.landing.zone import DELETIONS, QUARANTINE, delivered_at, landed_rows, read_loads
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import mart_tables
from warehouse.publishing.live import read_mart_run

_ACCOUNT_COLUMNS = ("account_id", "converted_account_id", "referred_by_account_id")
_ACCOUNT = "account_id"
# Keys that other rows and marts do not name are taken only where an older row says another owner: all other rows of
# the customer go by their account, and stay away by it.
_NAMED_BY_THEIR_OWN_ROWS_ONLY = ("subscription_periods", "activities", "support_tickets", "survey_invitations")
# The current row of a key is that of the models: what the published build refused is none, unless there is no other.
_NEWEST_FIRST = """
    is_refused, coalesce(delivered_at, landed_at) desc, load_sequence desc, load_id desc, file desc, line_number desc
"""

_DELIVERIES_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("entity", pa.string()),
        ("file", pa.string()),
        ("delivered_at", pa.timestamp("us")),
        ("load_sequence", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Customer:
    """One customer. `identifiers` are by kind (erasing.memory); tokens are exact, names whole words in any case."""

    identifiers: dict[str, set[str]]
    tokens: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    @property
    def accounts(self) -> set[str]:
        """The ids of the customer's accounts, merged ones included."""
        return self.identifiers["account"]

    @cached_property
    def token_patterns(self) -> list[str]:
        """Patterns of what is taken out of any text."""
        return patterns_of_tokens(self.tokens)

    @cached_property
    def patterns(self) -> list[str]:
        """Patterns of what is taken out of texts that people write freely."""
        return [*self.token_patterns, *patterns_of_names(self.names)]

    @property
    def contains(self) -> Contains:
        """The test "is this the customer's?" for arrays of identifiers of a kind."""

        def contains(kind: str, values: pa.Array) -> pa.Array:
            return pc.is_in(values, value_set=pa.array(sorted(self.identifiers.get(kind, ())), pa.string()))

        return contains


def find_customer(paths: WarehousePaths, account_id: str) -> Customer | None:
    """Return the customer of an account, or None when nothing landed names it.

    Accounts that are merged are one customer, whichever of them is named. A key is the customer's whose current row
    is. A token, name or respondent that rows of other customers carry as well is not taken.
    """
    connection = open_engine()
    try:
        landed = _Landed(connection, paths)
        accounts = landed.merged_accounts(account_id)
        landed.keep("account", accounts)
        if not landed.names_accounts() and not _is_named_elsewhere(paths, Customer({"account": accounts})):
            return None
        return landed.customer(accounts)
    finally:
        connection.close()


def _is_named_elsewhere(paths: WarehousePaths, customer: Customer) -> bool:
    """Tell whether a row of bad structure names an account, or one that says that the account was deleted."""
    for path in sorted((paths.landing / QUARANTINE).glob("*.parquet")):
        if any(lines_of_erased(pq.read_table(path, partitioning=None), customer.contains)):
            return True
    for path in sorted((paths.landing / DELETIONS).glob("*.parquet")):
        table = pq.read_table(path, partitioning=None)
        keys = table.filter(pc.equal(table.column("entity"), "accounts")).column("key_value").to_pylist()
        if not customer.accounts.isdisjoint(keys):
            return True
    return False


def _is_in(column: str, kind: str) -> str:
    """Return the SQL of "is this the customer's?" for a column; NULL where there is no value."""
    return f"case when {column} is not null then {column} in (select id from {kind}_ids) end"  # noqa: S608


class _Landed:
    """The landing zone, asked for one customer. What is found of a kind is kept in the table `<kind>_ids`."""

    def __init__(self, connection: Any, paths: WarehousePaths) -> None:
        self._connection = connection
        self._paths = paths
        self._read_deliveries()
        self._read_refused()

    def _read_deliveries(self) -> None:
        loads = read_loads(self._paths)
        by_entity = {name: [load for load in loads if load["entity"] == name] for name in entities()}
        ages = [{**load, "delivered_at": delivered_at(load, alike)} for alike in by_entity.values() for load in alike]
        self._connection.register("given_deliveries", pa.Table.from_pylist(ages, _DELIVERIES_SCHEMA))
        self._connection.execute("create table deliveries as from given_deliveries")

    def _read_refused(self) -> None:
        """Read which rows the published build refused; without one that can be read it refused none."""
        import duckdb

        self._connection.execute("create table refused (load_id text, entity text, file text, record_number bigint)")
        if read_mart_run(self._paths.published_file) is None:
            return
        self._connection.execute(f"attach {literal(str(self._paths.published_file))} as live (read_only)")
        if "quarantined_rows" in mart_tables(self._connection, "live"):
            try:
                self._connection.execute(
                    "insert into refused "
                    "select distinct load_id, entity, file, record_number from live.marts.quarantined_rows"
                )
            except duckdb.Error:
                self._connection.execute("delete from refused")
        self._connection.execute("detach live")

    def _rows(self, entity: str) -> str:
        """Return the landed rows of an entity with all that says which of them is current, as a table expression."""
        rows = landed_rows(self._paths.landing, entities()[entity])
        return f"""(
            select
                delivered.*, deliveries.delivered_at, deliveries.load_sequence,
                refused.file is not null as is_refused
            from {rows} as delivered
            left join deliveries
                on deliveries.entity = {literal(entity)}
                and (delivered.load_id, delivered.file) = (deliveries.load_id, deliveries.file)
            left join refused
                on refused.entity = {literal(entity)}
                and (delivered.load_id, delivered.file, delivered.record_number)
                = (refused.load_id, refused.file, refused.record_number)
        )"""  # noqa: S608

    def keep(self, kind: str, identifiers: Iterable[str]) -> set[str]:
        """Keep identifiers of a kind for the questions that follow, and return them."""
        found = set(identifiers)
        self._connection.execute(
            f"create or replace table {kind}_ids as select unnest(?::varchar[]) as id", [sorted(found)]
        )
        return found

    def merged_accounts(self, account_id: str) -> set[str]:
        """Return the ids that the latest merges join with an account, in both directions, itself included."""
        pairs = self._connection.execute(
            f"""
            select account_id, merged_into_account_id
            from {self._rows("accounts")}
            where not is_refused
            qualify row_number() over (partition by account_id order by {_NEWEST_FIRST}) = 1
                and merged_into_account_id is not null
            """  # noqa: S608
        ).fetchall()
        found, waiting = {account_id}, [account_id]
        while waiting:
            each = waiting.pop()
            for source, target in pairs:
                for here, there in ((source, target), (target, source)):
                    if here == each and there is not None and there not in found:
                        found.add(there)
                        waiting.append(there)
        return found

    def names_accounts(self) -> bool:
        """Tell whether a landed row names one of the accounts."""
        for entity in entities().values():
            for column in _ACCOUNT_COLUMNS:
                if column in entity.column_names:
                    rows = landed_rows(self._paths.landing, entity)
                    query = f"select 1 from {rows} where {column} in (select id from account_ids) limit 1"  # noqa: S608
                    if self._connection.execute(query).fetchall():
                        return True
        return False

    def customer(self, accounts: set[str]) -> Customer:
        """Return all that is only this customer's."""
        identifiers = {"account": accounts}
        for entity in ("contacts", "deals", "orders"):
            kind = KEYS[entity].kind
            identifiers[kind] = self.keep(kind, self._owned(entity, _is_in(_ACCOUNT, "account")))
        tokens = self._tokens() | set(TOKEN.findall("\n".join(accounts)))
        self.keep("token", tokens)
        identifiers["respondent"] = self.keep("respondent", self._respondents() | tokens)
        by_deal = f"coalesce({_is_in('converted_account_id', 'account')}, {_is_in('converted_deal_id', 'deal')})"
        identifiers["lead"] = self._owned("leads", by_deal)
        tokens_of_cell = f"regexp_extract_all(respondent_id, {literal(TOKEN.pattern)})"
        by_token = f"coalesce(list_has_any({tokens_of_cell}, (select list(id) from token_ids)), false)"  # noqa: S608
        by_person = f"coalesce({_is_in(_ACCOUNT, 'account')}, {_is_in('respondent_id', 'respondent')} or {by_token})"
        identifiers["response"] = self._owned("survey_responses", by_person)
        for entity in _NAMED_BY_THEIR_OWN_ROWS_ONLY:
            is_mine = by_person if entity == "survey_invitations" else _is_in(_ACCOUNT, "account")
            identifiers[KEYS[entity].kind] = self._owned(entity, is_mine, is_moved=True)
        return Customer(identifiers, tokens, self._names())

    def _owned(self, entity: str, is_mine: str, is_moved: bool = False) -> set[str]:
        """Return the keys whose current row is the customer's: the newest one that says whose it is.

        With `is_moved` only those of which another row says something else.
        """
        moved = "and not bool_and(coalesce(is_mine, false))" if is_moved else ""
        rows = self._connection.execute(
            f"""
            with said as (select *, {KEYS[entity].sql} as row_key, {is_mine} as is_mine from {self._rows(entity)})
            select row_key from said
            where row_key in (select row_key from said where is_mine)
            group by row_key
            having first(is_mine order by {_NEWEST_FIRST}) filter (where is_mine is not null) {moved}
            """  # noqa: S608
        ).fetchall()
        return {row[0] for row in rows}

    def _respondents(self) -> set[str]:
        """Return the respondents who answered, or were invited, for no other account than the customer's.

        Rows that go with their key say nothing against it.
        """
        is_mine = _is_in(_ACCOUNT, "account")
        parts = []
        for entity in ("survey_responses", "survey_invitations"):
            key = KEYS[entity]
            self.keep(key.kind, self._owned(entity, is_mine))
            said = f"case when {key.sql} in (select id from {key.kind}_ids) then true else {is_mine} end"  # noqa: S608
            rows = landed_rows(self._paths.landing, entities()[entity])
            parts.append(f"select respondent_id, {said} as is_mine from {rows} where respondent_id is not null")  # noqa: S608
        rows = self._connection.execute(
            f"""
            select respondent_id from ({" union all ".join(parts)}) group by respondent_id
            having bool_or(is_mine) and bool_and(coalesce(is_mine, true))
            """  # noqa: S608
        ).fetchall()
        return {row[0] for row in rows}

    def _persons(self) -> str:
        """Return e-mail cell and name of every landed account and contact, and whether it is the customer's."""
        is_mine = f"coalesce({_is_in(_ACCOUNT, 'account')}, false)"
        of_contact = f"{is_mine} or coalesce({_is_in('contact_id', 'contact')}, false)"
        accounts, contacts = (landed_rows(self._paths.landing, entities()[name]) for name in ("accounts", "contacts"))
        return f"""(
            select email, account_name as name, {is_mine} as is_mine from {accounts}
            union all
            select email, full_name as name, {of_contact} as is_mine from {contacts}
        )"""  # noqa: S608

    def _tokens(self) -> set[str]:
        """Return the tokens of all addresses in the customer's e-mail cells that stand in no other customer's."""
        rows = self._connection.execute(
            f"""
            select token
            from (select unnest(regexp_extract_all(email, ?)) as token, is_mine from {self._persons()})
            group by token having bool_and(is_mine)
            """,  # noqa: S608
            [TOKEN.pattern],
        ).fetchall()
        return {row[0] for row in rows}

    def _names(self) -> set[str]:
        """Return the names of the customer and its contacts that no other customer has, in whatever case."""
        rows = self._connection.execute(
            f"""
            with persons as (select * from {self._persons()} where name is not null)
            select distinct name from persons
            where lower(name) in (select lower(name) from persons where is_mine)
            qualify bool_and(is_mine) over (partition by lower(name))
            """  # noqa: S608
        ).fetchall()
        return {row[0] for row in rows}
