"""Who a customer is in the landing zone: the ids, names, tokens and comments that are only theirs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.contract import entities
from warehouse.engine import literal, open_engine
from warehouse.landing.zone import delivered_at, landed_rows, read_loads
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import mart_tables
from warehouse.publishing.live import read_mart_run

# Shorter names are words of other texts as well.
SHORTEST_NAME = 4
# Identifiers that a customer's rows carry: kind, entity, its id, and the column that names the account.
_EXCLUSIVE = (
    ("deal", "deals", "deal_id", "account_id"),
    ("order", "orders", "order_id", "account_id"),
    ("lead", "leads", "lead_id", "converted_account_id"),
    ("contact", "contacts", "contact_id", "account_id"),
    ("respondent", "survey_responses", "respondent_id", "account_id"),
    ("respondent", "survey_invitations", "respondent_id", "account_id"),
)


@dataclass(frozen=True)
class Customer:
    """One customer. `identifiers` are by kind (erasing.memory); tokens, names and comments are exact."""

    identifiers: dict[str, set[str]]
    tokens: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    comments: set[str] = field(default_factory=set)

    @property
    def accounts(self) -> set[str]:
        """The ids of the customer's accounts, merged ones included."""
        return self.identifiers["account"]

    @property
    def texts(self) -> set[str]:
        """Texts that give the customer away wherever they stand."""
        return self.tokens | {text for text in self.names | self.comments if len(text) >= SHORTEST_NAME}


def find_customer(paths: WarehousePaths, account_id: str) -> Customer | None:
    """Return the customer of an account, or None when no landed row names it.

    Accounts that are merged are one customer, whichever of them is named. An identifier that rows of other
    customers carry as well is not taken: it is not this customer's.
    """
    connection = open_engine()
    try:
        accounts = _merged_accounts(connection, paths, account_id)
        connection.execute("create table ids as select unnest(?::varchar[]) as id", [sorted(accounts)])
        if not _is_known(connection, paths.landing):
            return None
        identifiers = {"account": accounts}
        for kind, entity, key, owner in _EXCLUSIVE:
            found = _exclusive_keys(connection, paths.landing, entity, key, owner)
            identifiers.setdefault(kind, set()).update(found)
        tokens = _texts(connection, paths.landing, (("accounts", "email"), ("contacts", "email")))
        # A respondent may be known by the address alone.
        identifiers["respondent"] |= tokens
        names = _texts(connection, paths.landing, (("accounts", "account_name"), ("contacts", "full_name")))
        comments = _texts(connection, paths.landing, (("survey_responses", "comment"),))
        return Customer(identifiers, tokens, names, comments)
    finally:
        connection.close()


def _rows(landing: Path, entity: str) -> str:
    return landed_rows(landing, entities()[entity])


def _merged_accounts(connection: Any, paths: WarehousePaths, account_id: str) -> set[str]:
    """Return the ids that the latest merges join with an account, in both directions, itself included.

    The latest row of an account is that of the models: by the age of its delivery, then by file and line, without the
    rows that the published build refused.
    """
    refused = "select null as load_id, null as file, null as record_number where false"
    if read_mart_run(paths.published_file) is not None:
        connection.execute(f"attach {literal(str(paths.published_file))} as live (read_only)")
        if "quarantined_rows" in mart_tables(connection, "live"):
            refused = "select load_id, file, record_number from live.marts.quarantined_rows where entity = 'accounts'"
    loads = [load for load in read_loads(paths) if load["entity"] == "accounts"]
    ages = [(load["load_id"], load["file"], delivered_at(load, loads), load["load_sequence"]) for load in loads]
    connection.execute(
        "create table deliveries (load_id text, file text, delivered_at timestamp, load_sequence bigint)"
    )
    if ages:
        connection.executemany("insert into deliveries values (?, ?, ?, ?)", ages)
    pairs = connection.execute(
        f"""
        select account_id, merged_into_account_id
        from {_rows(paths.landing, "accounts")} as delivered
        left join deliveries using (load_id, file)
        anti join ({refused}) as refused using (load_id, file, record_number)
        qualify row_number() over (
            partition by account_id
            order by
                coalesce(delivered_at, landed_at) desc, load_sequence desc, load_id desc, file desc, line_number desc
        ) = 1 and merged_into_account_id is not null
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


def _is_known(connection: Any, landing: Path) -> bool:
    for entity in entities().values():
        for column in ("account_id", "converted_account_id", "referred_by_account_id"):
            if column in entity.column_names:
                rows = _rows(landing, entity.name)
                query = f"select 1 from {rows} where {column} in (select id from ids) limit 1"  # noqa: S608
                if connection.execute(query).fetchall():
                    return True
    return False


def _exclusive_keys(connection: Any, landing: Path, entity: str, key: str, owner: str) -> set[str]:
    rows = connection.execute(
        f"""
        select {key} from {_rows(landing, entity)} where {key} is not null group by {key}
        having bool_or({owner} in (select id from ids))
            and bool_and(coalesce({owner} in (select id from ids), true))
        """  # noqa: S608
    ).fetchall()
    return {row[0] for row in rows}


def _texts(connection: Any, landing: Path, columns: tuple[tuple[str, str], ...]) -> set[str]:
    """Return the texts of the customer's rows in these columns that no other customer's row has."""
    mine: set[str] = set()
    others: set[str] = set()
    for entity, column in columns:
        source = _rows(landing, entity)
        rows = connection.execute(
            f"""
            select distinct {column}, coalesce(account_id in (select id from ids), false) from {source}
            where {column} in (
                select {column} from {source}
                where account_id in (select id from ids) and {column} is not null
            )
            """  # noqa: S608
        ).fetchall()
        mine |= {text for text, is_mine in rows if is_mine}
        others |= {text for text, is_mine in rows if not is_mine}
    return mine - others
