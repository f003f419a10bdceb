-- One row per load, entity and file: every row that was delivered is staged, quarantined, superseded or erased.
with

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

states as (

    {% for entity, model in row_models() %}
        select
            load_id,
            '{{ entity }}' as entity,
            file,
            count(case when row_state = 'current' then 1 end) as rows_staged,
            count(case when row_state = 'quarantined' then 1 end) as rows_quarantined,
            count(case when row_state = 'superseded' then 1 end) as rows_superseded
        from {{ model }}
        group by load_id, file
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

structural as (

    select
        load_id,
        entity,
        file,
        count(*) as rows_quarantined

    from {{ ref('stg_landing__quarantine') }}
    group by load_id, entity, file

),

erased as (

    select
        load_id,
        entity,
        file,
        sum(rows_erased) as rows_erased

    from {{ ref('stg_landing__erased') }}
    group by load_id, entity, file

),

counted as (

    select
        deliveries.load_id,
        deliveries.entity,
        deliveries.file,
        deliveries.rows_in,
        coalesce(states.rows_staged, 0) as rows_staged,
        coalesce(states.rows_quarantined, 0) + coalesce(structural.rows_quarantined, 0) as rows_quarantined,
        coalesce(states.rows_superseded, 0) as rows_superseded,
        coalesce(erased.rows_erased, 0) as rows_erased

    from deliveries
    left join states
        on
            deliveries.load_id = states.load_id
            and deliveries.entity = states.entity
            and deliveries.file = states.file
    left join structural
        on
            deliveries.load_id = structural.load_id
            and deliveries.entity = structural.entity
            and deliveries.file = structural.file
    left join erased
        on
            deliveries.load_id = erased.load_id
            and deliveries.entity = erased.entity
            and deliveries.file = erased.file

),

load_reconciliation as (

    select
        ---------- ids
        load_id,
        entity,
        file,

        ---------- numerics
        cast(rows_in as bigint) as rows_in,
        cast(rows_staged as bigint) as rows_staged,
        cast(rows_quarantined as bigint) as rows_quarantined,
        cast(rows_superseded as bigint) as rows_superseded,
        cast(rows_erased as bigint) as rows_erased,

        ---------- booleans
        rows_in = rows_staged + rows_quarantined + rows_superseded + rows_erased as is_reconciled

    from counted

)

select * from load_reconciliation
