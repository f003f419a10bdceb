"""Fill docs/walkthrough.md with the numbers of a built sample: every number on the page comes from a query in it.

The page carries its queries as comments, which readers never see:

- `<!-- sql: query -->…<!-- end -->` holds what the query returns: one value within a line, or a table on lines of
  its own where the query stands on its own line;
- `<!-- check: query -->` is a sentence of the page as a condition, which must hold;
- `:customer` in a query is the account that `<!-- customer: … -->` names.
"""

import re
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from warehouse.errors import WarehouseError
from warehouse.paths import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "walkthrough.md"
QUERY = re.compile(r"<!-- sql:(?P<sql>.*?)-->(?P<shown>.*?)<!-- end -->", re.DOTALL)
CHECK = re.compile(r"<!-- check:(?P<sql>.*?)-->", re.DOTALL)
CUSTOMER = re.compile(r"<!-- customer: (\S+) -->")


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection to the build in `folder`, its relations known by their plain names.

    Raises WarehouseError when there is no build.
    """
    if not (folder / "build.duckdb").exists():
        raise WarehouseError(f"{folder} holds no build.duckdb: give the folder that `dbt build` wrote to")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"attach '{folder / 'build.duckdb'}' as build (read_only)")
    connection.execute(f"attach '{folder / 'marts_build.duckdb'}' as marts_file (read_only)")
    connection.execute("set search_path = 'marts_file.marts,build.intermediate,build.staging'")
    return connection


def shown(value: object) -> str:
    """Return a value as the page shows it: no zeros without meaning, nothing for NULL."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.2f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("|", "\\|")


def table(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the result of a query as a Markdown table."""
    result = connection.execute(sql)
    columns = [column[0] for column in result.description]
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(shown(value) for value in row) + " |" for row in result.fetchall()]
    return "\n".join(lines)


def filled(page: str, connection: duckdb.DuckDBPyConnection) -> str:
    """Return the page with every query's result as the build has it."""
    found = CUSTOMER.search(page)
    if not found:
        raise WarehouseError(f"{PAGE.name} names no customer; add <!-- customer: ACCOUNT -->")
    customer = "'" + found[1].replace("'", "''") + "'"

    def result(match: re.Match[str]) -> str:
        sql = match["sql"].replace(":customer", customer)
        if match["sql"].startswith("\n"):
            return f"<!-- sql:{match['sql']}-->\n\n{table(connection, sql)}\n\n<!-- end -->"
        rows = connection.execute(sql).fetchall()
        return f"<!-- sql:{match['sql']}-->{shown(rows[0][0]) if rows else ''}<!-- end -->"

    return QUERY.sub(result, page)


def broken_checks(page: str, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the conditions of the page that do not hold in the build."""
    found = CUSTOMER.search(page)
    customer = "'" + (found[1] if found else "").replace("'", "''") + "'"
    return [
        match["sql"].strip()
        for match in CHECK.finditer(page)
        if connection.execute(match["sql"].replace(":customer", customer)).fetchall() != [(True,)]
    ]


def main() -> None:
    """Write the page again from the build in the folder that the first argument names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m warehouse.walkthrough FOLDER (of build.duckdb and marts_build.duckdb)")
    page = PAGE.read_text(encoding="utf-8")
    try:
        with connect(Path(sys.argv[1])) as connection:
            PAGE.write_text(filled(page, connection), encoding="utf-8")
            broken = broken_checks(page, connection)
    except WarehouseError as error:
        sys.exit(str(error))
    if broken:
        sys.exit("the page says what the sample does not: " + "; ".join(broken))


if __name__ == "__main__":
    main()
