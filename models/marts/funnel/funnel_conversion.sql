-- One row per pipeline, period of entering, stage and dimension value: who entered, went on, was lost or is undecided.
with

deals as (

    select * from {{ ref('int_deals') }}

),

deal_stages as (

    select * from {{ ref('int_deal_stages') }}

),

stages as (

    select * from {{ ref('int_stages') }}
    where is_open

),

periods as (

    select * from {{ ref('int_periods') }}

),

types as (

    select distinct period_type from periods

),

first_stage as (

    select
        deal_id,
        reached_at as cohort_at
    from deal_stages
    where open_stage_number = 1

),

-- A deal counts three times, each in its own period: where it entered the stage, where it reached it (entered or
-- skipped it), and where its cohort reached the first stage.
dated as (

    select
        deal_stages.*,
        deal_stages.entered_at as counted_at,
        'entered' as count_type
    from deal_stages
    where deal_stages.entered_at is not null

    union all

    select
        deal_stages.*,
        deal_stages.reached_at as counted_at,
        'reached' as count_type
    from deal_stages

    union all

    select
        deal_stages.*,
        first_stage.cohort_at as counted_at,
        'cohort' as count_type
    from deal_stages
    inner join first_stage on deal_stages.deal_id = first_stage.deal_id
    where deal_stages.stage_order is not null

),

compressed as (

    select
        dated.pipeline_key,
        dated.stage_key,
        types.period_type,
        {{ period_index('types.period_type', 'dated.counted_at') }} as period_index,
        {%- for dimension in deal_dimensions() %}
            dated.{{ dimension }},
        {%- endfor %}
        count(case when dated.count_type = 'entered' then 1 end) as entered,
        count(case when dated.count_type = 'entered' and dated.stage_outcome = 'advanced' then 1 end) as advanced,
        count(case when dated.count_type = 'entered' and dated.stage_outcome = 'lost' then 1 end) as lost,
        count(case when dated.count_type = 'entered' and dated.stage_outcome = 'open' then 1 end) as undecided,
        count(case when dated.count_type = 'reached' then 1 end) as reached,
        count(case when dated.count_type = 'cohort' then 1 end) as cohort_reached

    from dated
    cross join types
    group by all

),

broken_down as (

    {{ grouped_by_dimension(
        relation='compressed',
        keys=['pipeline_key', 'stage_key', 'period_type', 'period_index'],
        dimensions=deal_dimensions(),
        measures={
            'entered': 'sum(entered)',
            'advanced': 'sum(advanced)',
            'lost': 'sum(lost)',
            'undecided': 'sum(undecided)',
            'reached': 'sum(reached)',
            'cohort_reached': 'sum(cohort_reached)',
        }
    ) }}

),

-- Days in stage: where a deal still stands, its stay is censored.
stays as (

    select
        deal_stages.*,
        types.period_type,
        {{ period_index('types.period_type', 'deal_stages.entered_at') }} as period_index

    from deal_stages
    cross join types
    where deal_stages.entered_at is not null and deal_stages.stage_order is not null

),

stay_lengths as (

    {{ grouped_by_dimension(
        relation='stays',
        keys=['pipeline_key', 'stage_key', 'period_type', 'period_index', 'days_in_stage'],
        dimensions=deal_dimensions(),
        measures={
            'ended': 'count(case when not is_standing then 1 end)',
            'stays': 'count(*)',
        }
    ) }}

),

stays_at_risk as (

    select
        *,
        sum(stays) over (
            partition by pipeline_key, stage_key, period_type, period_index, dimension, dimension_value
            order by days_in_stage desc
            rows between unbounded preceding and current row
        ) as at_risk

    from stay_lengths

),

stay_survival as (

    select
        *,
        {{ survival_probability(
            'ended',
            'at_risk',
            order_by='days_in_stage',
            partition_by='pipeline_key, stage_key, period_type, period_index, dimension, dimension_value'
        ) }} as survival

    from stays_at_risk

),

stay_percentiles as (

    select
        pipeline_key,
        stage_key,
        period_type,
        period_index,
        dimension,
        dimension_value,
        min(case when survival <= 0.5 + 1e-9 then days_in_stage end) as median_days_in_stage,
        min(case when survival <= 0.1 + 1e-9 then days_in_stage end) as p90_days_in_stage

    from stay_survival
    group by pipeline_key, stage_key, period_type, period_index, dimension, dimension_value

),

