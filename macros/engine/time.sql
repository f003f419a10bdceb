{# Instants and calendar arithmetic that engines spell differently. #}

{# The naive local time, in the reporting time zone, of a text that ends in an offset; NULL when it is no instant. #}
{% macro instant_to_local(text) -%}
    {{ return(adapter.dispatch('instant_to_local', 'retention_warehouse')(text)) }}
{%- endmacro %}

{% macro duckdb__instant_to_local(text) -%}
    timezone('{{ var("reporting_timezone") }}', try_cast({{ text }} as timestamptz))
{%- endmacro %}

{# Spark reads 10:00:00Z and 10:00:00+05:30, but not +0530, and no offset after a time without seconds. #}
{% macro spark__instant_to_local(text) -%}
    {%- set with_colon = "regexp_replace(" ~ text ~ ", r'([+-][0-9]{2})([0-9]{2})\\z', '$1:$2')" -%}
    {%- set with_seconds = "regexp_replace(" ~ with_colon ~ ", r'([T ][0-9]{1,2}:[0-9]{2})( ?[Z+-].*)\\z', '$1:00$2')" -%}
    from_utc_timestamp(try_cast({{ with_seconds }} as timestamp), '{{ var("reporting_timezone") }}')
{%- endmacro %}

{# The naive local time, in the reporting time zone, of a naive time in UTC. #}
{% macro utc_to_local(timestamp) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}{{ return(timestamp) }}{%- endif -%}
    {{ return(adapter.dispatch('utc_to_local', 'retention_warehouse')(timestamp)) }}
{%- endmacro %}

{% macro duckdb__utc_to_local(timestamp) -%}
    timezone('{{ var("reporting_timezone") }}', timezone('UTC', {{ timestamp }}))
{%- endmacro %}

{% macro spark__utc_to_local(timestamp) -%}
    from_utc_timestamp({{ timestamp }}, '{{ var("reporting_timezone") }}')
{%- endmacro %}

{# The naive local time of a number of seconds since 1970-01-01T00:00:00Z. #}
{% macro unix_seconds_to_local(seconds) -%}
    {{ return(adapter.dispatch('unix_seconds_to_local', 'retention_warehouse')(seconds)) }}
{%- endmacro %}

{% macro duckdb__unix_seconds_to_local(seconds) -%}
    timezone('{{ var("reporting_timezone") }}', to_timestamp({{ seconds }}))
{%- endmacro %}

{% macro spark__unix_seconds_to_local(seconds) -%}
    from_utc_timestamp(timestamp_seconds({{ seconds }}), '{{ var("reporting_timezone") }}')
{%- endmacro %}

{# A date some days after (negative: before) a date. #}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch('add_days', 'retention_warehouse')(day, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(day, days) -%}
    ({{ day }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add({{ day }}, cast({{ days }} as integer))
{%- endmacro %}

{# A date some calendar months after (negative: before) a date; the last day of a shorter month. #}
{% macro add_months(day, months) -%}
    {{ return(adapter.dispatch('add_months', 'retention_warehouse')(day, months)) }}
{%- endmacro %}

{% macro duckdb__add_months(day, months) -%}
    cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(day, months) -%}
    add_months({{ day }}, cast({{ months }} as integer))
{%- endmacro %}

{# Whole days from one date to another. #}
{% macro days_between(start_day, end_day) -%}
    {{ return(adapter.dispatch('days_between', 'retention_warehouse')(start_day, end_day)) }}
{%- endmacro %}

{% macro duckdb__days_between(start_day, end_day) -%}
    date_diff('day', {{ start_day }}, {{ end_day }})
{%- endmacro %}

{% macro spark__days_between(start_day, end_day) -%}
    cast(datediff({{ end_day }}, {{ start_day }}) as bigint)
{%- endmacro %}

{# Days with fractions from one timestamp to another, as a double. #}
{% macro elapsed_days(start_at, end_at) -%}
    {{ return(adapter.dispatch('elapsed_days', 'retention_warehouse')(start_at, end_at)) }}
{%- endmacro %}

{% macro duckdb__elapsed_days(start_at, end_at) -%}
    (date_diff('microsecond', {{ start_at }}, {{ end_at }}) / 86400000000.0)
{%- endmacro %}

{% macro spark__elapsed_days(start_at, end_at) -%}
    (cast(timestampdiff(microsecond, {{ start_at }}, {{ end_at }}) as double) / 8.64e10)
{%- endmacro %}

{# A table of the integers from 0 up to but not including the bound, in the column `number`. #}
{% macro integers_below(bound) -%}
    {{ return(adapter.dispatch('integers_below', 'retention_warehouse')(bound)) }}
{%- endmacro %}

{% macro duckdb__integers_below(bound) -%}
    select cast(range as integer) as number from range(cast({{ bound }} as bigint))
{%- endmacro %}

{% macro spark__integers_below(bound) -%}
    select cast(number as integer) as number
    from (select cast({{ bound }} as bigint) as bound) as bounds
    lateral view explode(case when bound > 0 then sequence(0, bound - 1) else cast(array() as array<bigint>) end) as number
{%- endmacro %}
