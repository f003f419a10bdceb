-- One row per profile of cohort members and dimension, `all` among them: what is counted by profile is broken down by
-- a join.
with

profiles as (

    select * from {{ ref('int_cohort_profiles') }}

),

profile_values as (

    {{ values_of_profiles('profiles', customer_dimensions() + ['plan']) }}

)

select * from profile_values
