-- One row per basis, dimension value and day since the first start on which somebody churned or was last seen:
-- the share of customers who have not churned yet (Kaplan-Meier) with its 95 % interval.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

first_runs as (

    select * from {{ ref('int_activity_runs') }}
    where run_number = 0

),

starts as (

    select * from {{ ref('int_customer_starts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

lifetimes as (

    select
        first_runs.basis,
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        coalesce(starts.first_plan, '(none)') as plan,
        first_runs.ended_on < as_of.as_of as has_churned,
        {{ days_between('first_runs.started_on', 'least(first_runs.ended_on, as_of.as_of)') }} as day

    from first_runs
    cross join as_of
    inner join customers on first_runs.customer_key = customers.customer_key
    inner join starts
        on
            first_runs.basis = starts.basis
            and first_runs.customer_key = starts.customer_key

),

grouped as (

    {{ grouped_by_dimension(
        relation='lifetimes',
        keys=['basis', 'day'],
        dimensions=customer_dimensions() + ['plan'],
        measures={
            'churned': 'count(case when has_churned then 1 end)',
            'censored': 'count(case when not has_churned then 1 end)',
        }
    ) }}

),

-- Purchases have no plan.
broken_down as (

    select * from grouped
    where dimension <> 'plan' or basis = 'contract'

),

-- Everybody is there on day 0, whether or not anything happens on it.
first_days as (

    select
        basis,
        dimension,
        dimension_value,
        0 as day,
        0 as churned,
        0 as censored

    from broken_down
    group by basis, dimension, dimension_value
    having min(day) > 0

),

days as (

    select
        basis,
        dimension,
        dimension_value,
        day,
        churned,
        censored
    from broken_down

    union all

    select * from first_days

),

at_risk as (

    select
        *,
        sum(churned + censored) over (
            partition by basis, dimension, dimension_value
            order by day desc
            rows between unbounded preceding and current row
        ) as at_risk

    from days

),

estimated as (

    select
        *,
        {{ survival_probability(
            'churned', 'at_risk', order_by='day', partition_by='basis, dimension, dimension_value'
        ) }} as survival,
        -- Greenwood: the variance is S^2 times the sum of d / (n (n - d)).
        sum(
            case when churned < at_risk then cast(churned as double) / (at_risk * (at_risk - churned)) end
        ) over (
            partition by basis, dimension, dimension_value
            order by day
            rows between unbounded preceding and current row
        ) as greenwood_sum

    from at_risk

),

bounded as (

    select
        *,
        case when survival > 0 then survival * sqrt(greenwood_sum) end as std_error,
        -- The interval of log(-log S), which never leaves 0 to 1.
        case
            when survival > 0 and survival < 1
                then exp({{ normal_quantile() }} * sqrt(greenwood_sum) / abs(ln(survival)))
        end as exponent

    from estimated

),

churn_survival as (

    select
        ---------- ids
        basis,
        dimension,
        dimension_value,
        cast(day as integer) as day,

        ---------- numerics
        cast(at_risk as bigint) as at_risk,
        cast(churned as bigint) as churned,
        cast(censored as bigint) as censored,
        survival,
        std_error,
        power(survival, exponent) as ci_low,
        power(survival, 1 / exponent) as ci_high

    from bounded

)

select * from churn_survival
