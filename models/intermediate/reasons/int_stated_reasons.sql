-- One row per thing a customer said, asked or lost that can explain a churn: exit surveys, cancelled contracts, support
-- tickets and lost renewals before as_of, with the reason that its wording stands for. A lower rank explains better.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

wordings as (

    select * from {{ ref('int_churn_reason_wordings') }}

),

exit_surveys as (

    select survey_id from {{ ref('int_survey_scales') }}
    where survey_type = 'exit'

),

stated as (

    select
        accounts.customer_key,
        1 as source_rank,
        responses.responded_at as stated_at,
        responses.response_id as source_id,
        responses.responded_at as source_started_at,
        responses.reason as wording

    from {{ ref('int_rows__survey_responses') }} as responses
    inner join exit_surveys on responses.survey = exit_surveys.survey_id
    inner join accounts on responses.account_id = accounts.account_id
    where responses.row_state = 'current' and responses.reason is not null

    union all

    select
        customer_key,
        2 as source_rank,
        ended_at as stated_at,
        subscription_id as source_id,
        started_at as source_started_at,
        cancel_reason as wording

    from {{ ref('int_contracts') }}
    where ended_at is not null and cancel_reason is not null

    union all

    select
        accounts.customer_key,
        3 as source_rank,
        tickets.opened_at as stated_at,
        tickets.ticket_id as source_id,
        tickets.opened_at as source_started_at,
        tickets.category as wording

    from {{ ref('int_rows__support_tickets') }} as tickets
    inner join accounts on tickets.account_id = accounts.account_id
    where tickets.row_state = 'current' and tickets.category is not null

    union all

    select
        deals.customer_key,
        4 as source_rank,
        deals.closed_at as stated_at,
        deals.deal_id as source_id,
        deals.closed_at as source_started_at,
        deals.lost_reason as wording

    from {{ ref('int_deals') }} as deals
    where
        deals.outcome = 'lost'
        and lower(deals.deal_type) = 'renewal'
        and deals.customer_key is not null
        and (deals.lost_reason is not null or deals.competitor is not null)

),

reasons as (

    select
        ---------- ids
        stated.customer_key,
        stated.source_id,

        ---------- numerics
        stated.source_rank,

        ---------- timestamps
        stated.source_started_at,
        stated.stated_at,

        ---------- calculations
        cast(stated.stated_at as date) as stated_on,
        case
            -- A lost renewal that names no reason but a competitor was lost to that competitor.
            when stated.wording is null then 'competitor'
            else coalesce(wordings.reason, 'other')
        end as reason

    from stated
    cross join as_of
    left join wordings on lower(stated.wording) = wordings.wording_key
    where {{ is_before_as_of('stated.stated_at') }}

)

select * from reasons
