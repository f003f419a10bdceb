-- One row: the run that all marts of this file come from.
{%- set landed_or_seeds = 'landing zone' if var('landing_zone') else 'seeds' -%}
{%- set input_kind = 'raw folders' if var('raw_folders') else landed_or_seeds %}
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

inactivity_window as (

    select * from {{ ref('int_inactivity_window') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

inputs as (

    select
        count(distinct load_id) as loads,
        sum(rows_in) as rows_in,
        md5({{ listed('input_text') }}) as input_hash

    from (
        select
            load_id,
            rows_in,
            entity || ' ' || file || ' ' || coalesce(file_sha256, cast(rows_in as string)) as input_text
        from deliveries
    ) as described

),

mart_run as (

    select
        ---------- ids
        '{{ env_var("WAREHOUSE_RUN_ID", invocation_id) }}' as run_id,

        ---------- text
        '{{ env_var("WAREHOUSE_GIT_REVISION", "unknown") }}' as git_revision,
        '{{ dbt_version }}' as dbt_version,
        {{ engine_version() }} as engine_version,
        '{{ input_kind }}' as input_kind,
        inputs.input_hash,
        inactivity_window.inactivity_source,

        ---------- numerics
        cast(inputs.loads as bigint) as loads,
        cast(inputs.rows_in as bigint) as rows_in,
        inactivity_window.inactivity_days,

        ---------- timestamps
        as_of.as_of,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as built_at

    from as_of
    cross join inactivity_window
    cross join inputs

)

select * from mart_run
