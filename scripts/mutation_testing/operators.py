"""The changes that are made to SQL text, as regular expressions with their replacements."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One place of a text (`start` to `end`) and the texts that replace it, one mutant each."""

    start: int
    end: int
    family: str
    replacements: tuple[str, ...]


@dataclass(frozen=True)
class Operator:
    """A pattern whose match is replaced. `replacements` may refer to the groups of the pattern."""

    family: str
    pattern: re.Pattern[str]
    replacements: tuple[str, ...]


def _operator(family: str, pattern: str, *replacements: str) -> Operator:
    return Operator(family, re.compile(pattern, re.IGNORECASE), replacements)


# The first operator that matches at a place wins, so longer spellings come first.
SQL_OPERATORS = (
    _operator("comparison", r"<=", "<", ">"),
    _operator("comparison", r">=", ">", "<"),
    _operator("comparison", r"<>", "="),
    _operator("comparison", r"<", "<=", ">="),
    _operator("comparison", r">", ">=", "<="),
    _operator("comparison", r"=", "<>"),
    _operator("boolean", r"\bis not null\b", "is null"),
    _operator("boolean", r"\bis null\b", "is not null"),
    _operator("boolean", r"\bnot in\b", "in"),
    _operator("boolean", r"\bnot\b(?! (?:exists|in|null))", ""),
    _operator("boolean", r"(?<=\w )in(?= \()", "not in"),
    _operator("boolean", r"\band\b(?! (?:current row|\d+ preceding))", "or"),
    _operator("boolean", r"\bor\b", "and"),
    _operator("boolean", r"\btrue\b", "false"),
    _operator("boolean", r"\bfalse\b", "true"),
    _operator("join", r"\bleft join\b", "inner join"),
    _operator("join", r"\binner join\b", "left join"),
    _operator("set", r"\bunion all\b", "union"),
    _operator("set", r"\bunion\b", "union all"),
    _operator("set", r"\bselect distinct\b", "select"),
    _operator("aggregate", r"\bsum\(", "max("),
    _operator("aggregate", r"\bavg\(", "max("),
    _operator("aggregate", r"\bmax\(", "min("),
    _operator("aggregate", r"\bmin\(", "max("),
    _operator("aggregate", r"\bmax_by\(", "min_by("),
    _operator("aggregate", r"\bmin_by\(", "max_by("),
    _operator("aggregate", r"\bbool_or\(", "bool_and("),
    _operator("aggregate", r"\bcount\(distinct\b", "count("),
    _operator("aggregate", r"\bcount\(", "1 + count("),
    _operator("window", r"\blag\(", "lead("),
    _operator("window", r"\blead\(", "lag("),
    _operator("window", r"\bdense_rank\(", "row_number("),
    _operator("window", r"\brow_number\(", "dense_rank("),
    _operator("window", r"\bfirst_value\(", "last_value("),
    _operator("window", r"\band current row\b", "and 1 preceding"),
    _operator("window", r"\band 1 preceding\b", "and current row"),
    _operator("boundary", r"\bgreatest\(", "least("),
    _operator("boundary", r"\bleast\(", "greatest("),
    _operator("boundary", r"\bnullif\((?=[^()]*\), 0\)|[^(),]*, 0\))", "coalesce("),
    _operator("boundary", r"\babs\(", "("),
    _operator("order", r"\border by (?:[\w.]+)(?=,|\)|\s*$|\n| rows)(?! desc)", r"\g<0> desc"),
    _operator("order", r"\bdesc\b", ""),
    _operator("order", r"\bnulls last\b", "nulls first"),
    _operator("arithmetic", r"(?<= )\+(?= )", "-"),
    _operator("arithmetic", r"(?<= )-(?= )", "+"),
    _operator("arithmetic", r"^[+]$", "-"),
    _operator("arithmetic", r"^-$", "+"),
    _operator("arithmetic", r"(?<= )\*(?= )", "/"),
    _operator("arithmetic", r"(?<= )/(?= )", "*"),
    _operator("arithmetic", r"(?<=[ (])-(?=[a-z]|\d)", ""),
)

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
# Numbers that are no rule: sizes of types, code points, the 1 of `count(case when … then 1 end)`.
_NO_RULE = re.compile(
    r"\b(?:decimal|varchar|chr)\s*\([^)]*\)|\d+e-\d+|\binterval \d+|\bselect 1\b|\bthen 1 end"
    r"|\b1 preceding\b|current row",
    re.IGNORECASE,
)

REGEX_OPERATORS = (
    _operator("regex", r"\^(?!-)", ""),
    _operator("regex", r"\$", ""),
    _operator("regex", r"(?<=[\])])\+", "*"),
    _operator("regex", r"(?<=[\])\-:])\?", ""),
)


def _number_replacements(text: str) -> tuple[str, ...]:
    if "." in text:
        value = float(text)
        return (str(value + 1), str(value / 2)) if value else (str(value + 1),)
    return (str(int(text) + 1), str(int(text) - 1))


def sql_changes(text: str) -> Iterator[Change]:
    """Yield the changes of one piece of SQL code without strings or comments, from left to right, not overlapping."""
    sizes = [match.span() for match in _NO_RULE.finditer(text)]
    found: list[Change] = []
    taken: list[tuple[int, int]] = []

    def is_free(start: int, end: int) -> bool:
        return all(end <= other_start or start >= other_end for other_start, other_end in taken)

    for operator in SQL_OPERATORS:
        for match in operator.pattern.finditer(text):
            if match.start() != match.end() and is_free(*match.span()):
                taken.append(match.span())
                found.append(
                    Change(*match.span(), operator.family, tuple(match.expand(new) for new in operator.replacements))
                )
    taken.extend(sizes)
    for match in _NUMBER.finditer(text):
        if is_free(*match.span()):
            taken.append(match.span())
            found.append(Change(*match.span(), "constant", _number_replacements(match.group())))
    yield from sorted(found, key=lambda change: change.start)


def regex_changes(text: str) -> Iterator[Change]:
    """Yield the changes of a regular expression: anchors, repetitions and options dropped."""
    found = [
        Change(*match.span(), operator.family, operator.replacements)
        for operator in REGEX_OPERATORS
        for match in operator.pattern.finditer(text)
    ]
    yield from sorted(found, key=lambda change: change.start)
