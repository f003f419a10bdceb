-- One row per account id that a delivery names, with the customer it belongs to after merges.
with

sightings as (

    select * from {{ ref('int_account_sightings') }}

),

merges as (

    select * from {{ ref('int_account_merges') }}
    where not is_cycle

),

delivered_accounts as (

    select * from {{ ref('int_rows__accounts') }}
    where row_state = 'current'

),

keyed as (

    select
        account_id,
        first_fact_at,
        is_known,
        -- The order of first delivery: a later delivery only ever appends keys.
        cast(row_number() over (order by first_position, account_id) as integer) as account_key

    from sightings

),

accounts as (

    select
        ---------- ids
        keyed.account_id,
        keyed.account_key,

        ---------- booleans
        keyed.is_known,

        ---------- timestamps
        keyed.first_fact_at,

        ---------- calculations
        coalesce(merges.survivor_id, keyed.account_id) as survivor_id,
        coalesce(survivors.account_key, keyed.account_key) as customer_key,
        coalesce(delivered_accounts.is_test, false) as is_test,
        delivered_accounts.account_id is null as is_inferred

    from keyed
    left join merges on keyed.account_id = merges.account_id
    left join keyed as survivors on merges.survivor_id = survivors.account_id
    left join delivered_accounts
        on coalesce(merges.survivor_id, keyed.account_id) = delivered_accounts.account_id

)

select * from accounts
