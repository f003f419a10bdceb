-- One row per customer with repeat purchases: how many repeat days, and what a repeat day was worth on average.
with

purchases as (

    select * from {{ ref('int_purchase_summary') }}
    where frequency > 0

),

order_values as (

    select
        customer_key,
        frequency,
        {{ ratio('repeat_net_amount', 'frequency') }} as mean_value

    from purchases

)

select * from order_values
