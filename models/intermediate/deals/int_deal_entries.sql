-- One row per entry of a deal into a stage before as_of, as its history tells or, without any, as its creation implies.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

stages as (

    select * from {{ ref('int_stages') }}

),

deals as (

    select
        deal_id,
        created_at,
        {{ pipeline_key('pipeline') }} as pipeline_key,
        lower(stage) as stage_key

    from {{ ref('int_rows__deals') }}
    where row_state = 'current'

),

history as (

    select
        history.deal_id,
        deals.pipeline_key,
        lower(history.stage) as stage_key,
        history.entered_at

    from {{ ref('int_rows__deal_stage_history') }} as history
    cross join as_of
    inner join deals on history.deal_id = deals.deal_id
    where {{ is_current_before_as_of('history', 'entered_at') }}

),

first_entries as (

    select
        deal_id,
        min(entered_at) as first_entered_at

    from {{ ref('int_rows__deal_stage_history') }}
    where row_state = 'current'
    group by deal_id

),

-- Without history a deal entered the first stage when it was created, and the open stage it is in as well: unless that
-- is what a later history tells the day of.
deals_without_history as (

    select
        deals.deal_id,
        deals.pipeline_key,
        deals.stage_key,
        deals.created_at,
        first_entries.deal_id is null as has_no_later_history

    from deals
    cross join as_of
    left join first_entries on deals.deal_id = first_entries.deal_id
    where
        {{ is_before_as_of('deals.created_at') }}
        and (first_entries.deal_id is null or first_entries.first_entered_at >= as_of.as_of)

),

implied as (

    select
        deals_without_history.deal_id,
        deals_without_history.pipeline_key,
        stages.stage_key,
        deals_without_history.created_at as entered_at

    from deals_without_history
    inner join stages on deals_without_history.pipeline_key = stages.pipeline_key
    where stages.open_stage_number = 1

    union distinct

    select
        deals_without_history.deal_id,
        deals_without_history.pipeline_key,
        deals_without_history.stage_key,
        deals_without_history.created_at as entered_at

    from deals_without_history
    left join stages
        on
            deals_without_history.pipeline_key = stages.pipeline_key
            and deals_without_history.stage_key = stages.stage_key
    where
        deals_without_history.has_no_later_history
        and (stages.stage_key is null or stages.is_open)

),

entries as (

    select * from history

    union all

    select * from implied

),

placed as (

    select
        entries.deal_id,
        entries.pipeline_key,
        entries.stage_key,
        stages.stage_order,
        stages.open_stage_number,
        entries.entered_at,
        stages.stage_key is null as is_unmapped,
        coalesce(stages.is_open, false) as is_open_stage,
        coalesce(stages.is_won, false) as is_won_stage,
        coalesce(stages.is_lost, false) as is_lost_stage,
        lead(entries.entered_at) over (
            partition by entries.deal_id
            order by entries.entered_at, stages.stage_order nulls last, entries.stage_key
        ) as next_entered_at,
        lead(entries.stage_key) over (
            partition by entries.deal_id
            order by entries.entered_at, stages.stage_order nulls last, entries.stage_key
        ) as next_stage_key

    from entries
    left join stages
        on
            entries.pipeline_key = stages.pipeline_key
            and entries.stage_key = stages.stage_key

),

-- Two spellings of one stage at one instant are one entry: the last of them.
deal_entries as (

    select
        ---------- ids
        deal_id,
        pipeline_key,
        stage_key,

        ---------- numerics
        stage_order,
        open_stage_number,

        ---------- timestamps
        entered_at,

        ---------- booleans
        is_unmapped,
        is_open_stage,
        is_won_stage,
        is_lost_stage,

        ---------- the next entry
        next_entered_at

    from placed
    where next_entered_at is null or next_entered_at <> entered_at or next_stage_key <> stage_key

)

select * from deal_entries
