-- One row per pipeline, period of entering, stage and dimension value: who entered, went on, was lost or is undecided.
with

deals as (

    select * from {{ ref('int_deals') }}

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

as_of as (

    select max(as_of) as as_of from periods

),

-- Each combination of pipeline and dimensions once: the rows that are counted carry its number instead of its names.
profiles as (

    select
        pipeline_key,
        {%- for dimension in deal_dimensions() %}
            {{ dimension }},
        {%- endfor %}
        min(began_at) as began_at,
        row_number() over (order by pipeline_key, {{ deal_dimensions() | join(', ') }}) as profile_number

    from deals
    group by pipeline_key, {{ deal_dimensions() | join(', ') }}

),

profile_values as (

    {{ values_of_profiles('profiles', deal_dimensions(), ['pipeline_key', 'began_at']) }}

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
    from {{ ref('int_deal_stages') }}
    where stage_order is null

),

numbered_stages as (

    select
        *,
        row_number() over (order by pipeline_key, stage_key) as stage_number

    from pipeline_stages

),

first_stage as (

    select
        deal_id,
        {{ period_index("'month'", 'reached_at') }} as cohort_month
    from {{ ref('int_deal_stages') }}
    where open_stage_number = 1

),

-- The stages of the deals as numbers. A deal reaches a stage when it enters it, or when it skips it.
visits as (

    select
        profiles.profile_number,
        numbered_stages.stage_number,
        numbered_stages.stage_order is not null as is_mapped,
        first_stage.cohort_month,
        deal_stages.stage_outcome,
        deal_stages.days_in_stage,
        deal_stages.is_standing,
        deal_stages.entered_at is not null as is_entered,
        {{ period_index("'month'", 'deal_stages.reached_at') }} as reached_month

    from {{ ref('int_deal_stages') }} as deal_stages
    inner join numbered_stages
        on
            deal_stages.pipeline_key = numbered_stages.pipeline_key
            and deal_stages.stage_key = numbered_stages.stage_key
    inner join profiles
        on
            deal_stages.pipeline_key = profiles.pipeline_key
            {%- for dimension in deal_dimensions() %}
                and deal_stages.{{ dimension }} = profiles.{{ dimension }}
            {%- endfor %}
    left join first_stage on deal_stages.deal_id = first_stage.deal_id

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

    from visits
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

    from visits
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

-- Days in stage: where a deal still stands, its stay is censored.
stays as (

    select
        visits.stage_number,
        profile_values.value_number,
        visits.reached_month as month_index,
        {{ period_of_month("'quarter'", 'visits.reached_month') }} as quarter_index,
        {{ period_of_month("'year'", 'visits.reached_month') }} as year_index,
        visits.days_in_stage,
        visits.is_standing

    from visits
    inner join profile_values on visits.profile_number = profile_values.profile_number
    where visits.is_entered and visits.is_mapped

),

-- One type of period after the other, so that the stays of only one are held in memory.
stay_orders as (

    {% for period_type in period_types() %}
        select
            visits.stage_number,
            profile_values.value_number,
            '{{ period_type }}' as period_type,
            {{ period_of_month("'" ~ period_type ~ "'", 'visits.reached_month') }} as period_index,
            {{ discrete_percentiles('visits.days_in_stage', [0.5, 0.9]) }} as days,
            min(case when visits.is_standing then visits.days_in_stage end) as first_standing_days
        from visits
        inner join profile_values on visits.profile_number = profile_values.profile_number
        where visits.is_entered and visits.is_mapped
        group by
            visits.stage_number,
            profile_values.value_number,
            {{ period_of_month("'" ~ period_type ~ "'", 'visits.reached_month') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Up to the first censored stay the Kaplan-Meier estimate is the share of longer stays, and its percentiles are stays.
-- Only where a stay is censored before them is it worked out.
stay_groups as (

    select
        stage_number,
        value_number,
        period_type,
        period_index,
        first_standing_days,
        {{ array_element('days', 1) }} as median_days,
        {{ array_element('days', 2) }} as p90_days

    from stay_orders

),

censored_groups as (

    select
        stage_number,
        value_number,
        period_type,
        period_index,
        row_number() over (order by stage_number, value_number, period_type, period_index) as group_number

    from stay_groups
    where p90_days >= first_standing_days

),

censored_stays as (

    {% for period_type in period_types() %}
        select
            censored_groups.group_number,
            stays.days_in_stage,
            stays.is_standing
        from stays
        inner join censored_groups
            on
                stays.stage_number = censored_groups.stage_number
                and stays.value_number = censored_groups.value_number
                and stays.{{ period_type }}_index = censored_groups.period_index
        where censored_groups.period_type = '{{ period_type }}'
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Of equal lengths the stays that ended come before those that are censored.
stays_at_risk as (

    select
        group_number,
        days_in_stage,
        is_standing,
        case when is_standing then 0 else 1 end as ended,
        row_number() over (partition by group_number order by days_in_stage desc, is_standing desc) as at_risk

    from censored_stays

),

stay_survival as (

    select
        *,
        {{ survival_probability(
            'ended',
            'at_risk',
            order_by='days_in_stage, is_standing',
            partition_by='group_number'
        ) }} as survival

    from stays_at_risk

),

censored_percentiles as (

    select
        group_number,
        min(case when survival <= 0.5 + 1e-9 then days_in_stage end) as median_days,
        min(case when survival <= 0.1 + 1e-9 then days_in_stage end) as p90_days

    from stay_survival
    group by group_number

),

stay_percentiles as (

    select
        stay_groups.stage_number,
        stay_groups.value_number,
        stay_groups.period_type,
        stay_groups.period_index,
        case
            when censored_groups.group_number is null then stay_groups.median_days
            else censored_percentiles.median_days
        end as median_days_in_stage,
        case
            when censored_groups.group_number is null then stay_groups.p90_days
            else censored_percentiles.p90_days
        end as p90_days_in_stage

    from stay_groups
    left join censored_groups
        on
            stay_groups.stage_number = censored_groups.stage_number
            and stay_groups.value_number = censored_groups.value_number
            and stay_groups.period_type = censored_groups.period_type
            and stay_groups.period_index = censored_groups.period_index
    left join censored_percentiles on censored_groups.group_number = censored_percentiles.group_number

),

-- What a deal at this stage is worth: closed deals of the last twelve months that reached a stage.
closed as (

    select
        numbered_stages.stage_number,
        profiles.profile_number,
        deal_stages.outcome,
        deal_stages.amount,
        {{ trailing_day('deal_stages.closed_at', 'as_of.as_of') }} as closed_on

    from {{ ref('int_deal_stages') }} as deal_stages
    cross join as_of
    inner join numbered_stages
        on
            deal_stages.pipeline_key = numbered_stages.pipeline_key
            and deal_stages.stage_key = numbered_stages.stage_key
    inner join profiles
        on
            deal_stages.pipeline_key = profiles.pipeline_key
            {%- for dimension in deal_dimensions() %}
                and deal_stages.{{ dimension }} = profiles.{{ dimension }}
            {%- endfor %}
    where deal_stages.closed_at is not null and deal_stages.stage_order is not null

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
        numbered_stages.pipeline_key,
        numbered_stages.open_stage_number,
        closed_days.value_number,
        periods.period_type,
        periods.period_index,
        {{ ratio('sum(closed_days.won)', 'sum(closed_days.decided)') }} as win_share,
        {{ ratio('sum(closed_days.won_amount)', 'sum(closed_days.won_amounts)') }} as mean_won_amount

    from closed_days
    inner join numbered_stages on closed_days.stage_number = numbered_stages.stage_number
    inner join periods
        on
            closed_days.closed_on < periods.boundary_on
            and closed_days.closed_on >= {{ add_months('periods.boundary_on', -12) }}
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

    from deals
    group by pipeline_key

),

spine as (

    select
        pipelines.pipeline_key,
        pipelines.pipeline,
        numbered_stages.stage_number,
        numbered_stages.stage,
        numbered_stages.stage_order,
        numbered_stages.open_stage_number,
        numbered_stages.value_stage_number,
        numbered_stages.is_last_stage,
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
    inner join numbered_stages on pipelines.pipeline_key = numbered_stages.pipeline_key
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
