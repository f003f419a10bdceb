-- Every answer in a window is a promoter, passive or detractor; what is suppressed shows nothing but its size.
with

nps as (

    select
        *,
        concat_ws(
            ' ', survey_type, scale, period_type, period_start, wave, dimension, dimension_value
        ) as failing_row,
        lag(nps) over (
            partition by survey_type, scale, period_type, wave, dimension, dimension_value
            order by period_start
        ) as previous_nps

    from {{ ref('nps') }}

),

-- A respondent who answers in several months of a quarter counts once in it.
quarters_of_months as (

    select
        survey_type,
        scale,
        dimension,
        dimension_value,
        cast(date_trunc('quarter', period_start) as date) as period_start,
        sum(responses) as responses,
        max(responses) as largest_responses,
        sum(invited) as invited

    from nps
    where period_type = 'month'
    group by survey_type, scale, dimension, dimension_value, date_trunc('quarter', period_start)

),

delivered_invitations as (

    select
        survey_type,
        scale,
        count(case when is_delivered then 1 end) as invited,
        count(case when is_delivered and is_answered then 1 end) as answered

    from {{ ref('int_promoter_invitations') }}
    group by survey_type, scale

),

totals as (

    select
        survey_type,
        scale,
        period_type,
        sum(invited) as invited,
        sum(answered) as answered

    from nps
    where dimension = 'all' and period_type <> 'rolling_90d'
    group by survey_type, scale, period_type

),

broken_rules as (

    select
        'promoters, passives and detractors are all responses' as broken_rule,
        failing_row
    from nps
    where
        sample_state <> 'suppressed'
        and (promoters + passives + detractors <> responses or promoters + passives + detractors is null)

    union all

    select
        'a sample that is too small shows nothing but its size' as broken_rule,
        failing_row
    from nps
    where
        sample_state = 'suppressed'
        and coalesce(promoters, passives, detractors, nps, std_error, ci_low, ci_high, change, change_z) is not null

    union all

    select
        'the state of the sample follows from its size' as broken_rule,
        failing_row
    from nps
    where
        sample_state <> case
            when survey_type = 'nps' and responses < {{ var('nps_suppressed_below') }} then 'suppressed'
            when survey_type = 'enps' and responses < {{ var('enps_suppressed_below') }} then 'suppressed'
            when responses < {{ var('nps_indicative_below') }} then 'indicative'
            else 'ok'
        end

    union all

    select
        'the score is that of its counts and lies in its interval' as broken_rule,
        failing_row
    from nps
    where
        abs(nps * responses - 100 * (promoters - detractors)) > 1e-6
        or nps < -100
        or nps > 100
        or std_error < 0
        or ci_low < -100
        or ci_high > 100
        or (responses > 1 and (nps < ci_low or nps > ci_high))

    union all

    select
        'the answered are some of the invited' as broken_rule,
        failing_row
    from nps
    where
        answered > invited
        or answered < 0
        or (answered is null) <> (invited is null)
        or (response_rate is null) <> (coalesce(invited, 0) = 0)
        or abs(response_rate * invited - answered) > 1e-6

    union all

    select
        'every delivered invitation is counted once in each kind of period' as broken_rule,
        concat_ws(' ', totals.survey_type, totals.scale, totals.period_type) as failing_row
    from totals
    inner join delivered_invitations
        on
            totals.survey_type = delivered_invitations.survey_type
            and totals.scale = delivered_invitations.scale
    where
        totals.invited <> delivered_invitations.invited
        or totals.answered <> delivered_invitations.answered

    union all

    select
        'a quarter has no more responses than its months, and no fewer than one of them' as broken_rule,
        nps.failing_row
    from nps
    inner join quarters_of_months
        on
            nps.survey_type = quarters_of_months.survey_type
            and nps.scale = quarters_of_months.scale
            and nps.dimension = quarters_of_months.dimension
            and nps.dimension_value = quarters_of_months.dimension_value
            and nps.period_start = quarters_of_months.period_start
    where
        nps.period_type = 'quarter'
        and (
            nps.responses > quarters_of_months.responses
            or nps.invited <> quarters_of_months.invited
            -- The later answer of another month may replace one of this account's, so only in all.
            or (nps.dimension = 'all' and nps.responses < quarters_of_months.largest_responses)
        )

    union all

    select
        'the change is that against the period before' as broken_rule,
        failing_row
    from nps
    where
        period_type in ('month', 'quarter', 'year')
        and (
            abs(change - (nps - previous_nps)) > 1e-9
            or (change is null) <> (nps - previous_nps is null)
        )

    union all

    select
        'a change is significant beyond the quantile, unknown without its z' as broken_rule,
        failing_row
    from nps
    where
        (is_change_significant is null) <> (change_z is null)
        or is_change_significant <> (abs(change_z) > {{ normal_quantile() }})

    union all

    select
        'a wave is one survey and has no change' as broken_rule,
        failing_row
    from nps
    where
        (period_type = 'wave') <> (wave <> '')
        or (period_type = 'wave' and change is not null)

)

select * from broken_rules
