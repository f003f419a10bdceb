-- One row per deal and open stage that it entered or skipped on its way up: when it reached the stage, what became of
-- it there and how long it stayed. Unmapped stages are one stage of their own, without order.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

deals as (

    select * from {{ ref('int_deals') }}

),

stages as (

    select * from {{ ref('int_stages') }}
    where is_open

),

entries as (

    select
        entries.*,
        deals.outcome,
        deals.closed_at

    from {{ ref('int_deal_entries') }} as entries
    inner join deals on entries.deal_id = deals.deal_id

),

-- A visit lasts until the next entry, else until the deal closed; where the deal still stands, it has not ended.
visits as (

    select
        entries.deal_id,
        entries.entered_at,
        case when entries.is_unmapped then '(unmapped)' else entries.stage_key end as stage_key,
        entries.next_entered_at is null and entries.outcome = 'open' as is_standing,
        {{ elapsed_days(
            'entries.entered_at',
            'coalesce(entries.next_entered_at, entries.closed_at, cast(as_of.as_of as timestamp))'
        ) }} as days

    from entries
    cross join as_of
    where entries.is_open_stage or entries.is_unmapped

),

entered as (

    select
        deal_id,
        stage_key,
        min(entered_at) as entered_at,
        sum(case when days > 0 then days else 0 end) as days_in_stage,
        bool_or(is_standing) as is_standing

    from visits
    group by deal_id, stage_key

),

-- Every open stage below the highest one seen, and all of them for a won deal.
eligible as (

    select
        deals.deal_id,
        deals.closed_at,
        stages.stage_key,
        stages.stage_order

    from deals
    inner join stages on deals.pipeline_key = stages.pipeline_key
    where stages.stage_order < deals.highest_stage_order or deals.outcome = 'won'

),

-- Most deals entered them all: only the stages that are missing are looked for, in deals that have entries at all.
skipped as (

    select eligible.*
    from eligible
    where
        not exists (
            select 1 from entered
            where entered.deal_id = eligible.deal_id and entered.stage_key = eligible.stage_key
        )
        and eligible.deal_id in (select entries.deal_id from entries)

),

later_entries as (

    select
        skipped.deal_id,
        skipped.stage_key,
        min(entries.entered_at) as entered_at

    from skipped
    inner join entries
        on
            skipped.deal_id = entries.deal_id
            and skipped.stage_order < entries.stage_order
            and entries.is_open_stage
    group by skipped.deal_id, skipped.stage_key

),

credited as (

    select
        skipped.deal_id,
        skipped.stage_key,
        coalesce(later_entries.entered_at, skipped.closed_at) as reached_at

    from skipped
    left join later_entries
        on
            skipped.deal_id = later_entries.deal_id
            and skipped.stage_key = later_entries.stage_key

),

reached as (

    select
        deal_id,
        stage_key,
        entered_at,
        entered_at as reached_at,
        days_in_stage,
        is_standing
    from entered

    union all

    select
        deal_id,
        stage_key,
        cast(null as timestamp) as entered_at,
        reached_at,
        cast(null as double) as days_in_stage,
        false as is_standing
    from credited

),

deal_stages as (

    select
        ---------- ids
        reached.deal_id,
        deals.pipeline_key,
        reached.stage_key,

        ---------- numerics
        stages.stage_order,
        stages.open_stage_number,
        reached.days_in_stage,

        ---------- booleans
        reached.is_standing,

        ---------- timestamps
        reached.entered_at,
        reached.reached_at,

        ---------- text
        coalesce(stages.stage, '(unmapped)') as stage,
        -- Of a deal that entered: did it go on, was it lost here, or is it undecided?
        case
            when reached.entered_at is null or stages.stage_key is null then null
            when deals.highest_stage_order > stages.stage_order or deals.outcome = 'won' then 'advanced'
            when deals.outcome = 'lost' then 'lost'
            else 'open'
        end as stage_outcome

    from reached
    inner join deals on reached.deal_id = deals.deal_id
    left join stages
        on
            deals.pipeline_key = stages.pipeline_key
            and reached.stage_key = stages.stage_key

)

select * from deal_stages