-- What a deal at this stage is worth: closed deals of the last twelve months that reached a stage.
closed as (

    select
        *,
        cast(closed_at as date) as closed_on

    from deal_stages
    where closed_at is not null and stage_order is not null

),

closed_days as (

    {{ grouped_by_dimension(
        relation='closed',
        keys=['pipeline_key', 'open_stage_number', 'closed_on'],
        dimensions=deal_dimensions(),
        measures={
            'won': "count(case when outcome = 'won' then 1 end)",
            'decided': 'count(*)',
            'won_amount': "sum(case when outcome = 'won' then amount end)",
            'won_amounts': "count(case when outcome = 'won' then amount end)",
        }
    ) }}

),

trailing_year as (

    select
        closed_days.pipeline_key,
        closed_days.open_stage_number,
        closed_days.dimension,
        closed_days.dimension_value,
        periods.period_type,
        periods.period_index,
        {{ ratio('sum(closed_days.won)', 'sum(closed_days.decided)') }} as win_share,
        {{ ratio('sum(closed_days.won_amount)', 'sum(closed_days.won_amounts)') }} as mean_won_amount

    from closed_days
    inner join periods
        on
            closed_days.closed_on < periods.boundary_on
            and closed_days.closed_on >= {{ add_months('periods.boundary_on', -12) }}
    group by all

),

deal_values as (

    {{ grouped_by_dimension(
        relation='deals',
        keys=['pipeline_key'],
        dimensions=deal_dimensions(),
        measures={'began_at': 'min(began_at)'}
    ) }}

),

pipelines as (

    select
        pipeline_key,
        cast(min(began_at) as date) as began_on,
        min(pipeline) as pipeline

    from deals
    group by pipeline_key

),

pipeline_stages as (

    select
        pipeline_key,
        stage_key,
        stage,
        stage_order,
        open_stage_number,
        least(open_stage_number + 1, open_stages) as value_stage_number,
        open_stage_number = open_stages as is_last_stage
    from stages

    union all

    select distinct
        pipeline_key,
        stage_key,
        stage,
        cast(null as integer) as stage_order,
        cast(null as bigint) as open_stage_number,
        cast(null as bigint) as value_stage_number,
        false as is_last_stage
    from deal_stages
    where stage_order is null

),

spine as (

    select
        pipelines.pipeline_key,
        pipelines.pipeline,
        pipeline_stages.stage_key,
        pipeline_stages.stage,
        pipeline_stages.stage_order,
        pipeline_stages.open_stage_number,
        pipeline_stages.value_stage_number,
        pipeline_stages.is_last_stage,
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
    inner join pipeline_stages on pipelines.pipeline_key = pipeline_stages.pipeline_key
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
            partition by
                spine.pipeline_key, spine.period_type, spine.period_index, spine.dimension, spine.dimension_value
        ) as first_stage_cohort,
        case when spine.is_last_stage then 1 else trailing_year.win_share end as win_share

    from spine
    left join broken_down
        on
            spine.pipeline_key = broken_down.pipeline_key
            and spine.stage_key = broken_down.stage_key
            and spine.period_type = broken_down.period_type
            and spine.period_index = broken_down.period_index
            and spine.dimension = broken_down.dimension
            and spine.dimension_value = broken_down.dimension_value
    left join stay_percentiles
        on
            spine.pipeline_key = stay_percentiles.pipeline_key
            and spine.stage_key = stay_percentiles.stage_key
            and spine.period_type = stay_percentiles.period_type
            and spine.period_index = stay_percentiles.period_index
            and spine.dimension = stay_percentiles.dimension
            and spine.dimension_value = stay_percentiles.dimension_value
    left join trailing_year
        on
            spine.pipeline_key = trailing_year.pipeline_key
            and spine.value_stage_number = trailing_year.open_stage_number
            and spine.period_type = trailing_year.period_type
            and spine.period_index = trailing_year.period_index
            and spine.dimension = trailing_year.dimension
            and spine.dimension_value = trailing_year.dimension_value

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
            partition by pipeline_key, period_type, period_index, dimension, dimension_value, is_candidate
            order by value_lost desc nulls last, open_stage_number asc
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
