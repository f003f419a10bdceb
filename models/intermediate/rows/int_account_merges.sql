-- One row per account that was merged away: the survivor at the end of its chain, or the cycle it is part of.
with

accounts as (

    select * from {{ ref('int_account_versions') }}
    where row_state = 'current'

),

merges as (

    -- Merged into itself means not merged.
    select
        account_id,
        merged_into_account_id as target_id

    from accounts
    where merged_into_account_id <> account_id

),

{{ followed_chains('merges', 'reached') }},

cycles as (

    -- After more steps than any chain has, whoever can still go on stands in a cycle.
    select distinct reached.target_id as account_id
    from reached
    inner join merges on reached.target_id = merges.account_id

),

open_merges as (

    select
        merges.account_id,
        merges.target_id

    from merges
    where not exists (
        select 1 from cycles
        where cycles.account_id = merges.account_id
    )

),

{{ followed_chains('open_merges', 'survivors') }},

account_merges as (

    select
        account_id,
        target_id as survivor_id,
        false as is_cycle

    from survivors

    union all

    select
        account_id,
        cast(null as string) as survivor_id,
        true as is_cycle

    from cycles

)

select * from account_merges
