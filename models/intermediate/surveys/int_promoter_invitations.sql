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

answered as (

    select * from {{ ref('int_answered_invitations') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

invited as (

    select
        ---------- ids
        invitations.invitation_id,
        invitations.survey_id,
        invitations.respondent_id,

        ---------- text
        scales.survey_type,
        scales.scale,
        {%- for dimension in survey_dimensions() %}
            coalesce(customers.{{ dimension }}, '(unknown)') as {{ dimension }},
        {%- endfor %}

        ---------- booleans
        coalesce(invitations.delivered, true) as is_delivered,
        answered.invitation_id is not null as is_answered,

        ---------- timestamps
        invitations.sent_at

    from invitations
    cross join as_of
    inner join scales on invitations.survey_id = scales.survey_id
    left join answered on invitations.invitation_id = answered.invitation_id
    left join accounts on invitations.account_id = accounts.account_id
    left join customers on accounts.customer_key = customers.customer_key
    where {{ is_before_as_of('invitations.sent_at') }} and not coalesce(accounts.is_test, false)

)

select * from invited
