-- One row per wording of a churn reason, lower-case, and the reason it stands for.
with

churn_reasons as (

    select * from {{ ref('int_rows__churn_reasons') }}
    where row_state = 'current'

),

wordings as (

    select
        lower(raw_wording) as wording_key,
        min(reason) as reason

    from churn_reasons
    group by lower(raw_wording)

)

select * from wordings
