-- One row per account id that a current row names: where any good row first delivered it, also one that was replaced
-- since, so that its place among the others never changes; and when its first fact happened.
{%- set facts = {
    'deals': deal_began_at('created_at', 'first_entered_at', 'outcome_at'),
    'orders': 'ordered_at',
    'subscription_periods': 'started_at',
    'activities': 'occurred_at',
    'email_preferences': 'occurred_at',
    'support_tickets': 'opened_at',
    'survey_invitations': 'sent_at',
    'survey_responses': 'responded_at',
} %}
with

stages as (

    select * from {{ ref('int_stages') }}

),

first_entries as (

    select
        deal_id,
        min(entered_at) as first_entered_at

    from {{ ref('int_deal_entries') }}
    group by deal_id

),

dated_deals as (

    select
        deals.*,
        first_entries.first_entered_at,
        {{ deal_outcome_at('deals', 'stages') }} as outcome_at

    from {{ ref('int_rows__deals') }} as deals
    left join first_entries on deals.deal_id = first_entries.deal_id
    left join stages on {{ is_in_stage('deals', 'stages') }}

),

named as (

    select
        account_id,
        0 as entity_rank,
        load_sequence,
        record_number,
        cast(null as timestamp) as occurred_at,
        true as is_known,
        row_state = 'current' as is_current
    from {{ ref('int_rows__accounts') }}
    where row_state <> 'quarantined'

    union all

    -- Whatever others were merged into exists, delivered or not.
    select
        merges.survivor_id as account_id,
        1 as entity_rank,
        accounts.load_sequence,
        accounts.record_number,
        cast(null as timestamp) as occurred_at,
        true as is_known,
        accounts.row_state = 'current' as is_current
    from {{ ref('int_account_merges') }} as merges
    inner join {{ ref('int_rows__accounts') }} as accounts
        on merges.account_id = accounts.account_id
    where accounts.row_state <> 'quarantined' and not merges.is_cycle

    {%- for entity, occurred_at in facts.items() %}

        union all

        select
            account_id,
            {{ loop.index + 1 }} as entity_rank,
            load_sequence,
            record_number,
            {{ occurred_at }} as occurred_at,
            false as is_known,
            row_state = 'current' as is_current
        from {{ 'dated_deals' if entity == 'deals' else ref('int_rows__' ~ entity) }}
        where row_state <> 'quarantined' and account_id is not null
    {%- endfor %}

),

sightings as (

    select
        account_id,
        -- Load before entity before line, in one integer: whole numbers of lines stay below a trillion.
        min((load_sequence * 16 + entity_rank) * 1000000000000 + record_number) as first_position,
        min(case when is_current then occurred_at end) as first_fact_at,
        bool_or(is_current and is_known) as is_known

    from named
    group by account_id
    having bool_or(is_current)

)

select * from sightings
