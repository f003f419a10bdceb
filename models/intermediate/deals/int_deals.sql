-- One row per deal that exists at as_of: its outcome, when it began and closed, and the dimensions of the deal marts.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

delivered as (

    select * from {{ ref('int_rows__deals') }}
    where row_state = 'current'

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

stages as (

    select * from {{ ref('int_stages') }}

),

pipelines as (

    select distinct
        pipeline_key,
        pipeline
    from stages

),

entries as (

    select
        deal_id,
        min(entered_at) as first_entered_at,
        max(case when is_open_stage then stage_order end) as highest_stage_order

    from {{ ref('int_deal_entries') }}
    group by deal_id

),

-- A deal that its stage calls won or lost while no closing day is delivered closed with its last entry into such a
-- stage. Entries at or after as_of are asked as well: a deal that was opened again and closed later is open in between.
undated_outcomes as (

    select
        delivered.deal_id,
        delivered.pipeline,
        stages.is_won

    from delivered
    inner join stages on {{ is_in_stage('delivered', 'stages') }}
    where delivered.closed_at is null and not stages.is_open

),

history_of_outcomes as (

    select
        undated_outcomes.deal_id,
        undated_outcomes.pipeline,
        undated_outcomes.is_won,
        history.stage,
        history.entered_at

    from undated_outcomes
    inner join {{ ref('int_rows__deal_stage_history') }} as history on undated_outcomes.deal_id = history.deal_id
    where history.row_state = 'current'

),

outcome_entries as (

    select
        history_of_outcomes.deal_id,
        max(history_of_outcomes.entered_at) as entered_at

    from history_of_outcomes
    inner join stages on {{ is_in_stage('history_of_outcomes', 'stages') }}
    where not stages.is_open and stages.is_won = history_of_outcomes.is_won
    group by history_of_outcomes.deal_id

),

sales_reps as (

    select * from {{ ref('int_rows__sales_reps') }}
    where row_state = 'current'

),

churn_reasons as (

    select * from {{ ref('int_churn_reason_wordings') }}

),

staged as (

    select
        delivered.*,
        accounts.customer_key,
        entries.first_entered_at,
        entries.highest_stage_order,
        {{ pipeline_key('delivered.pipeline') }} as pipeline_key,
        coalesce(pipelines.pipeline, delivered.pipeline, 'default') as pipeline_name,
        coalesce(stages.is_won, false) as is_won_stage,
        coalesce(stages.is_lost, false) as is_lost_stage,
        coalesce({{ deal_outcome_at('delivered', 'stages') }}, outcome_entries.entered_at) as outcome_at,
        coalesce(sales_reps.team, '(unknown)') as owner_team,
        coalesce(sales_reps.region, '(unknown)') as owner_region,
        coalesce(churn_reasons.reason = 'no_decision', false) as has_no_decision_reason

    from delivered
    left join accounts on delivered.account_id = accounts.account_id
    left join pipelines on {{ pipeline_key('delivered.pipeline') }} = pipelines.pipeline_key
    left join stages on {{ is_in_stage('delivered', 'stages') }}
    left join entries on delivered.deal_id = entries.deal_id
    left join outcome_entries on delivered.deal_id = outcome_entries.deal_id
    left join sales_reps on delivered.owner_id = sales_reps.rep_id
    left join churn_reasons on lower(delivered.lost_reason) = churn_reasons.wording_key
    where not coalesce(accounts.is_test, false)

),

dated as (

    select
        staged.*,
        as_of.as_of,
        coalesce(staged.currency, '{{ var("reporting_currency") }}') as rate_currency,
        coalesce(staged.outcome_at < as_of.as_of, false) as is_closed,
        -- The row judges by the closing day that it states. At as_of, that day may be yet to come, and history may know
        -- of a closing that the row does not state.
        cast(
            case when staged.outcome_at < as_of.as_of then staged.outcome_at else staged.created_at end as date
        ) as rate_date,
        {{ deal_began_at('staged.created_at', 'staged.first_entered_at', 'staged.outcome_at') }} as began_at

    from staged
    cross join as_of

),

rated as (

    select
        dated.*,
        {{ exchange_rate_of('dated') }} as exchange_rate_at_as_of

    from dated
    {{ exchange_rate_joins('dated') }}

),

deals as (

    select
        ---------- ids
        deal_id,
        customer_key,
        pipeline_key,
        product_id,

        ---------- text
        pipeline_name as pipeline,
        owner_team,
        owner_region,
        lost_reason,
        competitor,

        ---------- numerics
        highest_stage_order,

        ---------- timestamps
        created_at,
        began_at,

        ---------- calculations
        coalesce(owner_id, '(unknown)') as rep,
        coalesce(lead_source, '(unknown)') as lead_source,
        coalesce(deal_type, '(unknown)') as deal_type,
        case
            when is_closed and is_won_stage then 'won'
            when is_closed and is_lost_stage then 'lost'
            else 'open'
        end as outcome,
        is_closed and is_lost_stage and has_no_decision_reason as is_no_decision,
        case when is_closed then outcome_at end as closed_at,
        -- Where the closing is older than any rate of its currency, the deal keeps the rate that its row came with.
        coalesce(
            {{ money_product('amount', 'exchange_rate_at_as_of') }},
            case when is_closed then reporting_amount end
        ) as amount

    from rated
    where began_at < as_of or began_at is null

)

select * from deals
