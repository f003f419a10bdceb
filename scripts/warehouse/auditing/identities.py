"""Identities that hold across marts and rows: each query counts the rows that break one.

What the columns mean is said where they are declared, models/marts/*/*.yml.
"""

from dataclasses import dataclass
from typing import Any

from warehouse.auditing.findings import FAILED, NOTED, PASSED, Finding


@dataclass(frozen=True)
class Identity:
    """What must hold, the marts it reads, and a query that counts violations (`{mart}` is a mart's table)."""

    name: str
    marts: tuple[str, ...]
    query: str


IDENTITIES = (
    Identity(
        "retention: start = kept + churned, end = kept + new + reactivated",
        ("retention_rate",),
        """
        select count(*) from {retention_rate}
        where customers_at_start is distinct from retained_customers + churned_customers
           or customers_at_end is distinct from retained_customers + new_customers + reactivated_customers
        """,
    ),
    Identity(
        "retention: the end of a complete period is the start of the next",
        ("retention_rate",),
        """
        select count(*) from (
            select customers_at_end, period_state, lead(customers_at_start) over (
                partition by basis, period_type, dimension, dimension_value order by period_start
            ) as next_start
            from {retention_rate} where dimension <> 'plan'
        ) where period_state = 'complete' and next_start is not null and customers_at_end <> next_start
        """,
    ),
    Identity(
        "retention: months, quarters and years bring the same new customers",
        ("retention_rate",),
        """
        select count(*) from (
            select basis, count(distinct total) as totals from (
                select basis, period_type, sum(new_customers + flash_customers) as total
                from {retention_rate} where dimension = 'all' group by basis, period_type
            ) group by basis
        ) where totals > 1
        """,
    ),
    Identity(
        "retention: every dimension adds up to all",
        ("retention_rate",),
        """
        select count(*) from (
            select basis, period_type, period_start, dimension,
                sum(customers_at_start) as at_start, sum(customers_at_end) as at_end
            from {retention_rate} where dimension not in ('all', 'plan') group by all
        ) as parts
        join {retention_rate} as whole
            on whole.dimension = 'all' and whole.basis = parts.basis
            and whole.period_type = parts.period_type and whole.period_start = parts.period_start
        where parts.at_start <> whole.customers_at_start or parts.at_end <> whole.customers_at_end
        """,
    ),
    Identity(
        "revenue: start + movements = end",
        ("revenue_retention",),
        """
        select count(*) from {revenue_retention}
        where mrr_at_end is distinct from
            mrr_at_start + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr
        """,
    ),
    Identity(
        "revenue: the end of a complete period is the start of the next",
        ("revenue_retention",),
        """
        select count(*) from (
            select mrr_at_end, period_state, lead(mrr_at_start) over (
                partition by period_type, dimension, dimension_value order by period_start
            ) as next_start
            from {revenue_retention} where dimension <> 'plan'
        ) where period_state = 'complete' and next_start is not null and mrr_at_end <> next_start
        """,
    ),
    Identity(
        "cohorts: their sizes are the customers that ever started",
        ("churn_cohorts", "retention_rate"),
        """
        select count(*) from (
            select basis, sum(cohort_size) as customers from {churn_cohorts}
            where cohort_type = 'month' and dimension = 'all' and periods_since_start = 0 group by basis
        ) as cohorts
        full join (
            select basis, sum(new_customers + flash_customers) as customers from {retention_rate}
            where period_type = 'month' and dimension = 'all' group by basis
        ) as started using (basis)
        where coalesce(cohorts.customers, 0) <> coalesce(started.customers, 0)
        """,
    ),
    Identity(
        "cohorts: the contracts of the last cells bring the monthly revenue of today",
        ("churn_cohorts", "revenue_retention"),
        """
        select count(*) from (
            select sum(revenue) as mrr from {churn_cohorts}
            where basis = 'contract' and cohort_type = 'month' and dimension = 'all'
                and cohort_start + to_months(periods_since_start::integer) = (
                    select max(period_start) from {revenue_retention} where period_type = 'month')
        ) as cohorts
        cross join (
            select mrr_at_end as mrr from {revenue_retention}
            where period_type = 'month' and dimension = 'all'
            qualify row_number() over (order by period_start desc) = 1
        ) as today
        where abs(coalesce(cohorts.mrr, 0) - today.mrr) > 0.0001
        """,
    ),
    Identity(
        "cohorts: retained customers lie between the streak and the cohort",
        ("churn_cohorts",),
        """
        select count(*) from {churn_cohorts}
        where retained_streak > retained_customers and periods_since_start > 0
           or retained_customers > retained_on_or_after
           or retained_on_or_after > cohort_size
        """,
    ),
    Identity(
        "funnel: entered = advanced + lost + open",
        ("funnel_conversion",),
        """
        select count(*) from {funnel_conversion}
        where advanced is not null and entered is distinct from advanced + lost + open
        """,
    ),
    Identity(
        "funnel: months, quarters and years count the same deals",
        ("funnel_conversion",),
        """
        select count(*) from (
            select pipeline, stage, count(distinct total) as totals from (
                select pipeline, stage, period_type, sum(entered) as total
                from {funnel_conversion} where dimension = 'all' group by all
            ) group by pipeline, stage
        ) where totals > 1
        """,
    ),
    Identity(
        "sales: every dimension adds up to all",
        ("sales_performance",),
        """
        select count(*) from (
            select period_type, period_start, dimension, sum(won) as won, sum(lost) as lost
            from {sales_performance} where dimension <> 'all' group by all
        ) as parts
        join {sales_performance} as whole
            on whole.dimension = 'all' and whole.period_type = parts.period_type
            and whole.period_start = parts.period_start
        where parts.won <> whole.won or parts.lost <> whole.lost
        """,
    ),
    Identity(
        "nps: promoters, passives and detractors are the responses, the score is theirs",
        ("nps",),
        """
        select count(*) from {nps}
        where promoters is not null and (
            responses is distinct from promoters + passives + detractors
            or responses > 0 and abs(nps - 100.0 * (promoters - detractors) / responses) > 1e-9
        )
        """,
    ),
    Identity(
        "lifetime value: one row per customer, its two parts add up",
        ("customer_lifetime_value",),
        """
        select (select count(*) - count(distinct account_id) from {customer_lifetime_value})
            + (select count(*) from {customer_lifetime_value}
               where abs(lifetime_value - historical_value - coalesce(residual_value, 0))
                   > 1e-6 * greatest(1, abs(lifetime_value)))
        """,
    ),
    Identity(
        "customers: the marts per customer have the same customers",
        ("customer_lifetime_value", "customer_losses", "customer_segments", "customer_360"),
        """
        select count(*) from (
            select account_id, count(*) as marts from (
                select account_id from {customer_lifetime_value} union all
                select account_id from {customer_losses} union all
                select account_id from {customer_segments} union all
                select account_id from {customer_360}
            ) group by account_id
        ) where marts <> 4
        """,
    ),
    Identity(
        "losses: active customers are those at the end of the last period",
        ("customer_losses", "retention_rate"),
        """
        select count(*) from (
            select 'contract' as basis, count(*) filter (where status_contract = 'active') as active
            from {customer_losses}
            union all
            select 'purchase', count(*) filter (where status_purchase = 'active') from {customer_losses}
        ) as losses
        join (
            select basis, customers_at_end from {retention_rate}
            where period_type = 'month' and dimension = 'all'
            qualify row_number() over (partition by basis order by period_start desc) = 1
        ) as retention using (basis)
        where losses.active <> retention.customers_at_end
        """,
    ),
)


def check_identities(connection: Any, marts: list[str], identities: tuple[Identity, ...] = IDENTITIES) -> list[Finding]:
    """Return one finding per identity; `connection` has the marts attached as `marts_file`."""
    findings = []
    for identity in identities:
        subject = ", ".join(identity.marts)
        absent = [mart for mart in identity.marts if mart not in marts]
        if absent:
            findings.append(Finding(identity.name, subject, NOTED, f"not checked: no mart {', '.join(absent)}"))
            continue
        query = identity.query.format(**{mart: f"marts_file.marts.{mart}" for mart in identity.marts})
        violations = connection.execute(query).fetchall()[0][0]
        verdict, details = (FAILED, f"broken in {violations:,} rows") if violations else (PASSED, "holds")
        findings.append(Finding(identity.name, subject, verdict, details))
    return findings
