-- One row per load, entity and file, in the order in which the deliveries replace each other.
with

loads as (

    select * from {{ ref('stg_landing__loads') }}

),

ordered as (

    select
        ---------- ids
        load_id,
        entity,
        file,

        ---------- text
        file_sha256,

        ---------- numerics
        rows_in,
        load_sequence,

        ---------- booleans
        is_full,

        ---------- timestamps
        exported_at,
        landed_at,

        ---------- calculations
        -- A delivery is as old as its export where that is known: an older export never replaces a newer one.
        dense_rank() over (
            partition by entity
            order by coalesce(exported_at, landed_at), load_sequence, load_id
        ) as delivery_order

    from loads

)

select * from ordered
