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
    where {{ is_current_before_as_of('targets', 'period_start') }}

),

{% set dimensions = ['rep'] + deal_dimensions() -%}

types as (

    select distinct period_type from periods

),

-- Each combination of dimensions once: the deals that are counted carry its number instead of its names.
profiles as (

    {{ numbered_profiles('deals', dimensions) }}

),

profile_values as (

    {{ values_of_profiles('profiles', dimensions) }}

),

numbered_deals as (

    select
        profiles.profile_number,
        deals.outcome,
        deals.is_no_decision,
        deals.amount,
        deals.created_at,
        deals.began_at,
        deals.closed_at

    from deals
    inner join profiles on {{ has_profile('deals', dimensions) }}

),

closed as (

    select
        numbered_deals.profile_number,
        numbered_deals.amount,
        numbered_deals.is_no_decision,
        {{ trailing_day('numbered_deals.closed_at', 'as_of.as_of') }} as closed_on,
        {{ elapsed_days('numbered_deals.created_at', 'numbered_deals.closed_at') }} as cycle_days,
        numbered_deals.outcome = 'won' as is_won,
        numbered_deals.outcome = 'lost' and not numbered_deals.is_no_decision as is_lost

    from numbered_deals
    cross join as_of
    where numbered_deals.outcome <> 'open'

),

closed_profiles as (

    select
        profile_number,
        closed_on,
        count(case when is_won then 1 end) as won,
        count(case when is_lost then 1 end) as lost,
        count(case when is_no_decision then 1 end) as no_decision,
        sum(case when is_won then amount end) as won_amount,
        sum(case when is_lost then amount end) as lost_amount,
        count(case when is_won then amount end) as won_amounts,
        sum(case when is_won then cast(cycle_days as decimal(38, 10)) end) as won_cycle_days,
        count(case when is_won then cycle_days end) as won_cycles

    from closed
    group by profile_number, closed_on

),

-- The sums of periods and of trailing years are taken from these.
closed_days as (

    select
        profile_values.value_number,
        closed_profiles.closed_on,
        {{ period_index("'month'", 'closed_profiles.closed_on') }} as month_index,
        sum(closed_profiles.won) as won,
        sum(closed_profiles.lost) as lost,
        sum(closed_profiles.no_decision) as no_decision,
        sum(closed_profiles.won_amount) as won_amount,
        sum(closed_profiles.lost_amount) as lost_amount,
        sum(closed_profiles.won_amounts) as won_amounts,
        sum(closed_profiles.won_cycle_days) as won_cycle_days,
        sum(closed_profiles.won_cycles) as won_cycles

    from closed_profiles
    inner join profile_values on closed_profiles.profile_number = profile_values.profile_number
    group by profile_values.value_number, closed_profiles.closed_on

),

closed_in_period as (

    select
        types.period_type,
        {{ period_of_month('types.period_type', 'closed_days.month_index') }} as period_index,
        closed_days.value_number,
        sum(closed_days.won) as won,
        sum(closed_days.lost) as lost,
        sum(closed_days.no_decision) as no_decision,
        sum(closed_days.won_amount) as won_amount,
        sum(closed_days.lost_amount) as lost_amount,
        sum(closed_days.won_amounts) as won_amounts,
        {{ ratio('sum(closed_days.won_cycle_days)', 'sum(closed_days.won_cycles)') }} as mean_cycle_days

    from closed_days
    cross join types
    group by all

),

-- One type of period after the other: together their values would not fit into little memory.
medians_in_period as (

    {% for period_type in period_types() %}
        select
            '{{ period_type }}' as period_type,
            {{ period_index("'" ~ period_type ~ "'", 'closed.closed_on') }} as period_index,
            profile_values.value_number,
            percentile_cont(0.5) within group (order by cast(closed.amount as double)) as median_deal_amount,
            percentile_cont(0.5) within group (order by closed.cycle_days) as median_cycle_days
        from closed
        inner join profile_values on closed.profile_number = profile_values.profile_number
        where closed.is_won
        group by
            {{ period_index("'" ~ period_type ~ "'", 'closed.closed_on') }},
            profile_values.value_number
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

trailing_year as (

    select
        periods.period_type,
        periods.period_index,
        closed_days.value_number,
        sum(closed_days.won) as won,
        {{ ratio('sum(closed_days.won)', 'sum(closed_days.won + closed_days.lost)') }} as win_rate,
        {{ ratio('sum(closed_days.won_amount)', 'sum(closed_days.won_amounts)') }} as mean_deal_amount,
        {{ ratio('sum(closed_days.won_cycle_days)', 'sum(closed_days.won_cycles)') }} as mean_cycle_days

    from closed_days
    inner join periods on {{ is_in_trailing_year('closed_days.closed_on', 'periods.boundary_on') }}
    group by all

),

-- Open deals at the end of a period: those that began before it, less those that closed before it.
changes as (

    select
        profile_number,
        cast(date_trunc('month', began_at) as date) as changed_on,
        count(*) as change
    from numbered_deals
    where began_at is not null
    group by all

    union all

    -- A deal whose history begins after its close was never open.
    select
        profile_number,
        cast(date_trunc('month', greatest(closed_at, began_at)) as date) as changed_on,
        -count(*) as change
    from numbered_deals
    where closed_at is not null
    group by all

),

changes_by_value as (

    select
        profile_values.value_number,
        changes.changed_on,
        sum(changes.change) as change

    from changes
    inner join profile_values on changes.profile_number = profile_values.profile_number
    group by profile_values.value_number, changes.changed_on

),

open_at_end as (

    select
        periods.period_type,
        periods.period_index,
        changes_by_value.value_number,
        sum(changes_by_value.change) as open

    from changes_by_value
    inner join periods on changes_by_value.changed_on < periods.boundary_on
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

-- Deals that never changed have no date that could bring them into a period.
dimension_values as (

    select distinct
        profile_values.dimension,
        profile_values.dimension_value
    from profile_values
    inner join changes on profile_values.profile_number = changes.profile_number

    union distinct

    select distinct
        dimension,
        dimension_value
    from targets_by_dimension

),

value_numbers as (

    select distinct
        dimension,
        dimension_value,
        value_number
    from profile_values

),

first_event as (

    select cast(min({{ deal_first_event_at('deals') }}) as date) as began_on from deals

),

spine as (

    select
        periods.*,
        dimension_values.dimension,
        dimension_values.dimension_value,
        value_numbers.value_number

    from dimension_values
    left join value_numbers
        on
            dimension_values.dimension = value_numbers.dimension
            and dimension_values.dimension_value = value_numbers.dimension_value
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
        medians_in_period.median_deal_amount,
        closed_in_period.mean_cycle_days,
        medians_in_period.median_cycle_days,
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
            and spine.value_number = closed_in_period.value_number
    left join medians_in_period
        on
            spine.period_type = medians_in_period.period_type
            and spine.period_index = medians_in_period.period_index
            and spine.value_number = medians_in_period.value_number
    left join trailing_year
        on
            spine.period_type = trailing_year.period_type
            and spine.period_index = trailing_year.period_index
            and spine.value_number = trailing_year.value_number
    left join open_at_end
        on
            spine.period_type = open_at_end.period_type
            and spine.period_index = open_at_end.period_index
            and spine.value_number = open_at_end.value_number
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
