-- One row per basis, period and vendor: the churn rate as that vendor would state it, and why it differs from ours.
with

retention as (

    select * from {{ ref('retention_rate') }}
    where dimension = 'all'

),

dialects as (

    {% for dialect in ['chartmogul', 'baremetrics', 'recurly', 'stripe', 'profitwell'] %}
        select
            *,
            '{{ dialect }}' as dialect,
            {{ 'true' if dialect in ['baremetrics', 'recurly', 'stripe'] else 'false' }} as counts_flash_customers,
            {{ 'true' if dialect == 'stripe' else 'false' }} as counts_new_customers
        from retention
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        *,
        churned_customers + case when counts_flash_customers then flash_customers else 0 end as numerator,
        customers_at_start
        + case when counts_new_customers then new_customers + flash_customers else 0 end as denominator

    from dialects

),

churn_dialects as (

    select
        ---------- ids
        basis,
        period_type,
        period_start,
        dialect,

        ---------- numerics
        cast(numerator as bigint) as numerator,
        cast(denominator as bigint) as denominator,
        {{ ratio('numerator', 'denominator') }} as churn_rate,

        ---------- text
        case
            when counts_new_customers
                then
                    'Counts customers who came and left within the period as churned, and divides by everybody'
                    || ' who was a customer at any time in it.'
            when counts_flash_customers
                then
                    'Counts customers who came and left within the period as churned, although they were not'
                    || ' customers at its start.'
            else 'The churn rate of retention_rate: customers of the start of the period who were gone at its end.'
        end as difference_explained

    from counted

)

select * from churn_dialects
