-- One row per basis, dimension and value that its customers have, with the day of the first start of the whole basis:
-- the same series for every period, so that a value without movements still shows its zeros.
with

starts as (

    select * from {{ ref('int_customer_starts') }}

),

contracts as (

    select * from {{ ref('int_contracts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

first_starts as (

    select
        basis,
        min(started_on) as first_started_on

    from starts
    group by basis

),

{% for dimension in customer_dimensions() -%}
    {{ dimension }}_values as (

        select distinct
            starts.basis,
            '{{ dimension }}' as dimension,
            customers.{{ dimension }} as dimension_value

        from starts
        inner join customers on starts.customer_key = customers.customer_key

    ),

{% endfor -%}

plan_values as (

    select distinct
        'contract' as basis,
        'plan' as dimension,
        plan as dimension_value

    from contracts

),

all_values as (

    select
        basis,
        'all' as dimension,
        'all' as dimension_value
    from first_starts
    {% for dimension in customer_dimensions() + ['plan'] %}
        union all

        select * from {{ dimension }}_values
    {% endfor %}
),

dimension_values as (

    select
        all_values.basis,
        all_values.dimension,
        all_values.dimension_value,
        first_starts.first_started_on

    from all_values
    inner join first_starts on all_values.basis = first_starts.basis

)

select * from dimension_values
