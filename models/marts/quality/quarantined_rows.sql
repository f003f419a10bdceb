-- One row per quarantined row of a delivery: its address and the reason, never its contents.
with

structural as (

    select
        load_id,
        file,
        line_number,
        record_number,
        entity,
        reason,
        key_value

    from {{ ref('stg_landing__quarantine') }}

),

judged as (

    {% for entity, model in row_models() %}
        select
            load_id,
            file,
            line_number,
            record_number,
            '{{ entity }}' as entity,
            quarantine_reason as reason,
            key_value
        from {{ model }}
        where row_state = 'quarantined'
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

refused as (

    select * from structural

    union all

    select * from judged

),

corrections as (

    select
        corrected_load_id,
        entity,
        corrected_file,
        corrected_record_number,
        max(load_id) as corrected_by_load_id

    from {{ ref('stg_landing__corrections') }}
    group by corrected_load_id, entity, corrected_file, corrected_record_number

),

quarantined_rows as (

    select
        refused.load_id,
        refused.file,
        refused.line_number,
        refused.record_number,
        refused.entity,
        refused.reason,
        refused.key_value,
        corrections.corrected_by_load_id

    from refused
    left join corrections
        on
            refused.load_id = corrections.corrected_load_id
            and refused.entity = corrections.entity
            and refused.file = corrections.corrected_file
            and refused.record_number = corrections.corrected_record_number

)

select * from quarantined_rows
