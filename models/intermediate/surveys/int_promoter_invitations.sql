-- One row per invitation to an nps or enps survey before as_of, and whether the respondent answered it in time.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- Asked by `in`, and with the customers joined to the accounts first: as outer joins one after the other, DuckDB would
-- hold all invitations in three hash tables at a time, because it expects few of them to belong to such a survey.
invitations as (

    select
        *,
        invitation_id in (
            select answered.invitation_id from {{ ref('int_answered_invitations') }} as answered
        ) as is_answered

    from {{ ref('int_rows__survey_invitations') }}
    where row_state = 'current'

),

scales as (

    select * from {{ ref('int_survey_scales') }}
    where is_promoter_survey and is_promoter_scale

),

accounts as (

    select
        {%- for dimension in survey_dimensions() %}
            customers.{{ dimension }},
        {%- endfor %}
        accounts.account_id,
        accounts.is_test

    from {{ ref('int_accounts') }} as accounts
    left join {{ ref('int_customers') }} as customers on accounts.customer_key = customers.customer_key

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
            coalesce(accounts.{{ dimension }}, '(unknown)') as {{ dimension }},
        {%- endfor %}

        ---------- booleans
        coalesce(invitations.delivered, true) as is_delivered,
        invitations.is_answered,

        ---------- timestamps
        invitations.sent_at

    from invitations
    cross join as_of
    inner join scales on invitations.survey_id = scales.survey_id
    left join accounts on invitations.account_id = accounts.account_id
    where {{ is_before_as_of('invitations.sent_at') }} and not coalesce(accounts.is_test, false)

)

select * from invited
