"""Finds what can be changed in the templates of models and macros and wraps it in marks that survive rendering."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation_testing.operators import Change, regex_changes, sql_changes

# Characters of the private use area: no template holds them, and they pass through Jinja and SQL strings alike.
_OPEN, _MIDDLE, _CLOSE = "\ue000", "\ue001", "\ue002"
MARK = re.compile(f"{_OPEN}(\\d+){_MIDDLE}(.*?){_CLOSE}", re.DOTALL)

# Read while dbt compiles, or only with a landing zone, which unit tests do not have: tested through `warehouse land`.
NOT_MUTATED = {
    "macros/project/generate_schema_name.sql": "names schemas, no data",
    "macros/engine/landing.sql": "reads files of the landing zone",
    "macros/staging/input_contract.sql": "reads the contract while dbt compiles",
    "macros/staging/deliveries.sql": "reads the load registry of the landing zone",
    "macros/staging/delivered_rows.sql": "reads the files of the landing zone or the seeds",
}

_TOKENS = re.compile(
    r"(?P<comment>\{#.*?#\})|(?P<statement>\{%.*?%\})|(?P<expression>\{\{.*?\}\})|(?P<note>--[^\n]*)|(?P<string>'[^']*')",
    re.DOTALL,
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_LOOKS_LIKE_SQL = re.compile(
    r"\b(?:sum|count|min|max|case|coalesce|cast|left join|lower|grouping|nullif|extract)\b"
    r"|[\w)] [-+*/<>=]=? |^[-+]$|\bis null\b"
)


@dataclass(frozen=True)
class Mutant:
    """One change: mark `point` of `path` (line `line`) is replaced by `replacement`."""

    number: int
    point: int
    path: str
    line: int
    family: str
    original: str
    replacement: str
    context: str

    @property
    def name(self) -> str:
        """Stable name, without line numbers, so that accepted survivors keep theirs when lines move."""
        return f"{self.path}: {self.context} [{self.original} -> {self.replacement}]"


@dataclass
class _Marker:
    path: str
    source: str
    mutants: list[Mutant]
    next_point: int

    def wrap(self, text: str, offset: int, changes: Iterator[Change], quote: str = "") -> str:
        """Return the text with a mark around each change; `offset` is where the text lies in the source."""
        out: list[str] = []
        at = 0
        for change in changes:
            original = text[change.start : change.end]
            start = offset + change.start
            line = self.source.count("\n", 0, start) + 1
            context = self.source.splitlines()[line - 1].strip()
            for replacement in change.replacements:
                self.mutants.append(
                    Mutant(
                        len(self.mutants),
                        self.next_point,
                        self.path,
                        line,
                        change.family,
                        original,
                        replacement,
                        context,
                    )
                )
            out.append(text[at : change.start])
            out.append(f"{quote}{_OPEN}{self.next_point}{_MIDDLE}{original}{_CLOSE}{quote}")
            at = change.end
            self.next_point += 1
        out.append(text[at:])
        return "".join(out)


def is_regex(text: str) -> bool:
    """Tell whether the text of a Jinja string is a regular expression (or a part of one)."""
    return bool(re.search(r"\[[^\]]+\]|\^|\(\?", text)) and " as " not in text


def _mark_jinja(token: str, offset: int, marker: _Marker) -> str:
    """Mark the SQL inside the strings of a Jinja expression or statement."""
    if "raise_compiler_error" in token or "adapter.dispatch" in token:
        return token

    out: list[str] = []
    at = 0
    for match in _QUOTED.finditer(token):
        out.append(token[at : match.start()])
        inner = match.group()[1:-1]
        find: Callable[[str], Iterator[Change]] | None = None
        if is_regex(inner):
            find = regex_changes
        elif _LOOKS_LIKE_SQL.search(inner):
            find = sql_changes
        quote = match.group()[0]
        marked = (
            _mark_sql(inner, offset + match.start() + 1, marker)
            if find is sql_changes and "'" in inner
            else (marker.wrap(inner, offset + match.start() + 1, find(inner)) if find else inner)
        )
        out.append(quote + marked + quote)
        at = match.end()
    out.append(token[at:])
    text = "".join(out)
    # A number as the last argument of a macro call (add_days(…, -90)) becomes a marked string.
    return _mark_last_number(text, token, offset, marker)


def _mark_last_number(text: str, token: str, offset: int, marker: _Marker) -> str:
    match = re.search(r", (-?\d+)\) ?-?\}\}$", text)
    if match is None or not re.match(r"\{\{-? ?(?:add_days|add_months)\(", token):
        return text
    number = match.group(1)
    value = int(number)
    place = offset + token.rindex(number)
    changes = iter([Change(0, len(number), "constant", (str(value + 1), str(value - 1)))])
    marked = marker.wrap(number, place, changes, quote="'")
    return text[: match.start(1)] + marked + text[match.end(1) :]


def _mark_sql(text: str, offset: int, marker: _Marker) -> str:
    """Mark SQL code, leaving strings and comments alone."""
    out: list[str] = []
    at = 0
    for match in _TOKENS.finditer(text):
        out.append(marker.wrap(text[at : match.start()], offset + at, sql_changes(text[at : match.start()])))
        token = match.group()
        if match.lastgroup in ("expression", "statement"):
            token = _mark_jinja(token, offset + match.start(), marker)
        out.append(token)
        at = match.end()
    out.append(marker.wrap(text[at:], offset + at, sql_changes(text[at:])))
    return "".join(out)


def mark_file(path: str, source: str, mutants: list[Mutant], next_point: int) -> tuple[str, int]:
    """Return the marked source and the next free point; the mutants found are added to the list."""
    marker = _Marker(path, source, mutants, next_point)
    return _mark_sql(source, 0, marker), marker.next_point


def mark_project(project: Path, target: Path) -> list[Mutant]:
    """Write marked copies of all models and macros below `target` and return every mutant they hold."""
    mutants: list[Mutant] = []
    next_point = 0
    for folder in ("models", "macros"):
        for file in sorted((project / folder).rglob("*")):
            if not file.is_file():
                continue
            relative = file.relative_to(project).as_posix()
            copy = target / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8")
            if file.suffix == ".sql" and relative not in NOT_MUTATED:
                text, next_point = mark_file(relative, text, mutants, next_point)
            copy.write_text(text, encoding="utf-8")
    return mutants


def original_sql(marked: str) -> str:
    """Return rendered SQL without marks."""
    return MARK.sub(r"\2", marked)


def mutated_sql(marked: str, mutant: Mutant) -> str:
    """Return rendered SQL with one mark replaced and all others as they were."""
    return MARK.sub(lambda m: mutant.replacement if int(m.group(1)) == mutant.point else m.group(2), marked)


def points_in(marked: str) -> set[int]:
    """Return the marks that rendered SQL holds."""
    return {int(match.group(1)) for match in MARK.finditer(marked)}
