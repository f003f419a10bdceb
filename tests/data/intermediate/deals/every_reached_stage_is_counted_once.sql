-- Each stage that a deal reached is one row, with its days: no join lost or doubled one.
{{ config(meta={'proves_grain_of': 'int_reached_stages: one row per deal and stage that it reached'}) }}
with

reached as (

    select
        count(*) as stages,
        count(entered_at) as entered,
        coalesce(sum(cast(floor(days_in_stage) as bigint)), 0) as whole_days

    from {{ ref('int_deal_stages') }}

),

counted as (

    select
        count(*) as stages,
        count(case when is_entered then 1 end) as entered,
        coalesce(sum(cast(floor(days_in_stage) as bigint)), 0) as whole_days

    from {{ ref('int_reached_stages') }}

),

broken_rules as (

    select
        'there are as many rows as reached stages' as broken_rule,
        concat_ws(' ', reached.stages, counted.stages) as failing_row
    from reached
    cross join counted
    where reached.stages <> counted.stages

    union all

    select
        'they were entered as often, for as many days' as broken_rule,
        concat_ws(' ', reached.entered, counted.entered, reached.whole_days, counted.whole_days) as failing_row
    from reached
    cross join counted
    where reached.entered <> counted.entered or reached.whole_days <> counted.whole_days

)

select * from broken_rules
