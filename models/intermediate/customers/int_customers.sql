-- One row per customer: a surviving account that is no test account, with the attributes that break marts down.
-- An account that only facts name is an inferred customer, once the first of these facts has happened.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

delivered_accounts as (

    select * from {{ ref('int_rows__accounts') }}
    where row_state = 'current'

),

existing as (

    select
        accounts.customer_key,
        max(accounts.survivor_id) as account_id,
        bool_or(accounts.is_inferred) as is_inferred

    from accounts
    cross join as_of
    -- Without any event there is no day on which anybody was a customer.
    where (accounts.is_known and as_of.as_of is not null) or {{ is_before_as_of('accounts.first_fact_at') }}
    group by accounts.customer_key

),

customers as (

    select
        ---------- ids
        existing.customer_key,
        existing.account_id,

        ---------- text
        delivered_accounts.account_name,
        {%- for dimension in customer_dimensions() %}
            coalesce(delivered_accounts.{{ dimension }}, '(unknown)') as {{ dimension }},
        {%- endfor %}

        ---------- booleans
        existing.is_inferred

    from existing
    left join delivered_accounts on existing.account_id = delivered_accounts.account_id

)

select * from customers
