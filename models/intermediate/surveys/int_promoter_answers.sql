-- One row per response to an nps or enps survey before as_of: the series it belongs to, who answered, and when the same
-- respondent gave the next scored answer to the series or the wave.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

responses as (

    select * from {{ ref('int_rows__survey_responses') }}
    where row_state = 'current'

),

scales as (

    select * from {{ ref('int_survey_scales') }}
    where is_promoter_survey and is_promoter_scale

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

answers as (

    select
        responses.response_id,
        scales.survey_type,
        scales.scale,
        responses.survey as survey_id,
        responses.respondent_id,
        responses.score,
        responses.responded_at,
        {%- for dimension in survey_dimensions() %}
            coalesce(customers.{{ dimension }}, '(unknown)') as {{ dimension }},
        {%- endfor %}
        -- Who answered: the respondent, else the account, else nobody that could answer twice.
        case
            when responses.respondent_id is not null then 'respondent ' || responses.respondent_id
            when accounts.customer_key is not null then 'customer ' || cast(accounts.customer_key as string)
            else 'response ' || responses.response_id
        end as respondent_key

    from responses
    cross join as_of
    inner join scales on responses.survey = scales.survey_id
    left join accounts on responses.account_id = accounts.account_id
    left join customers on accounts.customer_key = customers.customer_key
    where {{ is_before_as_of('responses.responded_at') }} and not coalesce(accounts.is_test, false)

),

followed as (

    select
        ---------- ids
        response_id,
        survey_id,
        respondent_id,

        ---------- text
        survey_type,
        scale,
        {%- for dimension in survey_dimensions() %}
            {{ dimension }},
        {%- endfor %}

        ---------- numerics
        score,

        ---------- timestamps
        responded_at,
        lead(responded_at) over (
            partition by survey_type, scale, respondent_key, score is null
            order by responded_at, response_id
        ) as next_responded_at,
        lead(responded_at) over (
            partition by survey_type, scale, survey_id, respondent_key, score is null
            order by responded_at, response_id
        ) as next_in_wave_at

    from answers

)

select * from followed
