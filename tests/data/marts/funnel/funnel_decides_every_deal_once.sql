-- A deal that entered a stage advanced, was lost there or is open; and who reached a stage reached those before it.
with

funnel_conversion as (

    select
        *,
        concat_ws(' ', pipeline, period_type, period_start, stage, dimension, dimension_value) as failing_row,
        stage_order is not null as is_mapped,
        min(first_stage_cohort_reached) over (
            partition by pipeline, period_type, period_start, dimension, dimension_value
            order by stage_order
            range between unbounded preceding and 1 preceding
        ) as reached_earlier_stage,
        max(first_stage_cohort_reached) over (
            partition by pipeline, period_type, period_start, dimension, dimension_value
        ) as reached_first_stage,
        sum(case when is_bottleneck then 1 else 0 end) over (
            partition by pipeline, period_type, period_start, dimension, dimension_value
        ) as bottlenecks,
        max(case when advanced + lost >= {{ var('bottleneck_minimum_decided') }} then value_lost end) over (
            partition by pipeline, period_type, period_start, dimension, dimension_value
        ) as largest_value_lost

    from {{ ref('funnel_conversion') }}

),

reached_stages as (

    select
        pipeline_key,
        count(entered_at) as entered,
        count(*) as reached

    from {{ ref('int_deal_stages') }}
    group by pipeline_key

),

totals as (

    select
        period_type,
        lower(pipeline) as pipeline_key,
        sum(entered) as entered,
        sum(reached) as reached

    from funnel_conversion
    where dimension = 'all'
    group by period_type, lower(pipeline)

),

broken_rules as (

    select
        'entered is advanced plus lost plus open' as broken_rule,
        failing_row
    from funnel_conversion
    where is_mapped and (entered <> advanced + lost + open or advanced + lost + open is null)

    union all

    select
        'an unmapped stage counts entries and nothing else' as broken_rule,
        failing_row
    from funnel_conversion
    where
        not is_mapped
        and (
            entered <> reached
            or coalesce(
                advanced, lost, open, first_stage_cohort, first_stage_cohort_reached, conversion_rate,
                overall_conversion_rate, value_lost
            ) is not null
            or coalesce(is_bottleneck, is_mature) is not null
        )

    union all

    select
        'who entered has reached' as broken_rule,
        failing_row
    from funnel_conversion
    where reached < entered

    union all

    select
        'the first stage cohort is the same at every stage' as broken_rule,
        failing_row
    from funnel_conversion
    where is_mapped and (first_stage_cohort is null or first_stage_cohort <> reached_first_stage)

    union all

    select
        'the share that has reached a stage never rises with the stages' as broken_rule,
        failing_row
    from funnel_conversion
    where
        first_stage_cohort_reached > reached_earlier_stage
        or overall_conversion_rate > 1
        or (is_mapped and (overall_conversion_rate is null) <> (first_stage_cohort = 0))

    union all

    select
        'rates are NULL exactly where nothing is decided' as broken_rule,
        failing_row
    from funnel_conversion
    where
        is_mapped
        and (
            (conversion_rate is null) <> (advanced + lost = 0)
            or (drop_off_rate is null) <> (advanced + lost = 0)
            or (ci_low is null) <> (advanced + lost = 0)
            or (ci_high is null) <> (advanced + lost = 0)
        )

    union all

    select
        'conversion and drop-off make one, within their interval' as broken_rule,
        failing_row
    from funnel_conversion
    where
        abs(conversion_rate + drop_off_rate - 1) > 1e-12
        or abs(conversion_rate * (advanced + lost) - advanced) > 1e-6
        or ci_low > conversion_rate + 1e-12
        or ci_high < conversion_rate - 1e-12
        or ci_low < -1e-12
        or ci_high > 1 + 1e-12

    union all

    select
        'a pipeline has one bottleneck at most, where the most is lost' as broken_rule,
        failing_row
    from funnel_conversion
    where
        bottlenecks > 1
        or (is_bottleneck and (round(value_lost, 6) < round(largest_value_lost, 6) or value_lost <= 0))

    union all

    select
        'half of the deals leave before nine of ten do' as broken_rule,
        failing_row
    from funnel_conversion
    where
        median_days_in_stage > p90_days_in_stage
        or median_days_in_stage < 0
        or (median_days_in_stage is null and p90_days_in_stage is not null)

    union all

    select
        'every reached stage is counted in one month, one quarter and one year' as broken_rule,
        concat_ws(' ', reached_stages.pipeline_key, types.period_type) as failing_row
    from reached_stages
    cross join (values ('month'), ('quarter'), ('year')) as types (period_type)
    left join totals
        on reached_stages.pipeline_key = totals.pipeline_key and types.period_type = totals.period_type
    where
        totals.pipeline_key is null
        or reached_stages.entered <> totals.entered
        or reached_stages.reached <> totals.reached

)

select * from broken_rules
