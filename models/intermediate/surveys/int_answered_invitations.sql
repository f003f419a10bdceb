-- One row per invitation whose respondent answered it in time. Apart from the invitations, so that neither join has to
-- hold more than it needs.
with

invitations as (

    select
        invitation_id,
        survey_id,
        respondent_id,
        sent_at

    from {{ ref('int_rows__survey_invitations') }}
    where row_state = 'current'

),

answers as (

    select
        survey_id,
        respondent_id,
        responded_at

    from {{ ref('int_promoter_answers') }}

),

answered as (

    select distinct invitations.invitation_id
    from invitations
    inner join answers
        on
            invitations.survey_id = answers.survey_id
            and invitations.respondent_id = answers.respondent_id
            and invitations.sent_at <= answers.responded_at
            and {{ elapsed_days('invitations.sent_at', 'answers.responded_at') }} * 24
            <= {{ var('invitation_answer_hours') }}

)

select * from answered
