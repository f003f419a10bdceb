-- One row per profile of deals and dimension, `all` among them: what is counted by profile is broken down by a join.
with

profiles as (

    select * from {{ ref('int_deal_profiles') }}

),

profile_values as (

    {{ values_of_profiles('profiles', deal_dimensions(), ['pipeline_key', 'began_at']) }}

)

select * from profile_values
