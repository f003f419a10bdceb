{#
    Median and ninth decile of the days that deals stay in a stage, by stage, dimension value and period of one type in
    which they reached it. Each type of period is a model of its own: the stays of one fit into little memory, and those
    of all three would not.

    Up to the first censored stay the Kaplan-Meier estimate is the share of longer stays, and its percentiles are stays.
    Only where a stay is censored before them is it worked out.
#}
{% macro stage_stays(period_type) -%}
with

stays as (

    select
        profile_number,
        stage_number,
        {{ period_of_month("'" ~ period_type ~ "'", 'reached_month') }} as period_index,
        days_in_stage,
        is_standing

    from {{ ref('int_reached_stages') }}
    where is_entered and is_mapped

),

profile_values as (

    select * from {{ ref('int_deal_profile_values') }}

),

stay_orders as (

    select
        stays.stage_number,
        profile_values.value_number,
        stays.period_index,
        {{ discrete_percentiles('stays.days_in_stage', [0.5, 0.9]) }} as days,
        min(case when stays.is_standing then stays.days_in_stage end) as first_standing_days

    from stays
    inner join profile_values on stays.profile_number = profile_values.profile_number
    group by stays.stage_number, profile_values.value_number, stays.period_index

),

stay_groups as (

    select
        stage_number,
        value_number,
        period_index,
        {{ array_element('days', 1) }} as median_days,
        {{ array_element('days', 2) }} as p90_days,
        coalesce({{ array_element('days', 2) }} >= first_standing_days, false) as is_censored,
        row_number() over (order by stage_number, value_number, period_index) as group_number

    from stay_orders

),

censored_stays as (

    select
        stay_groups.group_number,
        stays.days_in_stage,
        stays.is_standing

    from stays
    inner join profile_values on stays.profile_number = profile_values.profile_number
    inner join stay_groups
        on
            stays.stage_number = stay_groups.stage_number
            and profile_values.value_number = stay_groups.value_number
            and stays.period_index = stay_groups.period_index
    where stay_groups.is_censored

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
        '{{ period_type }}' as period_type,
        stay_groups.period_index,
        case
            when stay_groups.is_censored then censored_percentiles.median_days
            else stay_groups.median_days
        end as median_days_in_stage,
        case
            when stay_groups.is_censored then censored_percentiles.p90_days
            else stay_groups.p90_days
        end as p90_days_in_stage

    from stay_groups
    left join censored_percentiles on stay_groups.group_number = censored_percentiles.group_number

)

select * from stay_percentiles
{%- endmacro %}
