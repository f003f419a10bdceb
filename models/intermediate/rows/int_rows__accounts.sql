-- One row per delivered account and what became of it; accounts that are merged in a circle are quarantined.
with

versions as (

    select * from {{ ref('int_account_versions') }}

),

cycles as (

    select * from {{ ref('int_account_merges') }}
    where is_cycle

),

judged as (

    select
        ---------- address
        versions.load_id,
        versions.file,
        versions.line_number,
        versions.record_number,
        versions.repaired_columns,
        versions.load_sequence,
        versions.delivery_order,

        ---------- ids
        versions.account_id,
        versions.merged_into_account_id,

        ---------- text
        versions.account_name,
        versions.segment,
        versions.industry,
        versions.country,
        versions.region,
        versions.acquisition_channel,

        ---------- booleans
        versions.is_test,

        ---------- fate
        case
            when versions.row_state = 'current' and cycles.account_id is not null then versions.account_id
            else versions.key_value
        end as key_value,
        case
            when versions.row_state = 'current' and cycles.account_id is not null then 'merge_cycle'
            else versions.quarantine_reason
        end as quarantine_reason,
        case
            when versions.row_state = 'current' and cycles.account_id is not null then 'quarantined'
            else versions.row_state
        end as row_state

    from versions
    left join cycles on versions.account_id = cycles.account_id

)

select * from judged
