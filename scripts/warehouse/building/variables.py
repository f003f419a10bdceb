"""The dbt variables of a build: from the command line (checked), and from the last publication."""

import datetime
import re
import zoneinfo
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

import duckdb
import yaml

from warehouse.contract import entities
from warehouse.paths import PROJECT_DIR

MANAGED = {
    "landing_zone": "the landing zone is WAREHOUSE_DIR/landing: set the environment variable WAREHOUSE_DIR",
    "keeps_rows": "`warehouse build` keeps the typed rows by itself",
    "rules_of_vars": "it says what the others may be",
}


# A user with a password before the server or bucket of a URI; abfss://container@account has none.
_CREDENTIALS = re.compile(r"\w+://[^/@]*:.*@.*", re.DOTALL)


class VariableError(ValueError):
    """A variable that the project does not have, or a value that it cannot take: wrong usage."""


@cache
def project_settings() -> Mapping[str, Any]:
    """Return dbt_project.yml, which is read once."""
    settings: dict[str, Any] = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    return settings


@cache
def _profile() -> Mapping[str, Any]:
    """Return the profile of the project in profiles.yml."""
    profiles = yaml.safe_load((PROJECT_DIR / "profiles.yml").read_text(encoding="utf-8"))
    profile: dict[str, Any] = profiles[project_settings()["profile"]]
    return profile


def targets() -> dict[str, str]:
    """Return the targets of profiles.yml with the type of each, for example {"duckdb": "duckdb"}."""
    return {name: output["type"] for name, output in _profile()["outputs"].items()}


def default_target() -> str:
    """Return the target that dbt takes when none is named."""
    return str(_profile()["target"])


def parse_variables(text: str | None, as_of: datetime.date | None) -> dict[str, Any]:
    """Return the variables of `--vars` (YAML) and `--as-of` together.

    dbt ignores a name that it does not know, and the build would be green without it: here it is refused.
    Raises VariableError.
    """
    values = _read(text)
    known = project_settings()["vars"]
    folders = values.get("raw_folders")
    if isinstance(folders, dict) and any(_CREDENTIALS.match(str(each)) for each in folders.values()):
        # Not quoted: what is given here would stand in the files of the build as well.
        raise VariableError("raw_folders holds credentials in a URI: give them to the engine (docs/engines.md)")
    for name in values:
        if name in MANAGED:
            raise VariableError(f"{name} cannot be set here: {MANAGED[name]}")
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else "dbt_project.yml lists the variables"
            raise VariableError(f"no variable {name}: {hint}")
        _check(str(name), values[name])
    if as_of is not None:
        if str(values.get("as_of", as_of)) != as_of.isoformat():
            raise VariableError("--as-of and the as_of of --vars differ: give one of them")
        values["as_of"] = as_of.isoformat()
    if values.get("as_of") is not None:
        values["as_of"] = _date(values["as_of"]).isoformat()
    return values


def _check(name: str, given: Any) -> None:
    """Refuse a value that does not fit the rule of its variable, as the macro check_vars does."""
    rule = project_settings()["vars"]["rules_of_vars"].get(name)
    if rule is None:
        return
    pattern, values = rule.get("pattern"), [given]
    if mapping_of := rule.get("mapping_of"):
        ((key_pattern, pattern),) = mapping_of.items()
        if not isinstance(given, Mapping | None):
            raise _cannot_be(name, given)
        for key in given or {}:
            if not re.fullmatch(key_pattern, str(key)):
                raise _cannot_be(name, key)
        values = list((given or {}).values())
    elif list_of := rule.get("list_of"):
        pattern = list_of
        if not isinstance(given, list | None):
            raise _cannot_be(name, given)
        values = given or []
        for value, times in Counter(map(str, values)).items():
            if times > 1:
                raise _cannot_be(name, f"{value} twice")
    # An empty list is no value at all.
    for value in values or [None]:
        text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        if not re.fullmatch(pattern, text):
            raise _cannot_be(name, text)
    if name == "reporting_timezone" and not _is_timezone(given):
        raise _cannot_be(name, given)
    if name == "raw_folders":
        for entity, folder in (given or {}).items():
            if entity not in entities():
                raise _cannot_be(name, entity, f"name entities: {', '.join(entities())}")
            if not folder:
                raise _cannot_be(name, f"{entity}: {folder}", "name a folder or URI for each entity")


def _cannot_be(name: str, given: Any, has_to: str | None = None) -> VariableError:
    has_to = has_to or f"be {project_settings()['vars']['rules_of_vars'][name]['says']}"
    return VariableError(f"{name} cannot be {given}: it has to {has_to}; dbt_project.yml explains it")


def _is_timezone(name: str) -> bool:
    # The engine takes abbreviations too, which no other one does; a machine may lack the database of Python.
    known = zoneinfo.available_timezones() or {name}
    query = "select count(*) from pg_timezone_names() where name = ?"
    return name in known and bool(duckdb.execute(query, [name]).fetchall() != [(0,)])


def _read(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:
        raise VariableError("--vars is no YAML, like '{as_of: 2025-07-01, grace_days: 7}'") from None
    except ValueError:
        raise VariableError("--vars holds a day that no calendar has") from None
    if not isinstance(values, dict):
        raise VariableError("--vars is no mapping, like '{as_of: 2025-07-01, grace_days: 7}'")
    return {str(name): _without_dates(value) for name, value in values.items()}


def _without_dates(value: Any) -> Any:
    """Return a value of YAML with its days and times as texts, as they were given."""
    return str(value) if isinstance(value, datetime.date) else value


def _date(value: Any) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise VariableError("as_of is no date, like 2025-07-01") from None


def with_published_window(values: Mapping[str, Any], inactivity_days: int | None, relearn: bool) -> dict[str, Any]:
    """Return the variables with the published inactivity window, so that published periods do not restate.

    A window of the command line wins; `relearn` leaves the window to be learned again.
    """
    if relearn or inactivity_days is None or values.get("inactivity_days") is not None:
        return dict(values)
    return {**values, "inactivity_days": inactivity_days}
