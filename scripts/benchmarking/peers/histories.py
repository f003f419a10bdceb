"""Writes the purchase histories that the value models are compared on: one row per buyer of a generated company.

In one currency, at its last rate: a mean order value in mixed ones has no finite expectation.
"""

import sys
from pathlib import Path

import duckdb

_SQL = """
copy (
    with rates as (
        select currency, arg_max(rate, valid_from)::double as rate
        from read_parquet(getvariable('raw') || '/fx_rates.parquet')
        group by currency
    ),
    days as (
        select
            account_id,
            try_cast(left(ordered_at, 10) as date) as day,
            sum(try_cast(amount as decimal(18, 2)) * coalesce(rate, 1)) as amount
        from read_parquet(getvariable('raw') || '/orders.parquet')
        left join rates using (currency)
        where refund_of_order_id is null and try_cast(amount as decimal(18, 2)) > 0
        group by all
    ),
    placed as (
        select *, min(day) over (partition by account_id) as first_day, max(day) over () + 1 as as_of
        from days
        where day >= date '2000-01-01' and day < date '2100-01-01'
    )
    select
        (count(*) - 1)::double as frequency,
        (max(day) - min(day)) / 7.0 as recency,
        (any_value(as_of) - min(day)) / 7.0 as age,
        coalesce(avg(amount) filter (day > first_day), 0) as mean_value
    from placed
    group by account_id
    order by account_id
) to '{out}' (format parquet)
"""


def main() -> None:
    """Read the raw folder and the output file from the command line."""
    raw, out = sys.argv[1:3]
    with duckdb.connect() as connection:
        connection.execute(f"set variable raw = '{Path(raw)}'")
        connection.execute(_SQL.format(out=Path(out)))


if __name__ == "__main__":
    main()
