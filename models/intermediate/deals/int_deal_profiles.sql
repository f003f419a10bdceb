-- One row per combination of pipeline and dimensions that deals have, numbered: facts that are counted carry the number
-- instead of the names.
with

deals as (

    select * from {{ ref('int_deals') }}

),

profiles as (

    {{ numbered_profiles(
        'deals',
        ['pipeline_key'] + deal_dimensions(),
        measures={'pipeline': 'min(pipeline)', 'began_at': 'min(' ~ deal_first_event_at('deals') ~ ')'}
    ) }}

)

select * from profiles
