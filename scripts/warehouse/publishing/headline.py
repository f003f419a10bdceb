"""The headline numbers of the company out of a published file, as records and as tables for a terminal."""

from pathlib import Path
from typing import Any

from warehouse.engine import literal, open_engine
from warehouse.publishing.compact import mart_tables

Rows = list[dict[str, Any]]

# Per headline: the mart it reads and the query. Ratios of several periods are sums divided once.
_QUERIES = {
    "retention": (
        "retention_rate",
        """
        select basis, period_start, strftime(period_start, '%Y-%m') as month,
            customers_at_start, retained_customers, churned_customers, new_customers, reactivated_customers,
            customers_at_end, retention_rate
        from live.marts.retention_rate
        where period_type = 'month' and dimension = 'all' and period_state = 'complete'
        qualify row_number() over (partition by basis order by period_start desc) = 1
        order by basis
        """,
    ),
    "revenue": (
        "revenue_retention",
        """
        select period_start, strftime(period_start, '%Y-%m') as month, mrr_at_start, mrr_at_end,
            gross_revenue_retention, net_revenue_retention, quick_ratio
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
        -- Open ones; versions from before rows could be corrected do not have the column.
        select reason, count(*) as rows, string_agg(distinct entity, ', ' order by entity) as entities
        from (
            from live.marts.quarantined_rows
            union all by name
            select null::varchar as corrected_by_load_id where false
        )
        where corrected_by_load_id is null
        group by reason order by rows desc, reason
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

# Per topic: the title, and the header and the columns of the record behind each column of the table. Narrow enough
# for a terminal of 80 characters.
_TABLES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "retention": (
        "Retention in the last complete month",
        (
            ("basis", "basis"),
            ("month", "month"),
            ("at start", "customers_at_start"),
            ("kept", "retained_customers"),
            ("churned", "churned_customers"),
            ("new", "new_customers"),
            ("back", "reactivated_customers"),
            ("at end", "customers_at_end"),
            ("rate", "retention_rate"),
        ),
    ),
    "revenue": (
        "Recurring revenue and its retention in the last complete month",
        (
            ("month", "month"),
            ("MRR at start", "mrr_at_start"),
            ("MRR at end", "mrr_at_end"),
            ("gross", "gross_revenue_retention"),
            ("net", "net_revenue_retention"),
            ("quick ratio", "quick_ratio"),
        ),
    ),
    "sales": (
        "Sales",
        (("", "span"), ("won", "won"), ("lost", "lost"), ("won amount", "won_amount"), ("win rate", "win_rate")),
    ),
    "funnel": (
        "Funnel, all time",
        (
            ("pipeline", "pipeline"),
            ("stage", "stage"),
            ("entered", "entered"),
            ("advanced", "advanced"),
            ("lost", "lost"),
            ("open", "open"),
            ("conversion", "conversion_rate"),
        ),
    ),
    "nps": (
        "Net promoter score with its 95 % interval",
        (
            ("survey", "survey_type scale"),
            ("period", "period_type period_start"),
            ("answers", "responses"),
            ("score", "nps"),
            ("from", "ci_low"),
            ("to", "ci_high"),
            ("sample", "sample_state"),
        ),
    ),
    "lifetime_value": (
        "Customer lifetime value",
        (
            ("customers", "customers"),
            ("buyers", "buyers"),
            ("modelled", "modelled_customers"),
            ("past", "historical_value"),
            ("expected", "residual_value"),
            ("lifetime", "lifetime_value"),
        ),
    ),
    "quarantined_rows": ("Quarantined rows", (("reason", "reason"), ("rows", "rows"), ("entities", "entities"))),
}
_SHARES = ("rate", "retention")
_LONGEST_TABLE = 15


def print_headline(console: Any, topics: dict[str, Rows]) -> None:
    """Print the headline records as tables."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    for topic, rows in topics.items():
        if not rows:
            continue
        title, columns = _TABLES[topic]
        table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for header, names in columns:
            is_text = all(row[names.split()[0]] is None or isinstance(row[names.split()[0]], str) for row in rows)
            table.add_column(header, justify="left" if is_text else "right", overflow="fold")
        for row in rows[:_LONGEST_TABLE]:
            # Text, not markup: a stage may be called [anything].
            table.add_row(*(Text(" ".join(shown(name, row[name]) for name in names.split())) for _, names in columns))
        console.print(table)
        if len(rows) > _LONGEST_TABLE:
            console.print(f"… and {len(rows) - _LONGEST_TABLE} more")


def shown(name: str, value: Any) -> str:
    """Return a value for a reader: a share in percent, an amount with separators, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) or hasattr(value, "as_tuple"):
        return f"{value:.2%}" if name.endswith(_SHARES) else f"{value:,.2f}"
    return str(value)
