-- One row per period and dimension value: monthly recurring revenue at both ends of the period and what moved it.
with

boundaries as (

    select * from {{ ref('int_active_boundaries') }}
    where basis = 'contract'

),

starts as (

    select * from {{ ref('int_customer_starts') }}
    where basis = 'contract'

),

contracts as (

    select * from {{ ref('int_contracts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

dimension_values as (

    select * from {{ ref('int_basis_dimension_values') }}
    where basis = 'contract'

),

last_periods as (

    select
        period_type,
        max(last_index) as last_index
    from periods
    group by period_type

),

-- A trial does not count: the first contract that is worth something makes the revenue new.
first_paid as (

    select
        customer_key,
        min(started_on) as started_on

    from contracts
    where mrr > 0
    group by customer_key

),

placed as (

    select
        boundaries.*,
        starts.first_plan,
        starts.started_on as first_started_on,
        last_periods.last_index,
        {{ period_index('boundaries.period_type', 'first_paid.started_on') }} as first_paid_index

    from boundaries
    inner join last_periods on boundaries.period_type = last_periods.period_type
    inner join starts on boundaries.customer_key = starts.customer_key
    left join first_paid on boundaries.customer_key = first_paid.customer_key

),

-- Monthly revenue at the two ends of each period in which it changed.
changes as (

    select
        period_type,
        first_boundary - 1 as period_index,
        customer_key,
        coalesce(plan_before, first_plan) as plan,
        first_paid_index,
        mrr_before,
        mrr as mrr_after
    from placed

    union all

    select
        period_type,
        last_boundary as period_index,
        customer_key,
        plan,
        first_paid_index,
        mrr as mrr_before,
        cast(0 as decimal(38, 14)) as mrr_after
    from placed
    where not is_continuing and last_boundary <= last_index

),

movements as (

    select
        period_type,
        first_boundary as period_index,
        customer_key,
        plan,
        mrr as change_at_start,
        cast(0 as decimal(38, 14)) as new_mrr,
        cast(0 as decimal(38, 14)) as reactivation_mrr,
        cast(0 as decimal(38, 14)) as expansion_mrr,
        cast(0 as decimal(38, 14)) as contraction_mrr,
        cast(0 as decimal(38, 14)) as churned_mrr
    from placed

    union all

    select
        period_type,
        last_boundary + 1 as period_index,
        customer_key,
        plan,
        -mrr as change_at_start,
        cast(0 as decimal(38, 14)) as new_mrr,
        cast(0 as decimal(38, 14)) as reactivation_mrr,
        cast(0 as decimal(38, 14)) as expansion_mrr,
        cast(0 as decimal(38, 14)) as contraction_mrr,
        cast(0 as decimal(38, 14)) as churned_mrr
    from placed

    union all

    select
        period_type,
        period_index,
        customer_key,
        plan,
        cast(0 as decimal(38, 14)) as change_at_start,
        case
            when mrr_before <= 0 and mrr_after > 0 and first_paid_index = period_index then mrr_after - mrr_before
            else 0
        end as new_mrr,
        case
            when mrr_before <= 0 and mrr_after > 0 and first_paid_index <> period_index then mrr_after - mrr_before
            else 0
        end as reactivation_mrr,
        case
            when mrr_before <= 0 and mrr_after > 0 then 0
            when mrr_after > mrr_before then mrr_after - mrr_before
            else 0
        end as expansion_mrr,
        case
            when mrr_before > 0 and mrr_after <= 0 then 0
            when mrr_after < mrr_before then mrr_before - mrr_after
            else 0
        end as contraction_mrr,
        case when mrr_before > 0 and mrr_after <= 0 then mrr_before - mrr_after else 0 end as churned_mrr
    from changes

),

compressed as (

    select
        movements.period_type,
        movements.period_index,
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        movements.plan,
        sum(movements.change_at_start) as change_at_start,
        sum(movements.new_mrr) as new_mrr,
        sum(movements.reactivation_mrr) as reactivation_mrr,
        sum(movements.expansion_mrr) as expansion_mrr,
        sum(movements.contraction_mrr) as contraction_mrr,
        sum(movements.churned_mrr) as churned_mrr

    from movements
    inner join customers on movements.customer_key = customers.customer_key
    group by all

),

broken_down as (

    {{ grouped_by_dimension(
        relation='compressed',
        keys=['period_type', 'period_index'],
        dimensions=customer_dimensions() + ['plan'],
        measures={
            'change_at_start': 'sum(change_at_start)',
            'new_mrr': 'sum(new_mrr)',
            'reactivation_mrr': 'sum(reactivation_mrr)',
            'expansion_mrr': 'sum(expansion_mrr)',
            'contraction_mrr': 'sum(contraction_mrr)',
            'churned_mrr': 'sum(churned_mrr)',
        }
    ) }}

),

spine as (

    select
        dimension_values.dimension,
        dimension_values.dimension_value,
        periods.period_type,
        periods.period_index,
        periods.period_start,
        periods.period_end,
        periods.period_state

    from dimension_values
    inner join periods on dimension_values.first_started_on < periods.period_end

),

counted as (

    select
        spine.*,
        sum(coalesce(broken_down.change_at_start, 0)) over (
            partition by spine.period_type, spine.dimension, spine.dimension_value
            order by spine.period_index
            rows between unbounded preceding and current row
        ) as mrr_at_start,
        coalesce(broken_down.new_mrr, 0) as new_mrr,
        coalesce(broken_down.reactivation_mrr, 0) as reactivation_mrr,
        coalesce(broken_down.expansion_mrr, 0) as expansion_mrr,
        coalesce(broken_down.contraction_mrr, 0) as contraction_mrr,
        coalesce(broken_down.churned_mrr, 0) as churned_mrr

    from spine
    left join broken_down
        on
            spine.period_type = broken_down.period_type
            and spine.period_index = broken_down.period_index
            and spine.dimension = broken_down.dimension
            and spine.dimension_value = broken_down.dimension_value

),

balanced as (

    select
        *,
        mrr_at_start - contraction_mrr - churned_mrr as kept_mrr,
        mrr_at_start + expansion_mrr - contraction_mrr - churned_mrr as end_mrr_of_customers_at_start,
        mrr_at_start + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr as mrr_at_end,
        new_mrr + reactivation_mrr + expansion_mrr as gained_mrr,
        contraction_mrr + churned_mrr as lost_mrr

    from counted

),

revenue_retention as (

    select
        ---------- ids
        period_type,
        period_start,
        dimension,
        dimension_value,

        ---------- timestamps
        period_end,

        ---------- text
        period_state,

        ---------- numerics
        cast(mrr_at_start as decimal(38, 14)) as mrr_at_start,
        cast(new_mrr as decimal(38, 14)) as new_mrr,
        cast(reactivation_mrr as decimal(38, 14)) as reactivation_mrr,
        cast(expansion_mrr as decimal(38, 14)) as expansion_mrr,
        cast(contraction_mrr as decimal(38, 14)) as contraction_mrr,
        cast(churned_mrr as decimal(38, 14)) as churned_mrr,
        cast(mrr_at_end as decimal(38, 14)) as mrr_at_end,

        ---------- ratios
        {{ ratio('kept_mrr', 'mrr_at_start') }} as gross_revenue_retention,
        {{ ratio('end_mrr_of_customers_at_start', 'mrr_at_start') }} as net_revenue_retention,
        {{ ratio('gained_mrr', 'lost_mrr') }} as quick_ratio

    from balanced

)

select * from revenue_retention
