-- One row per deal and stage that it reached, by numbers: as narrow as a fact of which there are millions, and from which
-- every figure of the funnel is counted. A deal reaches a stage when it enters it, or when it skips it.
with

deal_stages as (

    select * from {{ ref('int_deal_stages') }}

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

visits as (

    select
        profiles.profile_number,
        numbered_stages.stage_number,
        numbered_stages.stage_order is not null as is_mapped,
        first_stage.cohort_month,
        {{ period_index("'month'", 'deal_stages.reached_at') }} as reached_month,
        deal_stages.stage_outcome,
        deal_stages.outcome,
        deal_stages.amount,
        deal_stages.days_in_stage,
        deal_stages.is_standing,
        deal_stages.entered_at is not null as is_entered,
        deal_stages.closed_at

    from deal_stages
    inner join numbered_stages
        on
            deal_stages.pipeline_key = numbered_stages.pipeline_key
            and deal_stages.stage_key = numbered_stages.stage_key
    inner join profiles on {{ has_profile('deal_stages', ['pipeline_key'] + deal_dimensions()) }}
    left join first_stage on deal_stages.deal_id = first_stage.deal_id

)

select * from visits
