-- One row per customer: what the value models expect of the customer's orders and contracts, or why they say nothing.
with

customers as (

    select * from {{ ref('int_customers') }}

),

purchases as (

    select * from {{ ref('int_purchase_summary') }}

),

orders as (

    -- An order that was refunded in full or beyond says nothing about the margin of the next one.
    select
        customer_key,
        sum(net_amount) as net_amount,
        sum(net_margin) as net_margin

    from {{ ref('int_orders') }}
    where is_qualifying
    group by customer_key

),

tenures as (

    select * from {{ ref('int_contract_tenures') }}

),

fits as (

    select * from {{ ref('int_value_model_fits') }}

),

purchase_scores as (

    select * from {{ ref('int_purchase_scores') }}

),

contract_scores as (

    select * from {{ ref('int_contract_scores') }}

),

settings as (

    select * from {{ ref('int_value_model_settings') }}

),

-- Gamma-Gamma: expected value of an order is p (gamma + x m) / (p x + q - 1).
order_value_model as (

    select
        max(case when parameter = 'p' then value end) as p,
        max(case when parameter = 'q' then value end) as q,
        max(case when parameter = 'gamma' then value end) as gamma

    from fits
    where scope = 'order_values' and is_chosen

),

fit_states as (

    select
        bool_or(scope = 'purchases') as has_purchase_fits,
        bool_or(scope = 'purchases' and is_chosen) as has_purchase_model,
        bool_or(scope = 'order_values' and is_chosen) as has_order_value_model

    from fits

),

scored as (

    select
        customers.customer_key,
        purchases.customer_key is not null as is_buyer,
        tenures.customer_key is not null as has_contracts,
        tenures.current_renewals is not null as has_contract_in_force,
        purchase_scores.model as purchase_model,
        contract_scores.model as contract_model,
        purchase_scores.p_alive,
        purchase_scores.expected_purchases,
        purchase_scores.discounted_purchases,
        order_value_model.p * (
            order_value_model.gamma + cast(coalesce(purchases.repeat_net_amount, 0) as double)
        ) / (order_value_model.p * purchases.frequency + order_value_model.q - 1) as expected_order_value,
        {{ ratio('orders.net_margin', 'orders.net_amount') }} as margin_rate,
        contract_scores.twelve_month_survival,
        contract_scores.residual_months,
        tenures.monthly_margin,
        tenures.mrr,
        tenures.contract_ends_at,
        fit_states.has_purchase_fits,
        fit_states.has_purchase_model,
        fit_states.has_order_value_model

    from customers
    cross join order_value_model
    cross join fit_states
    left join purchases on customers.customer_key = purchases.customer_key
    left join orders on customers.customer_key = orders.customer_key
    left join purchase_scores
        on
            purchases.frequency = purchase_scores.frequency
            and purchases.recency_days = purchase_scores.recency_days
            and purchases.age_days = purchase_scores.age_days
    left join tenures on customers.customer_key = tenures.customer_key
    left join contract_scores
        on
            tenures.current_plan = contract_scores.plan
            and tenures.current_renewals = contract_scores.renewals

),

valued as (

    select
        *,
        -- A customer who never bought has no orders to expect, and a closed contract no residual.
        case
            when is_buyer then discounted_purchases * expected_order_value * margin_rate
            else 0
        end as order_residual,
        case
            when has_contract_in_force then cast(monthly_margin as double) * residual_months
            else 0
        end as contract_residual,
        case
            when not is_buyer and not has_contracts then 'never_bought'
            when is_buyer and not coalesce(has_purchase_fits, false) then 'too_few_repeat_customers'
            when is_buyer and not coalesce(has_purchase_model, false) then 'purchase_model_did_not_converge'
            when is_buyer and not coalesce(has_order_value_model, false) then 'order_value_model_did_not_converge'
            when has_contract_in_force and contract_model is null then 'contract_model_did_not_converge'
        end as not_modelled_reason

    from scored

),

customer_values as (

    select
        ---------- ids
        valued.customer_key,

        ---------- text
        valued.not_modelled_reason,

        ---------- numerics
        valued.p_alive,
        valued.expected_purchases,
        valued.mrr,
        settings.horizon_months,
        settings.annual_discount_rate,

        ---------- timestamps
        valued.contract_ends_at,

        ---------- calculations
        case
            when valued.not_modelled_reason is null
                then nullif(concat_ws(' + ', valued.purchase_model, valued.contract_model), '')
        end as model,
        case when valued.purchase_model is not null then valued.expected_order_value end as expected_order_value,
        case
            when valued.not_modelled_reason is null
                then cast(valued.order_residual + valued.contract_residual as decimal(38, 10))
        end as residual_value,
        case when valued.has_contract_in_force then valued.twelve_month_survival else valued.p_alive end
            as stay_probability

    from valued
    cross join settings

)

select * from customer_values
