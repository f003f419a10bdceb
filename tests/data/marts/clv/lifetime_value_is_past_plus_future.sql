-- Every customer has one row, and what it brought adds up to what all orders and contracts brought.
with

customer_lifetime_value as (

    select * from {{ ref('customer_lifetime_value') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

margins as (

    select net_margin as margin from {{ ref('int_orders') }}

    union all

    select net_margin as margin from {{ ref('int_refunds') }}
    where not is_order_known

    union all

    select earned_margin as margin from {{ ref('int_contract_values') }}

),

earned as (

    select coalesce(sum(margin), 0) as margin from margins

),

qualifying as (

    select count(*) as orders from {{ ref('int_orders') }}
    where is_qualifying

),

valued as (

    select
        coalesce(sum(historical_value), 0) as historical_value,
        coalesce(sum(orders), 0) as orders

    from customer_lifetime_value

),

broken_rules as (

    select
        'every customer has a row, and nobody else' as broken_rule,
        coalesce(customers.account_id, customer_lifetime_value.account_id) as failing_row
    from customers
    full outer join customer_lifetime_value on customers.account_id = customer_lifetime_value.account_id
    where customers.account_id is null or customer_lifetime_value.account_id is null

    union all

    select
        'the lifetime value is the past plus the future' as broken_rule,
        account_id as failing_row
    from customer_lifetime_value
    where lifetime_value <> historical_value + coalesce(residual_value, 0)

    union all

    select
        'a future that is unknown has a reason' as broken_rule,
        account_id as failing_row
    from customer_lifetime_value
    where residual_value is null and not_modelled_reason is null

    union all

    select
        'each repeat day has an order beside the first one' as broken_rule,
        account_id as failing_row
    from customer_lifetime_value
    where
        orders <= frequency
        or frequency < 0
        or (orders is null) <> (frequency is null)

    union all

    select
        'first before last, and both before as_of' as broken_rule,
        account_id as failing_row
    from customer_lifetime_value
    where
        first_order_at > last_order_at
        or recency_weeks > age_weeks
        or recency_weeks < 0
        or (frequency = 0) <> (recency_weeks = 0)

    union all

    select
        'only repeat buyers have a mean order value' as broken_rule,
        account_id as failing_row
    from customer_lifetime_value
    where (mean_order_value is not null) <> (coalesce(frequency, 0) > 0)

    union all

    select
        'a probability lies between 0 and 1' as broken_rule,
        account_id as failing_row
    from customer_lifetime_value
    where p_alive < 0 or p_alive > 1

    union all

    select
        'what all customers brought is the margin of all orders and contracts' as broken_rule,
        cast(valued.historical_value - earned.margin as string) as failing_row
    from valued
    cross join earned
    where valued.historical_value <> earned.margin

    union all

    select
        'every qualifying order belongs to one customer' as broken_rule,
        cast(valued.orders - qualifying.orders as string) as failing_row
    from valued
    cross join qualifying
    where valued.orders <> qualifying.orders

)

select * from broken_rules
