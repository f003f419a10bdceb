"""`warehouse erase` from start to end."""

from dataclasses import dataclass

from warehouse.engine import SPILL
from warehouse.erasing.customer import Customer, find_customer
from warehouse.erasing.landing import LandedErasure, commit_erasure, prepare_erasure
from warehouse.erasing.memory import erased_hashes, identifier_hash, remember
from warehouse.erasing.versions import scrub_versions
from warehouse.errors import WarehouseError
from warehouse.files import remove
from warehouse.landing import zone
from warehouse.landing.personal_data import Tokens, token_key
from warehouse.locks import exclusive
from warehouse.paths import WarehousePaths

# What plain `dbt build` leaves in WAREHOUSE_DIR, and what builds leave.
_BUILD_STATE = ("build.duckdb", "build.duckdb.wal", "marts_build.duckdb", "marts_build.duckdb.wal", "spill")


@dataclass(frozen=True)
class Erased:
    """What an erasure removed: accounts of the customer, landed rows, and rows in kept versions by run."""

    accounts: int
    landed_rows: int
    version_rows: dict[str, int]


def erase_customer(paths: WarehousePaths, account_id: str) -> Erased:
    """Erase the customer of an account from everything below WAREHOUSE_DIR.

    The landed files change last and together: an erasure that was killed is repeated by running it again.
    Raises WarehouseError when nothing landed or kept names the account.
    """
    with exclusive(paths, "an erasure"), zone.locked(paths):
        return _erase(paths, account_id)


def _erase(paths: WarehousePaths, given: str) -> Erased:
    zone.ensure_landing_zone(paths)
    zone.sweep(paths)
    key = token_key(paths.root)
    # An account may be identified by an address, of which only the token was ever written.
    account_id = Tokens(key).text(given.strip())
    found = find_customer(paths, account_id)
    customer = found or Customer({"account": {account_id}})
    is_remembered = identifier_hash(key, "account", account_id) in erased_hashes(paths)
    if found:
        landed = prepare_erasure(paths, customer)
        remember(paths, customer.identifiers)
    else:
        landed = LandedErasure()
    versions = scrub_versions(paths, customer, landed)
    if not found and not is_remembered and not any(versions.values()):
        raise WarehouseError(_unknown_message(paths))
    for name in _BUILD_STATE:
        remove(paths.root / name)
    for folder in (paths.builds, paths.root / "cache", *paths.root.glob(f"{SPILL}*")):
        remove(folder)
    commit_erasure(paths)
    return Erased(len(customer.accounts), landed.count, versions)


def _unknown_message(paths: WarehousePaths) -> str:
    if zone.read_loads(paths):
        return "no landed row and no kept version names this account: ids compare exactly, check the spelling"
    return (
        "nothing is landed: a company in seeds/ is erased there, by deleting its rows from the files, "
        "and built again; or land its exports with `warehouse land`"
    )
