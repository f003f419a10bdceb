-- One row per pipeline, period of entering, stage and dimension value: who entered, went on, was lost or is undecided.
with

stages as (

    select * from {{ ref('int_funnel_stages') }}

),

reached_stages as (

    select * from {{ ref('int_reached_stages') }}

),

profiles as (

    select * from {{ ref('int_deal_profiles') }}

),

profile_values as (

    select * from {{ ref('int_deal_profile_values') }}

),

stay_percentiles as (

    {% for period_type in period_types() %}
        select * from {{ ref('int_stage_stays__' ~ period_type) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

periods as (

    select * from {{ ref('int_periods') }}

),

types as (

    select distinct period_type from periods

),

as_of as (

    select max(as_of) as as_of from periods

),

-- A deal counts in the month in which it reached the stage, and again in the one in which its cohort reached the first.
compressed as (

    select
        profile_number,
        stage_number,
        reached_month as month_index,
        count(case when is_entered then 1 end) as entered,
        count(case when is_entered and stage_outcome = 'advanced' then 1 end) as advanced,
        count(case when is_entered and stage_outcome = 'lost' then 1 end) as lost,
        count(case when is_entered and stage_outcome = 'open' then 1 end) as undecided,
        count(*) as reached,
        0 as cohort_reached

    from reached_stages
    group by profile_number, stage_number, reached_month

    union all

    select
        profile_number,
        stage_number,
        cohort_month as month_index,
        0 as entered,
        0 as advanced,
        0 as lost,
        0 as undecided,
        0 as reached,
        count(*) as cohort_reached

    from reached_stages
    where is_mapped and cohort_month is not null
    group by profile_number, stage_number, cohort_month

),

counted_months as (

    select
        compressed.stage_number,
        profile_values.value_number,
        compressed.month_index,
        sum(compressed.entered) as entered,
        sum(compressed.advanced) as advanced,
        sum(compressed.lost) as lost,
        sum(compressed.undecided) as undecided,
        sum(compressed.reached) as reached,
        sum(compressed.cohort_reached) as cohort_reached

    from compressed
    inner join profile_values on compressed.profile_number = profile_values.profile_number
    group by compressed.stage_number, profile_values.value_number, compressed.month_index

),

broken_down as (

    select
        counted_months.stage_number,
        counted_months.value_number,
        types.period_type,
        {{ period_of_month('types.period_type', 'counted_months.month_index') }} as period_index,
        sum(counted_months.entered) as entered,
        sum(counted_months.advanced) as advanced,
        sum(counted_months.lost) as lost,
        sum(counted_months.undecided) as undecided,
        sum(counted_months.reached) as reached,
        sum(counted_months.cohort_reached) as cohort_reached

    from counted_months
    cross join types
    group by all

),

-- What a deal at this stage is worth: closed deals of the last twelve months that reached a stage.
closed as (

    select
        reached_stages.stage_number,
        reached_stages.profile_number,
        reached_stages.outcome,
        reached_stages.amount,
        {{ trailing_day('reached_stages.closed_at', 'as_of.as_of') }} as closed_on

    from reached_stages
    cross join as_of
    where reached_stages.closed_at is not null and reached_stages.is_mapped

),

closed_profiles as (

    select
        stage_number,
        profile_number,
        closed_on,
        count(case when outcome = 'won' then 1 end) as won,
        count(*) as decided,
        sum(case when outcome = 'won' then amount end) as won_amount,
        count(case when outcome = 'won' then amount end) as won_amounts

    from closed
    group by stage_number, profile_number, closed_on

),

closed_days as (

    select
        closed_profiles.stage_number,
        profile_values.value_number,
        closed_profiles.closed_on,
        sum(closed_profiles.won) as won,
        sum(closed_profiles.decided) as decided,
        sum(closed_profiles.won_amount) as won_amount,
        sum(closed_profiles.won_amounts) as won_amounts

    from closed_profiles
    inner join profile_values on closed_profiles.profile_number = profile_values.profile_number
    group by closed_profiles.stage_number, profile_values.value_number, closed_profiles.closed_on

),

trailing_year as (

    select
        stages.pipeline_key,
        stages.open_stage_number,
        closed_days.value_number,
        periods.period_type,
        periods.period_index,
        {{ ratio('sum(closed_days.won)', 'sum(closed_days.decided)') }} as win_share,
        {{ ratio('sum(closed_days.won_amount)', 'sum(closed_days.won_amounts)') }} as mean_won_amount

    from closed_days
    inner join stages on closed_days.stage_number = stages.stage_number
    inner join periods on {{ is_in_trailing_year('closed_days.closed_on', 'periods.boundary_on') }}
    group by all

),

deal_values as (

    select
        pipeline_key,
        value_number,
        dimension,
        dimension_value,
        min(began_at) as began_at

    from profile_values
    group by pipeline_key, value_number, dimension, dimension_value

),

pipelines as (

    select
        pipeline_key,
        cast(min(began_at) as date) as began_on,
        min(pipeline) as pipeline

    from profiles
    group by pipeline_key

),

spine as (

    select
        pipelines.pipeline_key,
        pipelines.pipeline,
        stages.stage_number,
        stages.stage,
        stages.stage_order,
        stages.open_stage_number,
        stages.value_stage_number,
        stages.is_last_stage,
        deal_values.value_number,
        deal_values.dimension,
        deal_values.dimension_value,
        periods.period_type,
        periods.period_index,
        periods.period_start,
        periods.period_end,
        periods.period_state,
        periods.as_of

    from pipelines
    inner join periods on pipelines.began_on < periods.period_end
    inner join stages on pipelines.pipeline_key = stages.pipeline_key
    inner join deal_values on pipelines.pipeline_key = deal_values.pipeline_key
    where deal_values.began_at is not null

),

counted as (

    select
        spine.*,
        stay_percentiles.median_days_in_stage,
        stay_percentiles.p90_days_in_stage,
        trailing_year.mean_won_amount,
        coalesce(broken_down.entered, 0) as entered,
        coalesce(broken_down.advanced, 0) as advanced,
        coalesce(broken_down.lost, 0) as lost,
        coalesce(broken_down.undecided, 0) as undecided,
        coalesce(broken_down.reached, 0) as reached,
        coalesce(broken_down.cohort_reached, 0) as cohort_reached,
        max(case when spine.open_stage_number = 1 then coalesce(broken_down.cohort_reached, 0) end) over (
            partition by spine.pipeline_key, spine.period_type, spine.period_index, spine.value_number
        ) as first_stage_cohort,
        case when spine.is_last_stage then 1 else trailing_year.win_share end as win_share

    from spine
    left join broken_down
        on
            spine.stage_number = broken_down.stage_number
            and spine.period_type = broken_down.period_type
            and spine.period_index = broken_down.period_index
            and spine.value_number = broken_down.value_number
    left join stay_percentiles
        on
            spine.stage_number = stay_percentiles.stage_number
            and spine.period_type = stay_percentiles.period_type
            and spine.period_index = stay_percentiles.period_index
            and spine.value_number = stay_percentiles.value_number
    left join trailing_year
        on
            spine.pipeline_key = trailing_year.pipeline_key
            and spine.value_stage_number = trailing_year.open_stage_number
            and spine.period_type = trailing_year.period_type
            and spine.period_index = trailing_year.period_index
            and spine.value_number = trailing_year.value_number

),

decided as (

    select
        *,
        stage_order is not null as is_mapped,
        advanced + lost as decided,
        lost * win_share * mean_won_amount as value_lost,
        advanced + lost >= {{ var('bottleneck_minimum_decided') }}
        and lost * win_share * mean_won_amount > 0 as is_candidate

    from counted

),

ranked as (

    select
        *,
        row_number() over (
            partition by pipeline_key, period_type, period_index, value_number, is_candidate
            -- Of equal losses the earlier stage; doubles of equal losses may differ in the last digits.
            order by round(value_lost, 6) desc nulls last, open_stage_number asc
        ) as candidate_rank

    from decided

),

funnel_conversion as (

    select
        ---------- ids
        pipeline,
        period_type,
        period_start,
        stage,
        dimension,
        dimension_value,

        ---------- text
        period_state,

        ---------- numerics
        stage_order,
        cast(entered as bigint) as entered,
        cast(case when is_mapped then advanced end as bigint) as advanced,
        cast(case when is_mapped then lost end as bigint) as lost,
        cast(case when is_mapped then undecided end as bigint) as open,
        case when is_mapped then {{ ratio('advanced', 'decided') }} end as conversion_rate,
        case when is_mapped then {{ wilson_bound('advanced', 'decided', '-') }} end as ci_low,
        case when is_mapped then {{ wilson_bound('advanced', 'decided', '+') }} end as ci_high,
        case when is_mapped then {{ ratio('lost', 'decided') }} end as drop_off_rate,
        cast(reached as bigint) as reached,
        cast(case when is_mapped then first_stage_cohort end as bigint) as first_stage_cohort,
        cast(case when is_mapped then cohort_reached end as bigint) as first_stage_cohort_reached,
        case when is_mapped then {{ ratio('cohort_reached', 'first_stage_cohort') }} end as overall_conversion_rate,
        median_days_in_stage,
        p90_days_in_stage,
        value_lost,

        ---------- booleans
        case when is_mapped then coalesce(is_candidate and candidate_rank = 1, false) end as is_bottleneck,
        case
            when is_mapped then {{ add_days('period_end', var('conversion_window_days')) }} <= as_of
        end as is_mature,

        ---------- timestamps
        period_end

    from ranked

)

select * from funnel_conversion
