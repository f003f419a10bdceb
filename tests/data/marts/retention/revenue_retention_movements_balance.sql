-- Monthly recurring revenue at both ends of a period differs by the movements in between, to the cent.
with

revenue_retention as (

    select
        *,
        concat_ws(' ', period_type, period_start, dimension, dimension_value) as failing_row,
        lead(mrr_at_start) over (
            partition by period_type, dimension, dimension_value
            order by period_start
        ) as mrr_at_next_start,
        row_number() over (
            partition by period_type, dimension, dimension_value
            order by period_start desc
        ) as periods_from_last

    from {{ ref('revenue_retention') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- The same revenue summed without periods and boundaries.
in_force_at_as_of as (

    select coalesce(sum(contracts.mrr), 0) as mrr

    from {{ ref('int_contracts') }} as contracts
    cross join as_of
    where contracts.started_on < as_of.as_of and contracts.in_force_until >= as_of.as_of

),

-- Customers whose credits outweigh their contracts are in the revenue at the start, but nobody to retain: where there
-- are any, what is published does not tell the denominator of the ratios.
credits as (

    select count(*) as boundaries
    from {{ ref('int_active_boundaries') }}
    where mrr < 0

),

without_credits as (

    select revenue_retention.*
    from revenue_retention
    cross join credits
    where credits.boundaries = 0

),

broken_rules as (

    select
        'the start and the movements make the end' as broken_rule,
        failing_row
    from revenue_retention
    where
        mrr_at_end
        <> mrr_at_start + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr

    union all

    -- A customer may change its plan from one period to the next.
    select
        'the end of a complete period is the start of the next' as broken_rule,
        failing_row
    from revenue_retention
    where dimension <> 'plan' and mrr_at_end <> mrr_at_next_start

    union all

    select
        'movements are stored positive' as broken_rule,
        failing_row
    from revenue_retention
    where least(new_mrr, reactivation_mrr, expansion_mrr, contraction_mrr, churned_mrr) < 0

    union all

    select
        'the last end is the revenue in force at as_of' as broken_rule,
        revenue_retention.failing_row
    from revenue_retention
    cross join in_force_at_as_of
    where
        revenue_retention.periods_from_last = 1
        and revenue_retention.dimension = 'all'
        and revenue_retention.mrr_at_end <> in_force_at_as_of.mrr

    union all

    select
        'gross retention is at most 1 and at most net retention' as broken_rule,
        failing_row
    from revenue_retention
    where gross_revenue_retention > 1 or gross_revenue_retention > net_revenue_retention + 1e-12

    union all

    select
        'net retention is what became of the revenue at the start' as broken_rule,
        failing_row
    from without_credits
    where
        abs(
            net_revenue_retention * cast(mrr_at_start as double)
            - cast(mrr_at_end - new_mrr - reactivation_mrr as double)
        ) > 1e-6 * (1 + abs(cast(mrr_at_end as double)))

    union all

    select
        'ratios are NULL exactly where their denominator is 0' as broken_rule,
        failing_row
    from revenue_retention
    where
        (gross_revenue_retention is null) <> (net_revenue_retention is null)
        or (contraction_mrr + churned_mrr = 0) <> (quick_ratio is null)

    union all

    select
        'without credits their denominator is the revenue at the start' as broken_rule,
        failing_row
    from without_credits
    where (mrr_at_start = 0) <> (gross_revenue_retention is null)

)

select * from broken_rules
