-- Following a merge ends: every account has one key, and the account it became stands for itself.
with

accounts as (

    select * from {{ ref('int_accounts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

broken_rules as (

    select
        'an account has a key of its own' as broken_rule,
        cast(account_key as string) as failing_row
    from accounts
    group by account_key
    having count(*) > 1

    union all

    select
        'a survivor stands for itself' as broken_rule,
        accounts.account_id as failing_row
    from accounts
    left join accounts as survivors on accounts.survivor_id = survivors.account_id
    where
        survivors.account_id is null
        or survivors.survivor_id <> survivors.account_id
        or accounts.customer_key <> survivors.account_key

    union all

    select
        'a customer is a surviving account and no test' as broken_rule,
        customers.account_id as failing_row
    from customers
    left join accounts on customers.account_id = accounts.account_id
    where
        accounts.account_id is null
        or accounts.is_test
        or customers.customer_key <> accounts.account_key

    union all

    select
        'a customer has one identifier' as broken_rule,
        account_id as failing_row
    from customers
    group by account_id
    having count(*) > 1

)

select * from broken_rules
