-- Each stage that a deal reached is one visit, with its days: no join lost or doubled one.
{{ config(meta={'proves_grain_of': 'int_stage_visits: one row per deal and stage that it reached'}) }}
with

reached as (

    select
        count(*) as visits,
        count(entered_at) as entered,
        coalesce(sum(cast(floor(days_in_stage) as bigint)), 0) as whole_days

    from {{ ref('int_deal_stages') }}

),

counted as (

    select
        count(*) as visits,
        count(case when is_entered then 1 end) as entered,
        coalesce(sum(cast(floor(days_in_stage) as bigint)), 0) as whole_days

    from {{ ref('int_stage_visits') }}

)

select
    reached.visits as reached_stages,
    counted.visits as counted_visits

from reached
cross join counted
where
    reached.visits <> counted.visits
    or reached.entered <> counted.entered
    or reached.whole_days <> counted.whole_days
