-- One row per basis, period and reason: how many of the customers who churned in the period left for it. The reason
-- `unknown` is there in every period.
with

churned as (

    select * from {{ ref('int_churned_customers') }}

),

series as (

    select distinct
        basis,
        first_started_on
    from {{ ref('int_basis_dimension_values') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

counted as (

    select
        basis,
        period_type,
        period_index,
        reason,
        count(*) as churned_customers

    from churned
    group by basis, period_type, period_index, reason

),

totals as (

    select
        basis,
        period_type,
        period_index,
        sum(churned_customers) as all_churned_customers,
        sum(case when reason <> 'unknown' then churned_customers else 0 end) as explained_customers

    from counted
    group by basis, period_type, period_index

),

spine as (

    select
        series.basis,
        periods.period_type,
        periods.period_index,
        periods.period_start,
        periods.period_end,
        periods.period_state,
        'unknown' as reason

    from series
    inner join periods on series.first_started_on < periods.period_end

    union distinct

    select
        series.basis,
        periods.period_type,
        periods.period_index,
        periods.period_start,
        periods.period_end,
        periods.period_state,
        counted.reason

    from series
    inner join periods on series.first_started_on < periods.period_end
    inner join counted
        on
            series.basis = counted.basis
            and periods.period_type = counted.period_type
            and periods.period_index = counted.period_index

),

churn_reasons as (

    select
        ---------- ids
        spine.basis,
        spine.period_type,
        spine.period_start,
        spine.reason,

        ---------- timestamps
        spine.period_end,

        ---------- text
        spine.period_state,

        ---------- numerics
        cast(coalesce(counted.churned_customers, 0) as bigint) as churned_customers,
        cast(coalesce(totals.all_churned_customers, 0) as bigint) as all_churned_customers,
        {{ ratio('coalesce(counted.churned_customers, 0)', 'totals.all_churned_customers') }} as share,
        {{ ratio('totals.explained_customers', 'totals.all_churned_customers') }} as coverage

    from spine
    left join counted
        on
            spine.basis = counted.basis
            and spine.period_type = counted.period_type
            and spine.period_index = counted.period_index
            and spine.reason = counted.reason
    left join totals
        on
            spine.basis = totals.basis
            and spine.period_type = totals.period_type
            and spine.period_index = totals.period_index

)

select * from churn_reasons
