-- One row per deal and stage that it reached, by numbers: narrow, because there are millions, and every figure of the
-- funnel is counted from them. A deal reaches a stage when it enters it, or when it skips it.
with

deal_stages as (

    select * from {{ ref('int_deal_stages') }}

),

deals as (

    select * from {{ ref('int_deals') }}

),

profiles as (

    select * from {{ ref('int_deal_profiles') }}

),

numbered_stages as (

    select * from {{ ref('int_funnel_stages') }}

),

first_stage as (

    select
        deal_id,
        {{ period_index("'month'", 'reached_at') }} as cohort_month
    from deal_stages
    where open_stage_number = 1

),

numbered_deals as (

    select
        deals.deal_id,
        deals.outcome,
        deals.amount,
        deals.closed_at,
        profiles.profile_number,
        first_stage.cohort_month

    from deals
    inner join profiles on {{ has_profile('deals', ['pipeline_key'] + deal_dimensions()) }}
    left join first_stage on deals.deal_id = first_stage.deal_id

),

reached_stages as (

    select
        numbered_deals.profile_number,
        numbered_stages.stage_number,
        numbered_stages.stage_order is not null as is_mapped,
        numbered_deals.cohort_month,
        {{ period_index("'month'", 'deal_stages.reached_at') }} as reached_month,
        deal_stages.stage_outcome,
        numbered_deals.outcome,
        numbered_deals.amount,
        deal_stages.days_in_stage,
        deal_stages.is_standing,
        deal_stages.entered_at is not null as is_entered,
        numbered_deals.closed_at

    from deal_stages
    inner join numbered_deals on deal_stages.deal_id = numbered_deals.deal_id
    inner join numbered_stages
        on
            deal_stages.pipeline_key = numbered_stages.pipeline_key
            and deal_stages.stage_key = numbered_stages.stage_key

)

select * from reached_stages
