-- Of every entity: a row has one address and one state, a key one current row, and only bad rows have a reason.
{{ config(meta={'proves_grain_of': 'int_rows__*, int_*_versions: one row per load_id, file and record_number'}) }}
{%- set versions = [
    ('accounts', ref('int_account_versions')),
    ('survey_responses', ref('int_survey_response_versions')),
] -%}
with

broken_rules as (

    {% for entity, model in row_models() + versions %}
        select
            'a row has one address' as broken_rule,
            '{{ model.identifier }}' as model,
            count(*) as failing_rows
        from (
            select 1 as neighbours_with_a_repeated_number
            from {{ model }}
            group by load_id, file, record_number - record_number % 62
            having {{ may_hold_twice('record_number') }}
        ) as repeated_addresses
        having count(*) > 0

        union all

        select
            'a key has one current row' as broken_rule,
            '{{ model.identifier }}' as model,
            count(*) as failing_rows
        from (
            select keyed.row_key
            from (
                select
                    {{ key_of_row(entity) }} as row_key,
                    {{ stem_of_key(key_of_row(entity)) }} as key_stem
                from {{ model }}
                where row_state = 'current'
            ) as keyed
            where
                keyed.key_stem in (
                    select stems.key_stem
                    from (
                        select
                            {{ stem_of_key(key_of_row(entity)) }} as key_stem,
                            {{ last_character_of_key(key_of_row(entity)) }} as last_character
                        from {{ model }}
                        where row_state = 'current'
                    ) as stems
                    group by stems.key_stem
                    having {{ may_hold_twice('stems.last_character') }}
                )
            group by keyed.row_key
            having count(*) > 1
        ) as contested_keys
        having count(*) > 0

        union all

        select
            'a row is current, superseded or, with a reason, quarantined' as broken_rule,
            '{{ model.identifier }}' as model,
            count(*) as failing_rows
        from {{ model }}
        where
            row_state is null
            or row_state not in ('current', 'superseded', 'quarantined')
            or (row_state = 'quarantined') <> (quarantine_reason is not null)
        having count(*) > 0

        union all

        select
            'a row has a whole address' as broken_rule,
            '{{ model.identifier }}' as model,
            count(*) as failing_rows
        from {{ model }}
        where load_id is null or file is null or line_number is null or record_number is null
        having count(*) > 0
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from broken_rules
