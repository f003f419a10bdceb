-- One row: the vars that the value models need. Python models read vars only through a relation.
select
    {{ var('clv_horizon_months') }} as horizon_months,
    cast({{ var('clv_annual_discount_rate') }} as double) as annual_discount_rate,
    {{ var('clv_minimum_repeaters') }} as minimum_repeaters,
    {{ var('clv_minimum_plan_customers') }} as minimum_plan_customers
