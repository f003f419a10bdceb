-- Nothing is lost: rows in the file are staged, quarantined, superseded or erased, and each bad one has its address.
with

load_reconciliation as (

    select
        *,
        concat_ws(' ', load_id, entity, file) as failing_row

    from {{ ref('load_reconciliation') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

addresses as (

    select
        load_id,
        entity,
        file,
        count(*) as quarantined

    from {{ ref('quarantined_rows') }}
    group by load_id, entity, file

),

mart_run as (

    select * from {{ ref('mart_run') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

totals as (

    select
        sum(rows_in) as rows_in,
        count(distinct load_id) as loads

    from load_reconciliation

),

broken_rules as (

    select
        'staged, quarantined, superseded and erased are all rows of the file' as broken_rule,
        failing_row
    from load_reconciliation
    where
        not is_reconciled
        or rows_in <> rows_staged + rows_quarantined + rows_superseded + rows_erased

    union all

    select
        'no count is negative' as broken_rule,
        failing_row
    from load_reconciliation
    where least(rows_in, rows_staged, rows_quarantined, rows_superseded, rows_erased) < 0

    union all

    select
        'every delivery is reconciled, and nothing else' as broken_rule,
        concat_ws(
            ' ',
            coalesce(deliveries.load_id, load_reconciliation.load_id),
            coalesce(deliveries.entity, load_reconciliation.entity)
        ) as failing_row
    from deliveries
    full outer join load_reconciliation
        on
            deliveries.load_id = load_reconciliation.load_id
            and deliveries.entity = load_reconciliation.entity
            and deliveries.file = load_reconciliation.file
    where deliveries.load_id is null or load_reconciliation.load_id is null

    union all

    select
        'every quarantined row has an address, and no other row' as broken_rule,
        coalesce(
            load_reconciliation.failing_row,
            concat_ws(' ', addresses.load_id, addresses.entity, addresses.file)
        ) as failing_row
    from load_reconciliation
    full outer join addresses
        on
            load_reconciliation.load_id = addresses.load_id
            and load_reconciliation.entity = addresses.entity
            and load_reconciliation.file = addresses.file
    where
        load_reconciliation.load_id is null
        or load_reconciliation.rows_quarantined <> coalesce(addresses.quarantined, 0)

    union all

    select
        'the run knows all rows and loads' as broken_rule,
        mart_run.run_id as failing_row
    from mart_run
    cross join totals
    where
        coalesce(mart_run.rows_in, 0) <> coalesce(totals.rows_in, 0)
        or mart_run.loads <> totals.loads

    union all

    select
        'the run has the clock of the models' as broken_rule,
        mart_run.run_id as failing_row
    from mart_run
    cross join as_of
    where mart_run.as_of is distinct from as_of.as_of

)

select * from broken_rules
