"""The reduced job in polars, lazily and with the streaming engine."""

from pathlib import Path

import polars as pl

from benchmarking.peers.answers import Rows, run_job


def month_of(day: pl.Expr) -> pl.Expr:
    """Return months since year 0."""
    return day.dt.year().cast(pl.Int32) * 12 + day.dt.month().cast(pl.Int32) - 1


def cents_of(amount: pl.Expr) -> pl.Expr:
    """Return whole cents; what is no number, and what no order can cost, is missing."""
    number = amount.cast(pl.Float64, strict=False)
    return (pl.when(number.abs() < 1e15).then(number) * 100).round().cast(pl.Int64)


def job(raw: Path) -> dict[str, Rows]:
    """Return the three tables."""
    day = pl.col("ordered_at").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    months = (
        pl.scan_parquet(raw / "orders.parquet")
        .filter(pl.col("refund_of_order_id").is_null())
        .select("account_id", day.alias("day"), cents_of(pl.col("amount")).alias("cents"))
        .filter(pl.col("day").dt.year().is_between(2000, 2099) & (pl.col("cents") > 0))
        .group_by("account_id", month_of(pl.col("day")).alias("month"))
        .agg(pl.col("cents").sum())
        .sort("account_id", "month")
        .collect(engine="streaming")
    )
    months = months.with_columns(
        pl.col("month").min().over("account_id").alias("cohort_month"),
        ((pl.col("account_id").shift(-1) == pl.col("account_id")) & (pl.col("month").shift(-1) == pl.col("month") + 1))
        .fill_null(False)
        .alias("is_retained"),
    )
    cohorts = months.group_by("cohort_month", "month").agg(pl.len(), pl.col("cents").sum())
    cohorts = cohorts.with_columns(pl.col("month") - pl.col("cohort_month"))
    retention = months.group_by("month").agg(pl.len(), pl.col("is_retained").sum())
    return {"cohorts": cohorts.rows(), "retention": retention.rows(), "movements": movements(raw)}


def movements(raw: Path) -> Rows:
    """Return the movements of monthly revenue."""
    periods = (
        pl.scan_parquet(raw / "subscription_periods.parquet")
        .select(
            "account_id",
            pl.col("started_at").str.to_date("%Y-%m-%d", strict=False).alias("started_on"),
            pl.col("ended_at").str.to_date("%Y-%m-%d", strict=False).alias("ended_on"),
            cents_of(pl.col("mrr")).alias("cents"),
        )
        .filter(pl.col("started_on").is_not_null() & pl.col("cents").is_not_null())
    )
    begun = periods.select("account_id", month_of(pl.col("started_on")).alias("month"), pl.col("cents").alias("change"))
    ended = periods.filter(pl.col("ended_on").is_not_null()).select(
        "account_id", month_of(pl.col("ended_on")).alias("month"), (-pl.col("cents")).alias("change")
    )
    change, after = pl.col("change"), pl.col("after")
    came = (after == change) & (change > 0)
    monthly = (
        pl.concat([begun, ended])
        .group_by("account_id", "month")
        .agg(change.sum())
        .filter(change != 0)
        .sort("account_id", "month")
        .with_columns(
            change.cum_sum().over("account_id").alias("after"),
            (pl.int_range(pl.len()).over("account_id") == 0).alias("is_first"),
        )
        .group_by("month")
        .agg(
            change.filter(came & pl.col("is_first")).sum().alias("new"),
            change.filter(came & ~pl.col("is_first")).sum().alias("reactivation"),
            change.filter(~came & (change > 0)).sum().alias("expansion"),
            (-change.filter((change < 0) & (after > 0)).sum()).alias("contraction"),
            (-change.filter((change < 0) & (after == 0)).sum()).alias("churned"),
        )
        .sort("month")
        .collect()
    )
    gained = pl.col("new") + pl.col("reactivation") + pl.col("expansion")
    lost = pl.col("contraction") + pl.col("churned")
    rows: Rows = monthly.with_columns((gained - lost).cum_sum().alias("cents_at_end")).rows()
    return rows


if __name__ == "__main__":
    run_job(job)
