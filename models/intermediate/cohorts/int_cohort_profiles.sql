-- One row per combination of dimensions and first plan that members of cohorts have, numbered: members carry the number
-- instead of the names, and whatever is counted by it is broken down once.
with

starts as (

    select * from {{ ref('int_customer_starts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

described_starts as (

    select
        {%- for dimension in customer_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        coalesce(starts.first_plan, '(none)') as plan

    from starts
    inner join customers on starts.customer_key = customers.customer_key

),

profiles as (

    {{ numbered_profiles('described_starts', customer_dimensions() + ['plan']) }}

)

select * from profiles
