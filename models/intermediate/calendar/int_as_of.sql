-- One row: the day at whose start the warehouse looks at the company. Events at or after it do not exist.
with

events as (

    select max(ordered_at) as occurred_at from {{ ref('int_rows__orders') }}
    where row_state = 'current'

    union all

    select max(created_at) as occurred_at from {{ ref('int_rows__deals') }}
    where row_state = 'current'

    union all

    -- The closing date of an open deal is a plan, and so is one that lies in the future of its delivery.
    select max(deals.closed_at) as occurred_at
    from {{ ref('int_rows__deals') }} as deals
    inner join {{ ref('int_stages') }} as stages on {{ is_in_stage('deals', 'stages') }}
    inner join {{ ref('int_deliveries') }} as deliveries
        on
            deals.load_id = deliveries.load_id
            and deals.file = deliveries.file
            and deliveries.entity = 'deals'
    where
        deals.row_state = 'current'
        and not stages.is_open
        and deals.closed_at <= {{ utc_to_local('deliveries.landed_at') }} + interval 1 day

    union all

    select max(entered_at) as occurred_at from {{ ref('int_rows__deal_stage_history') }}
    where row_state = 'current'

    union all

    select max(sent_at) as occurred_at from {{ ref('int_rows__survey_invitations') }}
    where row_state = 'current'

    union all

    select max(responded_at) as occurred_at from {{ ref('int_rows__survey_responses') }}
    where row_state = 'current'

    union all

    select max(occurred_at) as occurred_at from {{ ref('int_rows__activities') }}
    where row_state = 'current'

    union all

    select max(opened_at) as occurred_at from {{ ref('int_rows__support_tickets') }}
    where row_state = 'current'

    union all

    select max(occurred_at) as occurred_at from {{ ref('int_rows__email_preferences') }}
    where row_state = 'current'

),

-- Contracts are plans: they date the company only where nothing else does.
plans as (

    select greatest(max(started_at), max(ended_at)) as occurred_at
    from {{ ref('int_rows__subscription_periods') }}
    where row_state = 'current'

),

latest as (

    select cast(coalesce(max(events.occurred_at), max(plans.occurred_at)) as date) as latest_on
    from events
    cross join plans

),

as_of as (

    {% if run_setting('as_of') %}
        select cast('{{ run_setting("as_of") }}' as date) as as_of
    {% else %}
        select {{ add_days('latest_on', 1) }} as as_of
    {% endif %}

    from latest

)

select * from as_of
