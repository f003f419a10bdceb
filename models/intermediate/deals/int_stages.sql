-- One row per pipeline and stage of the reference, by the lower-case names that deals are matched with.
with

stages as (

    select * from {{ ref('int_rows__deal_stages') }}
    where row_state = 'current'

),

named as (

    select
        stage,
        stage_order,
        {{ pipeline_key('pipeline') }} as pipeline_key,
        lower(stage) as stage_key,
        coalesce(pipeline, 'default') as pipeline,
        coalesce(is_won, false) as is_won,
        coalesce(is_lost, false) as is_lost

    from stages

),

-- Two spellings of one stage are one stage.
distinct_stages as (

    select
        pipeline_key,
        stage_key,
        stage,
        stage_order,
        is_won,
        is_lost,
        min(pipeline) over (partition by pipeline_key) as pipeline,
        not is_won and not is_lost as is_open

    from named
    qualify row_number() over (partition by pipeline_key, stage_key order by stage_order, stage) = 1

),

ranked as (

    select
        ---------- ids
        pipeline_key,
        stage_key,

        ---------- text
        pipeline,
        stage,

        ---------- numerics
        stage_order,

        ---------- booleans
        is_won,
        is_lost,
        is_open,

        ---------- calculations
        -- Position among the open stages of the pipeline, 1 for the first; equal orders are told apart by name.
        case
            when is_open
                then row_number() over (partition by pipeline_key, is_open order by stage_order, stage_key)
        end as open_stage_number,
        sum(case when is_open then 1 else 0 end) over (partition by pipeline_key) as open_stages

    from distinct_stages

)

select * from ranked
