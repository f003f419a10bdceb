-- One row per response with a comment, of any survey, before as_of; empty unless published_personal_data allows it.
{{ config(meta={'is_held_back': not publishes_personal_data('survey_comments')}) }}
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

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

survey_comments as (

    select
        ---------- ids
        responses.response_id,
        accounts.survivor_id as account_id,

        ---------- text
        responses.survey,
        scales.survey_type,
        responses.language,
        responses.comment,

        ---------- numerics
        responses.score,

        ---------- timestamps
        responses.responded_at

    from responses
    cross join as_of
    left join scales on responses.survey = scales.survey_id
    left join accounts on responses.account_id = accounts.account_id
    where
        responses.comment is not null
        and {{ is_before_as_of('responses.responded_at') }}
        and not coalesce(accounts.is_test, false)
        and {{ personal_data_is_published('survey_comments') }}

)

select * from survey_comments
