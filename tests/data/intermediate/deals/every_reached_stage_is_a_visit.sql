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

),

broken_rules as (

    select
        'there are as many visits as reached stages' as broken_rule,
        concat_ws(' ', reached.visits, counted.visits) as failing_row
    from reached
    cross join counted
    where reached.visits <> counted.visits

    union all

    select
        'they were entered as often, for as many days' as broken_rule,
        concat_ws(' ', reached.entered, counted.entered, reached.whole_days, counted.whole_days) as failing_row
    from reached
    cross join counted
    where reached.entered <> counted.entered or reached.whole_days <> counted.whole_days

)

select * from broken_rules
