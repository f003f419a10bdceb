-- One row per load, entity, file and set of columns that were repaired in the same rows: how many rows these are.
with

repaired as (

    {% for entity, model in row_models() %}
        select
            load_id,
            '{{ entity }}' as entity,
            file,
            repaired_columns
        from {{ model }}
        where repaired_columns is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

load_repairs as (

    select
        ---------- ids
        load_id,
        entity,
        file,
        repaired_columns,

        ---------- numerics
        count(*) as rows_repaired

    from repaired
    group by load_id, entity, file, repaired_columns

)

select * from load_repairs
