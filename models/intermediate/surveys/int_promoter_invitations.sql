-- One row per invitation to an nps or enps survey before as_of, and whether the respondent answered it in time.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

invitations as (

    select * from {{ ref('int_rows__survey_invitations') }}
    where row_state = 'current'

),

scales as (

    select * from {{ ref('int_survey_scales') }}
    where is_promoter_survey and is_promoter_scale

),

answers as (

    select * from {{ ref('int_promoter_answers') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

sent as (

    select
        invitations.invitation_id,
        invitations.survey_id,
        invitations.respondent_id,
        scales.survey_type,
        scales.scale,
        {%- for dimension in survey_dimensions() %}
            coalesce(customers.{{ dimension }}, '(unknown)') as {{ dimension }},
        {%- endfor %}
        coalesce(invitations.delivered, true) as is_delivered,
        invitations.sent_at

    from invitations
    cross join as_of
    inner join scales on invitations.survey_id = scales.survey_id
    left join accounts on invitations.account_id = accounts.account_id
    left join customers on accounts.customer_key = customers.customer_key
    where {{ is_before_as_of('invitations.sent_at') }} and not coalesce(accounts.is_test, false)

),

answered as (

    select distinct sent.invitation_id
    from sent
    inner join answers
        on
            sent.survey_id = answers.survey_id
            and sent.respondent_id = answers.respondent_id
            and sent.sent_at <= answers.responded_at
            and {{ elapsed_days('sent.sent_at', 'answers.responded_at') }} * 24
            <= {{ var('invitation_answer_hours') }}

),

invited as (

    select
        ---------- ids
        sent.invitation_id,
        sent.survey_id,
        sent.respondent_id,

        ---------- text
        sent.survey_type,
        sent.scale,
        {%- for dimension in survey_dimensions() %}
            sent.{{ dimension }},
        {%- endfor %}

        ---------- booleans
        sent.is_delivered,
        answered.invitation_id is not null as is_answered,

        ---------- timestamps
        sent.sent_at

    from sent
    left join answered on sent.invitation_id = answered.invitation_id

)

select * from invited
