-- One row per pipeline and stage of the funnel, numbered: the open stages, and one for all that are unmapped.
with

stages as (

    select * from {{ ref('int_stages') }}
    where is_open

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

)

select * from numbered_stages
