-- One row per basis and customer who ever started: the month of the first start, which decides the cohort, and the
-- profile.
with

starts as (

    select * from {{ ref('int_customer_starts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

profiles as (

    select * from {{ ref('int_cohort_profiles') }}

),

described_starts as (

    select
        starts.basis,
        starts.customer_key,
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        coalesce(starts.first_plan, '(none)') as plan,
        {{ period_index("'month'", 'starts.started_on') }} as first_month

    from starts
    inner join customers on starts.customer_key = customers.customer_key

),

members as (

    select
        described_starts.basis,
        described_starts.customer_key,
        profiles.profile_number,
        described_starts.first_month

    from described_starts
    inner join profiles on {{ has_profile('described_starts', customer_dimensions() + ['plan']) }}

)

select * from members
