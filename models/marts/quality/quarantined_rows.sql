-- One row per quarantined row of a delivery: its address and the reason, never its contents.
{%- set models = [] -%}
{%- for entity in raw_entities() + reference_entities() -%}
    {%- do models.append((entity, ref('int_rows__' ~ entity))) -%}
{%- endfor %}
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

    {% for entity, model in models %}
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

quarantined_rows as (

    select * from structural

    union all

    select * from judged

)

select * from quarantined_rows
