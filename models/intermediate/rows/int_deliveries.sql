-- One row per load, entity and file, in the order in which the deliveries replace each other.
with

loads as (

    select * from {{ ref('stg_landing__loads') }}

),

delivered as (

    select
        loads.*,
        -- The files of one entity in one full delivery are one: as old as the youngest of them.
        max(case when loads.is_full then coalesce(loads.exported_at, loads.landed_at) end)
            over (partition by loads.load_id, loads.entity, loads.source, loads.is_full) as full_delivered_at

    from loads

),

ordered as (

    select
        ---------- ids
        load_id,
        entity,
        file,

        ---------- text
        source,
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
        -- A delivery is as old as its export where that is known: an older export never replaces a newer one. What has
        -- no label comes before the labels of a seed, and identifiers of loads begin with a number that grows.
        dense_rank() over (
            partition by entity
            order by
                coalesce(full_delivered_at, exported_at, landed_at),
                load_sequence,
                load_id <> 'seed',
                case when load_sequence > 0 then length(load_id) else 0 end,
                load_id
        ) as delivery_order

    from delivered

)

select * from ordered
