-- The reporting currency is worth one of itself: rates that say otherwise were made for another one, as those of the
-- project are for USD.
with

broken_rules as (

    select
        'the reporting currency is worth one' as broken_rule,
        currency || ' from ' || cast(valid_from as string) as failing_row
    from {{ ref('int_rows__fx_rates') }}
    where
        row_state = 'current'
        and currency = '{{ var("reporting_currency") }}'
        and rate <> 1

)

select * from broken_rules
