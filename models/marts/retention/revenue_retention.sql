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

profiles as (

    {{ numbered_profiles('customers', customer_dimensions()) }}

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

dated_starts as (

    select
        starts.customer_key,
        starts.first_plan,
        profiles.profile_number,
        {{ period_index("'month'", 'first_paid.started_on') }} as first_paid_month

    from starts
    inner join customers on starts.customer_key = customers.customer_key
    inner join profiles on {{ has_profile('customers', customer_dimensions()) }}
    left join first_paid on starts.customer_key = first_paid.customer_key

),

placed as (

    select
        boundaries.period_type,
        boundaries.first_boundary,
        boundaries.last_boundary,
        boundaries.plan,
        boundaries.mrr,
        boundaries.mrr_before,
        dated_starts.profile_number,
        coalesce(boundaries.plan_before, dated_starts.first_plan) as plan_at_start,
        boundaries.first_boundary - 1
        = {{ period_of_month('boundaries.period_type', 'dated_starts.first_paid_month') }} as is_first_paid,
        boundaries.is_lost

    from boundaries
    inner join dated_starts on boundaries.customer_key = dated_starts.customer_key

),

-- In the period before a range begins, and in the one in which the last range ends, the revenue of a customer moves.
moves as (

    select
        period_type,
        first_boundary - 1 as period_index,
        profile_number,
        plan_at_start as plan,
        mrr_before as mrr_at_start,
        mrr as mrr_at_end,
        is_first_paid
    from placed
    where mrr <> mrr_before

    union all

    select
        period_type,
        last_boundary as period_index,
        profile_number,
        plan,
        mrr as mrr_at_start,
        cast(0 as decimal(38, 14)) as mrr_at_end,
        false as is_first_paid
    from placed
    where is_lost

),

-- Whoever pays nothing, or has a credit, is no customer to retain.
movements as (

    select
        period_type,
        period_index,
        profile_number,
        plan,
        sum(case when mrr_at_start <= 0 and mrr_at_end > 0 and is_first_paid then mrr_at_end - mrr_at_start else 0 end)
            as new_mrr,
        sum(
            case
                when mrr_at_start <= 0 and mrr_at_end > 0 and not is_first_paid then mrr_at_end - mrr_at_start
                else 0
            end
        ) as reactivation_mrr,
        sum(case when mrr_at_start > 0 and mrr_at_end > mrr_at_start then mrr_at_end - mrr_at_start else 0 end)
            as expansion_of_paying,
        sum(case when mrr_at_end <= 0 and mrr_at_end > mrr_at_start then mrr_at_end - mrr_at_start else 0 end)
            as expansion_of_others,
        sum(case when mrr_at_end > 0 and mrr_at_end < mrr_at_start then mrr_at_start - mrr_at_end else 0 end)
            as contraction_of_paying,
        sum(case when mrr_at_start <= 0 and mrr_at_end < mrr_at_start then mrr_at_start - mrr_at_end else 0 end)
            as contraction_of_others,
        sum(case when mrr_at_start > 0 and mrr_at_end <= 0 then mrr_at_start - mrr_at_end else 0 end) as churned_mrr

    from moves
    group by period_type, period_index, profile_number, plan

),

-- The revenue at the start of a period changes where a range begins and after it ends.
changes as (

    select
        period_type,
        first_boundary as period_index,
        profile_number,
        plan,
        sum(mrr) as change_at_start,
        sum(case when mrr > 0 then mrr else 0 end) as change_of_paying
    from placed
    group by period_type, first_boundary, profile_number, plan

    union all

    select
        period_type,
        last_boundary + 1 as period_index,
        profile_number,
        plan,
        -sum(mrr) as change_at_start,
        -sum(case when mrr > 0 then mrr else 0 end) as change_of_paying
    from placed
    group by period_type, last_boundary, profile_number, plan

),

measured as (

    select
        period_type,
        period_index,
        profile_number,
        plan,
        change_at_start,
        change_of_paying,
        cast(0 as decimal(38, 14)) as new_mrr,
        cast(0 as decimal(38, 14)) as reactivation_mrr,
        cast(0 as decimal(38, 14)) as expansion_of_paying,
        cast(0 as decimal(38, 14)) as expansion_of_others,
        cast(0 as decimal(38, 14)) as contraction_of_paying,
        cast(0 as decimal(38, 14)) as contraction_of_others,
        cast(0 as decimal(38, 14)) as churned_mrr
    from changes

    union all

    select
        period_type,
        period_index,
        profile_number,
        plan,
        cast(0 as decimal(38, 14)) as change_at_start,
        cast(0 as decimal(38, 14)) as change_of_paying,
        new_mrr,
        reactivation_mrr,
        expansion_of_paying,
        expansion_of_others,
        contraction_of_paying,
        contraction_of_others,
        churned_mrr
    from movements

),

compressed as (

    select
        measured.period_type,
        measured.period_index,
        {%- for dimension in customer_dimensions() %}
            profiles.{{ dimension }},
        {%- endfor %}
        measured.plan,
        measured.change_at_start,
        measured.change_of_paying,
        measured.new_mrr,
        measured.reactivation_mrr,
        measured.expansion_of_paying,
        measured.expansion_of_others,
        measured.contraction_of_paying,
        measured.contraction_of_others,
        measured.churned_mrr

    from measured
    inner join profiles on measured.profile_number = profiles.profile_number

),

broken_down as (

    {{ grouped_by_dimension(
        relation='compressed',
        keys=['period_type', 'period_index'],
        dimensions=customer_dimensions() + ['plan'],
        measures={
            'change_at_start': 'sum(change_at_start)',
            'change_of_paying': 'sum(change_of_paying)',
            'new_mrr': 'sum(new_mrr)',
            'reactivation_mrr': 'sum(reactivation_mrr)',
            'expansion_of_paying': 'sum(expansion_of_paying)',
            'expansion_of_others': 'sum(expansion_of_others)',
            'contraction_of_paying': 'sum(contraction_of_paying)',
            'contraction_of_others': 'sum(contraction_of_others)',
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
        sum(coalesce(broken_down.change_of_paying, 0)) over (
            partition by spine.period_type, spine.dimension, spine.dimension_value
            order by spine.period_index
            rows between unbounded preceding and current row
        ) as paying_mrr_at_start,
        coalesce(broken_down.new_mrr, 0) as new_mrr,
        coalesce(broken_down.reactivation_mrr, 0) as reactivation_mrr,
        coalesce(broken_down.expansion_of_paying, 0) as expansion_of_paying,
        coalesce(broken_down.expansion_of_others, 0) as expansion_of_others,
        coalesce(broken_down.contraction_of_paying, 0) as contraction_of_paying,
        coalesce(broken_down.contraction_of_others, 0) as contraction_of_others,
        coalesce(broken_down.churned_mrr, 0) as churned_mrr

    from spine
    left join broken_down
        on
            spine.period_type = broken_down.period_type
            and spine.period_index = broken_down.period_index
            and spine.dimension = broken_down.dimension
            and spine.dimension_value = broken_down.dimension_value

),

added_up as (

    select
        *,
        expansion_of_paying + expansion_of_others as expansion_mrr,
        contraction_of_paying + contraction_of_others as contraction_mrr,
        paying_mrr_at_start - contraction_of_paying - churned_mrr as kept_mrr

    from counted

),

balanced as (

    select
        *,
        kept_mrr + expansion_of_paying as end_mrr_of_customers_at_start,
        mrr_at_start + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr as mrr_at_end,
        new_mrr + reactivation_mrr + expansion_mrr as gained_mrr,
        contraction_mrr + churned_mrr as lost_mrr

    from added_up

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
        {{ ratio('kept_mrr', 'paying_mrr_at_start') }} as gross_revenue_retention,
        {{ ratio('end_mrr_of_customers_at_start', 'paying_mrr_at_start') }} as net_revenue_retention,
        {{ ratio('gained_mrr', 'lost_mrr') }} as quick_ratio

    from balanced

)

select * from revenue_retention
