"""The headline numbers of the company out of a published file, as records and as tables for a terminal."""

from pathlib import Path
from typing import Any

from warehouse.publishing.compact import literal, mart_tables, open_engine

Rows = list[dict[str, Any]]

# Per headline: the mart it reads and the query. Ratios of several periods are sums divided once.
_QUERIES = {
    "retention": (
        "retention_rate",
        """
        select basis, period_start, period_state, customers_at_start, retained_customers, churned_customers,
            new_customers, reactivated_customers, customers_at_end, retention_rate
        from live.marts.retention_rate
        where period_type = 'month' and dimension = 'all' and period_state = 'complete'
        qualify row_number() over (partition by basis order by period_start desc) = 1
        order by basis
        """,
    ),
    "revenue": (
        "revenue_retention",
        """
        select period_start, mrr_at_start, mrr_at_end, gross_revenue_retention, net_revenue_retention,
            quick_ratio
        from live.marts.revenue_retention
        where period_type = 'month' and dimension = 'all' and period_state = 'complete'
        qualify row_number() over (order by period_start desc) = 1
        """,
    ),
    "sales": (
        "sales_performance",
        """
        with months as (
            select *, period_start > (select max(period_start) from live.marts.sales_performance
                where period_type = 'month') - interval 12 months as is_recent
            from live.marts.sales_performance where period_type = 'month' and dimension = 'all'
        ), spans as (
            select 'all time' as span, 1 as position, * from months
            union all
            select 'last 12 months', 2, * from months where is_recent
        )
        select span, sum(won)::bigint as won, sum(lost)::bigint as lost, sum(won_amount) as won_amount,
            sum(won) / nullif(sum(won) + sum(lost), 0) as win_rate
        from spans group by span, position order by position
        """,
    ),
    "funnel": (
        "funnel_conversion",
        """
        select pipeline, stage, sum(entered)::bigint as entered, sum(advanced)::bigint as advanced,
            sum(lost)::bigint as lost, sum(open)::bigint as open,
            sum(advanced) / nullif(sum(advanced) + sum(lost), 0) as conversion_rate
        from live.marts.funnel_conversion
        where period_type = 'month' and dimension = 'all'
        group by pipeline, stage, stage_order order by pipeline, stage_order nulls last, stage
        """,
    ),
    "nps": (
        "nps",
        """
        select survey_type, scale, period_type, period_start, responses, nps, ci_low, ci_high, sample_state
        from live.marts.nps
        where dimension = 'all' and period_type in ('rolling_90d', 'year') and nps is not null
        qualify row_number() over (partition by survey_type, scale
            order by (period_type = 'rolling_90d') desc, period_start desc) = 1
        order by survey_type, scale
        """,
    ),
    "lifetime_value": (
        "customer_lifetime_value",
        """
        select count(*) as customers, count(first_order_at) as buyers,
            sum(historical_value) as historical_value,
            sum(residual_value) as residual_value, sum(lifetime_value) as lifetime_value,
            count(residual_value) as modelled_customers
        from live.marts.customer_lifetime_value having count(*) > 0
        """,
    ),
    "quarantined_rows": (
        "quarantined_rows",
        """
        select reason, count(*) as rows, string_agg(distinct entity, ', ' order by entity) as entities
        from live.marts.quarantined_rows group by reason order by rows desc, reason
        """,
    ),
}


def headline(file: Path) -> dict[str, Rows]:
    """Return the headline records of a published file by topic, as far as its mart is there."""
    connection = open_engine()
    try:
        connection.execute(f"attach {literal(str(file))} as live (read_only)")
        present = mart_tables(connection, "live")
        found = {}
        for topic, (mart, query) in _QUERIES.items():
            if mart in present:
                cursor = connection.execute(query)
                names = [column[0] for column in cursor.description]
                found[topic] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return found
    finally:
        connection.close()


# ---------------------------------------------------------------- tables

_PERCENT = ("rate", "retention")
_UNSHOWN = ("period_state",)
_TITLES = {
    "retention": "Retention of the last complete month",
    "revenue": "Recurring revenue of the last complete month",
    "sales": "Sales",
    "funnel": "Funnel",
    "nps": "Net promoter score (95 % interval)",
    "lifetime_value": "Customer lifetime value",
    "quarantined_rows": "Quarantined rows",
}
_LONGEST_TABLE = 15


def print_headline(console: Any, topics: dict[str, Rows]) -> None:
    """Print the headline records as tables."""
    from rich.table import Table
    from rich.text import Text

    for topic, rows in topics.items():
        if not rows:
            continue
        table = Table(title=_TITLES[topic], title_justify="left", title_style="bold")
        names = [name for name in rows[0] if name not in _UNSHOWN]
        for name in names:
            is_number = any(isinstance(row[name], int | float) or hasattr(row[name], "as_tuple") for row in rows)
            table.add_column(name.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
        for row in rows[:_LONGEST_TABLE]:
            # Text, not markup: a stage may be called [anything].
            table.add_row(*(Text(shown(name, row[name])) for name in names))
        console.print(table)
        if len(rows) > _LONGEST_TABLE:
            console.print(f"… and {len(rows) - _LONGEST_TABLE} more", style="dim")


def shown(name: str, value: Any) -> str:
    """Return a value for a reader: a share in percent, an amount with separators, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) or hasattr(value, "as_tuple"):
        if name.endswith(_PERCENT):
            return f"{value:.2%}"
        return f"{value:,.2f}"
    return str(value)
