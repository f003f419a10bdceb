"""`warehouse erase` from start to end."""

from dataclasses import dataclass, field

from warehouse.building.folders import sweep
from warehouse.engine import SPILL
from warehouse.erasing.customer import Customer, find_customer
from warehouse.erasing.landing import LandedErasure, commit_erasure, finish_erasure, prepare_erasure
from warehouse.erasing.memory import erased_hashes, identifier_hash, remember
from warehouse.erasing.versions import look_at_versions, name_account, scrub_versions
from warehouse.errors import WarehouseError
from warehouse.files import remove
from warehouse.landing import zone
from warehouse.landing.personal_data import Tokens, token_key
from warehouse.locks import exclusive
from warehouse.paths import WarehousePaths
from warehouse.publishing.versions import bring_back_versions

# What plain `dbt build` leaves in WAREHOUSE_DIR, and what builds leave.
_BUILD_STATE = ("build.duckdb", "build.duckdb.wal", "marts_build.duckdb", "marts_build.duckdb.wal", "spill")


@dataclass(frozen=True)
class Erased:
    """What an erasure removed: accounts of the customer, landed rows, and rows in kept versions by run.

    `dropped` names what could not be read, and was removed as a whole.
    """

    accounts: int
    landed_rows: int
    version_rows: dict[str, int]
    dropped: list[str] = field(default_factory=list)


def erase_customer(paths: WarehousePaths, account_id: str) -> Erased:
    """Erase the customer of an account from everything below WAREHOUSE_DIR.

    Raises WarehouseError, and changes nothing, when nothing landed or kept names the account.
    """
    with exclusive(paths, "an erasure"), zone.locked(paths):
        return _erase(paths, account_id)


def _erase(paths: WarehousePaths, given: str) -> Erased:
    """Erase in an order in which whatever fails or is killed is finished by the same call again.

    What says who the customer is, the landed files, changes last and together; the memory is written first.
    """
    zone.ensure_landing_zone(paths)
    zone.sweep(paths)
    finish_erasure(paths)
    bring_back_versions(paths)
    key = token_key(paths.root)
    # An account may be identified by an address, of which only the token was ever written.
    account_id = Tokens(key).text(given.strip())
    found = find_customer(paths, account_id)
    customer = found or Customer({"account": {account_id}})
    kept = look_at_versions(paths)
    is_remembered = identifier_hash(key, "account", account_id) in erased_hashes(paths)
    if not found and not is_remembered and not name_account(paths, kept, customer):
        raise WarehouseError(_unknown_message(paths))
    # Killed builds and publications leave files that nobody else would search.
    sweep(paths)
    remember(paths, customer.identifiers)
    landed = prepare_erasure(paths, customer) if found else LandedErasure()
    scrubbed = scrub_versions(paths, kept, customer, landed)
    for name in _BUILD_STATE:
        remove(paths.root / name)
    for folder in (paths.builds, paths.root / "cache", *paths.root.glob(f"{SPILL}*")):
        remove(folder)
    commit_erasure(paths)
    return Erased(len(customer.accounts), landed.count, scrubbed.rows, scrubbed.dropped)


def _unknown_message(paths: WarehousePaths) -> str:
    if zone.read_loads(paths):
        return (
            "no such account: no landed row and no kept version names this account; "
            "ids compare exactly, check the spelling"
        )
    return (
        "nothing is landed: a company in seeds/ is erased there, by deleting its rows from the files, "
        "and built again; or land its exports with `warehouse land`"
    )
