-- One row per delivered survey response and what became of it; a score outside the scale of its survey is quarantined.
with

versions as (

    select * from {{ ref('int_survey_response_versions') }}

),

scales as (

    select * from {{ ref('int_survey_scales') }}

),

judged as (

    select
        versions.*,
        case
            when versions.row_state <> 'current' then versions.quarantine_reason
            when scales.is_promoter_survey and not scales.is_promoter_scale then 'unsupported_scale'
            -- Nobody declared the survey: no more than 0 to 10 is taken for granted.
            when versions.score < coalesce(scales.scale_min, 0) then 'score_out_of_range'
            when versions.score > coalesce(scales.scale_max, 10) then 'score_out_of_range'
        end as final_reason

    from versions
    left join scales on versions.survey = scales.survey_id

),

responses as (

    select
        ---------- address
        load_id,
        file,
        line_number,
        record_number,
        repaired_columns,
        load_sequence,
        delivery_order,

        ---------- ids
        response_id,
        account_id,
        survey,
        respondent_id,

        ---------- text
        comment,
        reason,
        language,

        ---------- numerics
        score,

        ---------- timestamps
        responded_at,

        ---------- fate
        final_reason as quarantine_reason,
        case when row_state = 'current' and final_reason is not null then response_id else key_value end as key_value,
        case when row_state = 'current' and final_reason is not null then 'quarantined' else row_state end as row_state

    from judged

)

select * from responses
