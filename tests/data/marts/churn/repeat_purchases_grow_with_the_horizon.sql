-- A longer horizon has fewer customers who have had all of it, and of the same customers no fewer repeaters.
with

repeat_purchase_rate as (

    select
        *,
        concat_ws(' ', horizon_days, cohort_start, dimension, dimension_value) as failing_row,
        lag(customers) over (
            partition by cohort_start, dimension, dimension_value
            order by horizon_days
        ) as customers_of_shorter,
        lag(repeaters) over (
            partition by cohort_start, dimension, dimension_value
            order by horizon_days
        ) as repeaters_of_shorter

    from {{ ref('repeat_purchase_rate') }}

),

cohorts as (

    select
        cohort_start,
        dimension,
        dimension_value,
        cohort_size

    from {{ ref('churn_cohorts') }}
    where basis = 'purchase' and cohort_type = 'month' and periods_since_start = 0

),

broken_rules as (

    select
        'the rate is the share of repeaters' as broken_rule,
        failing_row
    from repeat_purchase_rate
    where
        customers <= 0
        or repeaters < 0
        or repeaters > customers
        or repeat_purchase_rate is null
        or abs(repeat_purchase_rate * customers - repeaters) > 1e-6

    union all

    select
        'a longer horizon has no more customers' as broken_rule,
        failing_row
    from repeat_purchase_rate
    where customers > customers_of_shorter

    union all

    select
        'the same customers repeat no less within a longer horizon' as broken_rule,
        failing_row
    from repeat_purchase_rate
    where customers = customers_of_shorter and repeaters < repeaters_of_shorter

    union all

    select
        'the customers are members of the cohort' as broken_rule,
        repeat_purchase_rate.failing_row
    from repeat_purchase_rate
    left join cohorts
        on
            repeat_purchase_rate.cohort_start = cohorts.cohort_start
            and repeat_purchase_rate.dimension = cohorts.dimension
            and repeat_purchase_rate.dimension_value = cohorts.dimension_value
    where cohorts.cohort_size is null or repeat_purchase_rate.customers > cohorts.cohort_size

)

select * from broken_rules
