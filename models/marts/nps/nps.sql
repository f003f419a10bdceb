-- One row per survey type, scale, period (or wave) and dimension value: the net promoter score and how sure it is.
{#- The name of the period type, rolling_90d, is part of the mart's contract, and the days with it. #}
{%- set rolling_days = 90 %}
with

answers as (

    select * from {{ ref('int_promoter_answers') }}

),

scored as (

    select * from answers
    where score is not null

),

invitations as (

    select * from {{ ref('int_promoter_invitations') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

-- Answers and invitations, of which the series, its waves and its dimension values are made.
events as (

    select
        survey_type,
        scale,
        survey_id,
        {%- for dimension in survey_dimensions() %}
            {{ dimension }},
        {%- endfor %}
        min(responded_at) as first_happened_at,
        cast(null as timestamp) as first_sent_at
    from answers
    group by survey_type, scale, survey_id, {{ survey_dimensions() | join(', ') }}

    union all

    select
        survey_type,
        scale,
        survey_id,
        {%- for dimension in survey_dimensions() %}
            {{ dimension }},
        {%- endfor %}
        min(sent_at) as first_happened_at,
        min(sent_at) as first_sent_at
    from invitations
    group by survey_type, scale, survey_id, {{ survey_dimensions() | join(', ') }}

),

series as (

    select
        survey_type,
        scale,
        cast(min(first_happened_at) as date) as began_on,
        count(first_sent_at) > 0 as has_invitations

    from events
    group by survey_type, scale

),

dimension_values as (

    {{ grouped_by_dimension(
        relation='events',
        keys=['survey_type', 'scale'],
        dimensions=survey_dimensions(),
        measures={'events': 'count(*)'}
    ) }}

),

-- The windows of each series. Months, quarters and years; the ninety days before each month's end; and the same ninety
-- days earlier, which a rolling window is compared with.
period_windows as (

    select
        series.survey_type,
        series.scale,
        periods.period_type,
        periods.period_start,
        periods.period_start as window_start,
        periods.boundary_on as window_end,
        periods.period_index as window_number,
        false as is_comparison

    from series
    inner join periods on series.began_on < periods.period_end

),

rolling_windows as (

    select
        survey_type,
        scale,
        'rolling_{{ rolling_days }}d' as period_type,
        window_end as period_start,
        {{ add_days('window_end', -rolling_days) }} as window_start,
        window_end,
        window_number,
        false as is_comparison

    from period_windows
    where period_type = 'month'

    union all

    select
        survey_type,
        scale,
        'rolling_{{ rolling_days }}d' as period_type,
        window_end as period_start,
        {{ add_days('window_end', -2 * rolling_days) }} as window_start,
        {{ add_days('window_end', -rolling_days) }} as window_end,
        window_number,
        true as is_comparison

    from period_windows
    where period_type = 'month'

),

windows as (

    select * from period_windows

    union all

    select * from rolling_windows

),

waves as (

    select
        survey_type,
        scale,
        survey_id as wave,
        cast(coalesce(min(first_sent_at), min(first_happened_at)) as date) as period_start

    from events
    group by survey_type, scale, survey_id

),

-- Windows begin and end at midnight, so that the days of an answer and of the next one are all that counts.
answer_days as (

    select
        survey_type,
        scale,
        {%- for dimension in survey_dimensions() %}
            {{ dimension }},
        {%- endfor %}
        cast(responded_at as date) as responded_on,
        cast(next_responded_at as date) as next_responded_on,
        count(*) as responses,
        {{ counts_of_answers('score') }}

    from scored
    group by all

),

-- One answer per respondent and window: the one that no other follows within the window.
answers_in_windows as (

    select
        windows.survey_type,
        windows.scale,
        windows.period_type,
        windows.period_start,
        '' as wave,
        windows.is_comparison,
        {%- for dimension in survey_dimensions() %}
            answer_days.{{ dimension }},
        {%- endfor %}
        sum(answer_days.responses) as responses,
        sum(answer_days.promoters) as promoters,
        sum(answer_days.passives) as passives,
        sum(answer_days.detractors) as detractors

    from answer_days
    inner join windows
        on
            answer_days.survey_type = windows.survey_type
            and answer_days.scale = windows.scale
            and answer_days.responded_on >= windows.window_start
            and answer_days.responded_on < windows.window_end
            and (answer_days.next_responded_on is null or answer_days.next_responded_on >= windows.window_end)
    group by all

    union all

    select
        waves.survey_type,
        waves.scale,
        'wave' as period_type,
        waves.period_start,
        waves.wave,
        false as is_comparison,
        {%- for dimension in survey_dimensions() %}
            scored.{{ dimension }},
        {%- endfor %}
        count(*) as responses,
        {{ counts_of_answers('scored.score') }}

    from scored
    inner join waves
        on
            scored.survey_type = waves.survey_type
            and scored.scale = waves.scale
            and scored.survey_id = waves.wave
    where scored.next_in_wave_at is null
    group by all

),

answered as (

    {{ grouped_by_dimension(
        relation='answers_in_windows',
        keys=['survey_type', 'scale', 'period_type', 'period_start', 'wave', 'is_comparison'],
        dimensions=survey_dimensions(),
        measures={
            'responses': 'cast(sum(responses) as bigint)',
            'promoters': 'cast(sum(promoters) as bigint)',
            'passives': 'cast(sum(passives) as bigint)',
            'detractors': 'cast(sum(detractors) as bigint)',
        }
    ) }}

),

invitation_days as (

    select
        survey_type,
        scale,
        survey_id,
        {%- for dimension in survey_dimensions() %}
            {{ dimension }},
        {%- endfor %}
        cast(sent_at as date) as sent_on,
        count(*) as invited,
        count(case when is_answered then 1 end) as answered

    from invitations
    where is_delivered
    group by all

),

invitations_in_windows as (

    select
        windows.survey_type,
        windows.scale,
        windows.period_type,
        windows.period_start,
        '' as wave,
        {%- for dimension in survey_dimensions() %}
            invitation_days.{{ dimension }},
        {%- endfor %}
        sum(invitation_days.invited) as invited,
        sum(invitation_days.answered) as answered

    from invitation_days
    inner join windows
        on
            invitation_days.survey_type = windows.survey_type
            and invitation_days.scale = windows.scale
            and invitation_days.sent_on >= windows.window_start
            and invitation_days.sent_on < windows.window_end
    where not windows.is_comparison
    group by all

    union all

    select
        waves.survey_type,
        waves.scale,
        'wave' as period_type,
        waves.period_start,
        waves.wave,
        {%- for dimension in survey_dimensions() %}
            invitation_days.{{ dimension }},
        {%- endfor %}
        sum(invitation_days.invited) as invited,
        sum(invitation_days.answered) as answered

    from invitation_days
    inner join waves
        on
            invitation_days.survey_type = waves.survey_type
            and invitation_days.scale = waves.scale
            and invitation_days.survey_id = waves.wave
    group by all

),

invited as (

    {{ grouped_by_dimension(
        relation='invitations_in_windows',
        keys=['survey_type', 'scale', 'period_type', 'period_start', 'wave'],
        dimensions=survey_dimensions(),
        measures={
            'invited': 'cast(sum(invited) as bigint)',
            'answered': 'cast(sum(answered) as bigint)',
        }
    ) }}

),

all_windows as (

    select
        survey_type,
        scale,
        period_type,
        period_start,
        '' as wave,
        window_number,
        is_comparison
    from windows

    union all

    select
        survey_type,
        scale,
        'wave' as period_type,
        period_start,
        wave,
        cast(null as integer) as window_number,
        false as is_comparison
    from waves

),

spine as (

    select
        all_windows.*,
        dimension_values.dimension,
        dimension_values.dimension_value

    from all_windows
    inner join dimension_values
        on
            all_windows.survey_type = dimension_values.survey_type
            and all_windows.scale = dimension_values.scale

),

counted as (

    select
        spine.*,
        coalesce(answered.responses, 0) as responses,
        coalesce(answered.promoters, 0) as promoters,
        coalesce(answered.passives, 0) as passives,
        coalesce(answered.detractors, 0) as detractors,
        {{ sample_state('spine.survey_type', 'coalesce(answered.responses, 0)') }} as sample_state

    from spine
    left join answered
        on
            spine.survey_type = answered.survey_type
            and spine.scale = answered.scale
            and spine.period_type = answered.period_type
            and spine.period_start = answered.period_start
            and spine.wave = answered.wave
            and spine.is_comparison = answered.is_comparison
            and spine.dimension = answered.dimension
            and spine.dimension_value = answered.dimension_value

),

-- A sample that is too small shows nothing but its size.
shown as (

    select
        *,
        {{ net_promoter_score('promoters', 'detractors', 'responses') }} as raw_nps,
        {{ net_promoter_standard_error('promoters', 'detractors', 'responses') }} as raw_std_error,
        {{ net_promoter_bound('promoters', 'detractors', 'responses', '-') }} as raw_ci_low,
        {{ net_promoter_bound('promoters', 'detractors', 'responses', '+') }} as raw_ci_high,
        sample_state <> 'suppressed' as is_shown

    from counted

),

estimated as (

    select
        *,
        case when is_shown then raw_nps end as nps,
        case when is_shown then raw_std_error end as std_error,
        case when is_shown then raw_ci_low end as ci_low,
        case when is_shown then raw_ci_high end as ci_high

    from shown

),

-- The period before; for a rolling window the days of one before it.
compared as (

    select
        estimated.*,
        case
            when estimated.period_type = 'rolling_{{ rolling_days }}d' then comparison.nps
            when estimated.period_type <> 'wave'
                then lag(estimated.nps) over (
                    partition by
                        estimated.survey_type, estimated.scale, estimated.period_type,
                        estimated.dimension, estimated.dimension_value
                    order by estimated.window_number
                )
        end as previous_nps,
        case
            when estimated.period_type = 'rolling_{{ rolling_days }}d' then comparison.std_error
            when estimated.period_type <> 'wave'
                then lag(estimated.std_error) over (
                    partition by
                        estimated.survey_type, estimated.scale, estimated.period_type,
                        estimated.dimension, estimated.dimension_value
                    order by estimated.window_number
                )
        end as previous_std_error

    from estimated
    left join estimated as comparison
        on
            estimated.survey_type = comparison.survey_type
            and estimated.scale = comparison.scale
            and estimated.period_type = comparison.period_type
            and estimated.period_start = comparison.period_start
            and estimated.dimension = comparison.dimension
            and estimated.dimension_value = comparison.dimension_value
            and comparison.is_comparison
    where not estimated.is_comparison

),

changed as (

    select
        compared.*,
        compared.nps - compared.previous_nps as change,
        (compared.nps - compared.previous_nps) / nullif(sqrt(
            compared.std_error * compared.std_error
            + compared.previous_std_error * compared.previous_std_error
        ), 0) as change_z,
        case when series.has_invitations then coalesce(invited.invited, 0) end as invited,
        case when series.has_invitations then coalesce(invited.answered, 0) end as answered

    from compared
    inner join series
        on
            compared.survey_type = series.survey_type
            and compared.scale = series.scale
    left join invited
        on
            compared.survey_type = invited.survey_type
            and compared.scale = invited.scale
            and compared.period_type = invited.period_type
            and compared.period_start = invited.period_start
            and compared.wave = invited.wave
            and compared.dimension = invited.dimension
            and compared.dimension_value = invited.dimension_value

),

nps as (

    select
        ---------- ids
        survey_type,
        scale,
        period_type,
        period_start,
        wave,
        dimension,
        dimension_value,

        ---------- text
        sample_state,

        ---------- numerics
        cast(responses as bigint) as responses,
        cast(case when is_shown then promoters end as bigint) as promoters,
        cast(case when is_shown then passives end as bigint) as passives,
        cast(case when is_shown then detractors end as bigint) as detractors,
        nps,
        std_error,
        ci_low,
        ci_high,
        cast(invited as bigint) as invited,
        cast(answered as bigint) as answered,
        {{ ratio('answered', 'invited') }} as response_rate,
        change,
        change_z,

        ---------- booleans
        abs(change_z) > {{ normal_quantile() }} as is_change_significant

    from changed

)

select * from nps
