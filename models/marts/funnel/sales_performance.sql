-- One row per period of closing and dimension value: won and lost deals, their value, cycle, velocity and target.
with

deals as (

    select * from {{ ref('int_deals') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

sales_reps as (

    select * from {{ ref('int_rows__sales_reps') }}
    where row_state = 'current'

),

targets as (

    select
        targets.rep_id as rep,
        targets.period_start as target_month,
        targets.reporting_target_amount as target_amount,
        coalesce(sales_reps.team, '(unknown)') as owner_team,
        coalesce(sales_reps.region, '(unknown)') as owner_region

    from {{ ref('int_rows__sales_targets') }} as targets
    cross join as_of
    left join sales_reps on targets.rep_id = sales_reps.rep_id
    where targets.row_state = 'current' and targets.period_start < as_of.as_of

),

{% set dimensions = ['rep'] + deal_dimensions() -%}

closed as (

    select
        *,
        cast(closed_at as date) as closed_on,
        {{ elapsed_days('created_at', 'closed_at') }} as cycle_days,
        outcome = 'won' as is_won,
        outcome = 'lost' and not is_no_decision as is_lost

    from deals
    where outcome <> 'open'

),

-- Closed deals once per dimension; the sums of periods and of trailing years are taken from these.
closed_by_dimension as (

    {{ grouped_by_dimension(
        relation='closed',
        keys=['deal_id', 'closed_on', 'is_won', 'is_lost', 'is_no_decision', 'amount', 'cycle_days'],
        dimensions=dimensions,
        measures={'deals': 'count(*)'}
    ) }}

),

closed_in_period as (

    select
        periods.period_type,
        periods.period_index,
        closed_by_dimension.dimension,
        closed_by_dimension.dimension_value,
        count(case when closed_by_dimension.is_won then 1 end) as won,
        count(case when closed_by_dimension.is_lost then 1 end) as lost,
        count(case when closed_by_dimension.is_no_decision then 1 end) as no_decision,
        sum(case when closed_by_dimension.is_won then closed_by_dimension.amount end) as won_amount,
        sum(case when closed_by_dimension.is_lost then closed_by_dimension.amount end) as lost_amount,
        count(case when closed_by_dimension.is_won then closed_by_dimension.amount end) as won_amounts,
        percentile_cont(0.5) within group (
            order by case when closed_by_dimension.is_won then cast(closed_by_dimension.amount as double) end
        ) as median_deal_amount,
        {{ ratio(
            'sum(case when closed_by_dimension.is_won then cast(closed_by_dimension.cycle_days as decimal(38, 10)) end)',
            'count(case when closed_by_dimension.is_won then closed_by_dimension.cycle_days end)'
        ) }} as mean_cycle_days,
        percentile_cont(0.5) within group (
            order by case when closed_by_dimension.is_won then closed_by_dimension.cycle_days end
        ) as median_cycle_days

    from closed_by_dimension
    inner join periods
        on {{ period_index('periods.period_type', 'closed_by_dimension.closed_on') }} = periods.period_index
    group by all

),

closed_days as (

    select
        dimension,
        dimension_value,
        closed_on,
        count(case when is_won then 1 end) as won,
        count(case when is_lost then 1 end) as lost,
        sum(case when is_won then amount end) as won_amount,
        count(case when is_won then amount end) as won_amounts,
        sum(case when is_won then cast(cycle_days as decimal(38, 10)) end) as won_cycle_days,
        count(case when is_won then cycle_days end) as won_cycles

    from closed_by_dimension
    group by dimension, dimension_value, closed_on

),

trailing_year as (

    select
        periods.period_type,
        periods.period_index,
        closed_days.dimension,
        closed_days.dimension_value,
        sum(closed_days.won) as won,
        {{ ratio('sum(closed_days.won)', 'sum(closed_days.won + closed_days.lost)') }} as win_rate,
        {{ ratio('sum(closed_days.won_amount)', 'sum(closed_days.won_amounts)') }} as mean_deal_amount,
        {{ ratio('sum(closed_days.won_cycle_days)', 'sum(closed_days.won_cycles)') }} as mean_cycle_days

    from closed_days
    inner join periods
        on
            closed_days.closed_on < periods.boundary_on
            and closed_days.closed_on >= {{ add_months('periods.boundary_on', -12) }}
    group by all

),

-- Open deals at the end of a period: those that began before it, less those that closed before it.
begun as (

    select
        *,
        cast(began_at as date) as changed_on,
        1 as change
    from deals
    where began_at is not null

),

-- A deal whose history begins after its close was never open.
ended as (

    select
        *,
        cast(greatest(closed_at, began_at) as date) as changed_on,
        -1 as change
    from deals
    where closed_at is not null

),

changes as (

    select * from begun

    union all

    select * from ended

),

changes_by_dimension as (

    {{ grouped_by_dimension(
        relation='changes',
        keys=['changed_on'],
        dimensions=dimensions,
        measures={'change': 'sum(change)'}
    ) }}

),

open_at_end as (

    select
        periods.period_type,
        periods.period_index,
        changes_by_dimension.dimension,
        changes_by_dimension.dimension_value,
        sum(changes_by_dimension.change) as open

    from changes_by_dimension
    inner join periods on changes_by_dimension.changed_on < periods.boundary_on
    group by all

),

targets_by_dimension as (

    {{ grouped_by_dimension(
        relation='targets',
        keys=['target_month'],
        dimensions=['rep', 'owner_team', 'owner_region'],
        measures={'target_amount': 'sum(target_amount)'}
    ) }}

),

targets_in_period as (

    select
        periods.period_type,
        periods.period_index,
        targets_by_dimension.dimension,
        targets_by_dimension.dimension_value,
        sum(targets_by_dimension.target_amount) as target_amount

    from targets_by_dimension
    inner join periods
        on {{ period_index('periods.period_type', 'targets_by_dimension.target_month') }} = periods.period_index
    group by all

),

dimension_values as (

    select distinct
        dimension,
        dimension_value
    from changes_by_dimension

    union distinct

    select distinct
        dimension,
        dimension_value
    from targets_by_dimension

),

first_event as (

    select cast(min(began_at) as date) as began_on from deals

),

spine as (

    select
        periods.*,
        dimension_values.dimension,
        dimension_values.dimension_value

    from dimension_values
    cross join first_event
    inner join periods on first_event.began_on < periods.period_end

),

measured as (

    select
        spine.*,
        coalesce(closed_in_period.won, 0) as won,
        coalesce(closed_in_period.lost, 0) as lost,
        coalesce(closed_in_period.no_decision, 0) as no_decision,
        coalesce(open_at_end.open, 0) as open,
        coalesce(closed_in_period.won_amount, 0) as won_amount,
        coalesce(closed_in_period.lost_amount, 0) as lost_amount,
        closed_in_period.won_amounts,
        closed_in_period.median_deal_amount,
        closed_in_period.mean_cycle_days,
        closed_in_period.median_cycle_days,
        case
            when trailing_year.won >= {{ var('velocity_minimum_won') }}
                then
                    coalesce(open_at_end.open, 0) * trailing_year.win_rate * trailing_year.mean_deal_amount
                    / nullif(trailing_year.mean_cycle_days, 0)
        end as pipeline_velocity_per_day,
        targets_in_period.target_amount

    from spine
    left join closed_in_period
        on
            spine.period_type = closed_in_period.period_type
            and spine.period_index = closed_in_period.period_index
            and spine.dimension = closed_in_period.dimension
            and spine.dimension_value = closed_in_period.dimension_value
    left join trailing_year
        on
            spine.period_type = trailing_year.period_type
            and spine.period_index = trailing_year.period_index
            and spine.dimension = trailing_year.dimension
            and spine.dimension_value = trailing_year.dimension_value
    left join open_at_end
        on
            spine.period_type = open_at_end.period_type
            and spine.period_index = open_at_end.period_index
            and spine.dimension = open_at_end.dimension
            and spine.dimension_value = open_at_end.dimension_value
    left join targets_in_period
        on
            spine.period_type = targets_in_period.period_type
            and spine.period_index = targets_in_period.period_index
            and spine.dimension = targets_in_period.dimension
            and spine.dimension_value = targets_in_period.dimension_value

),

sales_performance as (

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
        cast(won as bigint) as won,
        cast(lost as bigint) as lost,
        cast(no_decision as bigint) as no_decision,
        cast(open as bigint) as open,
        cast(won_amount as decimal(38, 14)) as won_amount,
        cast(lost_amount as decimal(38, 14)) as lost_amount,
        {{ ratio('won', '(won + lost)') }} as win_rate,
        {{ ratio('won', '(won + lost + no_decision)') }} as strict_win_rate,
        {{ ratio('won_amount', '(won_amount + lost_amount)') }} as value_win_rate,
        {{ ratio('won_amount', 'won_amounts') }} as mean_deal_amount,
        median_deal_amount,
        mean_cycle_days,
        median_cycle_days,
        pipeline_velocity_per_day,
        cast(target_amount as decimal(38, 14)) as target_amount,
        {{ ratio('won_amount', 'target_amount') }} as target_attainment

    from measured

)

select * from sales_performance
