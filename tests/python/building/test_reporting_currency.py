"""Another reporting currency than that of the exchange rates that the project ships."""

from pathlib import Path

import duckdb

from building.conftest import Command

ORDERS = """order_id,account_id,ordered_at,amount,currency
O1,A1,2024-05-02,100,CHF
O2,A2,2024-05-03,100,EUR
O3,A3,2024-05-04,100,GBP
O4,A4,2024-05-05,100,USD
O5,A5,2024-05-06,100,
"""


def test_rates_that_are_worth_in_usd_are_not_taken_for_those_of_another_currency(tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    command.run("land", tmp_path / "orders.csv")
    command.run("build", "--vars", "{reporting_currency: CHF}")
    with duckdb.connect(str(command.paths.published_file), read_only=True) as connection:
        worth = connection.execute(
            "select account_id, historical_value from marts.customer_lifetime_value order by all"
        ).fetchall()
        reconciled = connection.execute(
            "select entity, rows_in, rows_staged, rows_quarantined, is_reconciled from marts.load_reconciliation"
            " where entity in ('orders', 'fx_rates')"
        ).fetchall()
        reasons = connection.execute("select distinct reason from marts.quarantined_rows").fetchall()
    assert worth == [("A1", 100), ("A5", 100)]
    assert reconciled == [("orders", 5, 2, 3, True)]
    assert reasons == [("no_fx_rate",)]
