-- One row per survey that answers may name: its type and scale, and whether that scale can carry a net promoter score.
-- A survey that nobody declared is known by its name where that is nps or enps.
with

surveys as (

    select * from {{ ref('int_rows__surveys') }}
    where row_state = 'current'

),

declared as (

    select
        survey_id,
        survey_type,
        coalesce(scale_min, 0) as scale_min,
        coalesce(scale_max, 10) as scale_max

    from surveys

),

mentioned as (

    select survey as survey_id from {{ ref('stg_survey__survey_responses') }}

    union distinct

    select survey_id from {{ ref('stg_survey__survey_invitations') }}

),

named as (

    select
        survey_id,
        lower(survey_id) as survey_type,
        0 as scale_min,
        10 as scale_max

    from mentioned
    where
        lower(survey_id) in ('nps', 'enps')
        and not exists (
            select 1
            from declared
            where declared.survey_id = mentioned.survey_id
        )

),

known as (

    select * from declared

    union all

    select * from named

),

scales as (

    select
        ---------- ids
        survey_id,

        ---------- text
        survey_type,

        ---------- numerics
        scale_min,
        scale_max,

        ---------- calculations
        cast(scale_min as string) || '-' || cast(scale_max as string) as scale,
        survey_type in ('nps', 'enps') as is_promoter_survey,
        scale_max = 10 and scale_min in (0, 1) as is_promoter_scale

    from known

)

select * from scales
