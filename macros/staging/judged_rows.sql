{#
    The judged rows of an entity, one per delivered row, good or bad: typed columns, what was repaired, and
    `quarantine_reason`, which is NULL for a good row and else the first reason in the order of the columns.
    A pure function of the one row. `reasons` lists further ones as (condition, reason), judged after the columns.
#}
{% macro judged_rows(entity, reasons=[]) -%}
{%- set delivered = delivered_rows(entity) -%}
{%- if not execute -%}{{ return('select 1 as not_compiled_yet') }}{%- endif -%}
{%- set columns = entity_columns(entity) -%}
{%- set key = entity_contract(entity).config.meta.key -%}
with

delivered as (

    {{ delivered }}

),

-- Nearly every cell is plain, and one look at it tells: neither the repairs nor the list of the repaired ask again.
recognised as (

    select
        *
        {%- for column in columns if plain_pattern(column.type) %},
        {{ matches(column.name, plain_pattern(column.type)) }} as is_plain_{{ column.name }}
        {%- endfor %}

    from delivered

),

typed as (

    select
        load_id,
        file,
        line_number,
        record_number,
        landed_at,
        {%- for column in columns %}
        {%- if is_text_type(column.type) %}
        {{ typed_column(column) }} as {{ column.name }},
        {%- else %}
        {{ column.name }} as raw_{{ column.name }},
        {%- if plain_pattern(column.type) %}
        is_plain_{{ column.name }},
        {%- endif %}
        {{ typed_column(column) }} as {{ column.name }},
        {%- endif %}
        {%- endfor %}
        {{ fingerprint(columns | map(attribute='name')) }} as contents_fingerprint

    from recognised

),

judged as (

    select
        load_id,
        file,
        line_number,
        record_number,
        landed_at,
        {%- for column in columns %}
        {{ used_value(column) }},
        {%- endfor %}
        {{ key_text(columns, key, is_typed=false) }} as key_value,
        {{ key_text(columns, key, is_typed=true) }} as row_key,
        contents_fingerprint,
        {{ repaired_columns(columns) }} as repaired_columns,
        case
            {%- for column in columns %}
            {{- column_reasons(column) }}
            {%- endfor %}
            {%- for condition, reason in reasons %}
            when {{ condition }} then '{{ reason }}'
            {%- endfor %}
        end as quarantine_reason

    from typed

)

select * from judged
{%- endmacro %}

{# The value of a typed column; for a date that may count as none, the date while it lies within the dates that are taken. #}
{% macro used_value(column) -%}
    {{ return('case when ' ~ is_in_range(column) ~ ' then ' ~ column.name ~ ' end as ' ~ column.name
        if column.empty_when else column.name) }}
{%- endmacro %}

{# Whether a typed date lies where its column says that others count as none, as SQL; NULL without a date. #}
{% macro is_in_range(column) -%}
    {%- set bounds = [column.name ~ " < cast('" ~ var("latest_valid_date") ~ "' as date)"] -%}
    {%- if 'out_of_range' in column.empty_when -%}
        {%- do bounds.append(column.name ~ " >= cast('" ~ var("earliest_valid_date") ~ "' as date)") -%}
    {%- endif -%}
    {{ return('(' ~ bounds | join(' and ') ~ ')') }}
{%- endmacro %}

{#
    The key of a row as one text: as delivered, for people who look for the row, or by its values, so that one key written
    in two ways (2024-02-01 and 2024-02-01T00:00:00) is one key. The latter is `key_of_row` of a good row; the former is
    published, so that what stands in the place of a time or of a value of a list shows as `(other)`: it may be what a
    person wrote.
#}
{% macro key_text(columns, key, is_typed) -%}
    {%- set parts = [] -%}
    {%- for name in key -%}
    {%- set column = (columns | selectattr('name', 'equalto', name) | first) -%}
    {%- set raw = column.name if is_text_type(column.type) else 'raw_' ~ column.name -%}
    {%- set value = 'cast(' ~ column.name ~ ' as string), ' if is_typed and raw != column.name else '' -%}
    {%- set part = raw if is_typed else known_part(column, raw) -%}
    {%- do parts.append("coalesce(" ~ value ~ part ~ ", '')") -%}
    {%- endfor -%}
    {{ return(joined_key(parts) if is_typed else joined_key(parts, separator="'|'")) }}
{%- endmacro %}

{# A part of a key as it was delivered, where it is what the type of the column says, as SQL. #}
{% macro known_part(column, raw) -%}
    {%- if column.type == 'enum' -%}
        {%- set is_known = column.name ~ " in ('" ~ column['values'] | join("', '") ~ "')" -%}
    {%- elif is_text_type(column.type) -%}
        {{ return(raw) }}
    {%- else -%}
        {%- set is_known = column.name ~ ' is not null' -%}
    {%- endif -%}
    {{ return("case when " ~ is_known ~ " then " ~ raw ~ " when " ~ raw ~ " is not null then '(other)' end") }}
{%- endmacro %}

{# The parts of a key as one text. Identifiers may hold any sign that people write, so that another one separates them. #}
{% macro joined_key(parts, separator='chr(31)') -%}
    {{ return(parts[0] if parts | length == 1 else 'concat_ws(' ~ separator ~ ', ' ~ parts | join(', ') ~ ')') }}
{%- endmacro %}

{% macro is_text_type(type) -%}
    {{ return(type in ['id', 'text', 'email', 'comment', 'enum', 'currency']) }}
{%- endmacro %}

{# The typed value of a raw column, as SQL over its text. #}
{% macro typed_column(column) -%}
    {%- set name = column.name -%}
    {%- if column.type == 'currency' -%} upper({{ name }})
    {%- elif column.type == 'enum' -%} lower({{ name }})
    {%- elif column.type in ['timestamp'] -%} {{ parse_timestamp(name, 'is_plain_' ~ name) }}
    {%- elif column.type in ['date', 'month'] -%} cast({{ parse_timestamp(name, 'is_plain_' ~ name) }} as date)
    {%- elif column.type in ['money', 'number'] -%} {{ parse_number(name, 'is_plain_' ~ name, 'decimal(20, 4)') }}
    {%- elif column.type in ['rate', 'fx_rate'] -%} {{ parse_number(name, 'is_plain_' ~ name, 'decimal(17, 10)') }}
    {%- elif column.type == 'integer' -%} {{ parse_integer(name, 'is_plain_' ~ name) }}
    {%- elif column.type == 'score' -%} {{ parse_score(name, 'is_plain_' ~ name) }}
    {%- elif column.type == 'boolean' -%} {{ parse_boolean(name) }}
    {%- elif is_text_type(column.type) -%} {{ name }}
    {%- else -%} {{ exceptions.raise_compiler_error("The input contract has the unknown type " ~ column.type) }}
    {%- endif -%}
{%- endmacro %}

{#
    How the text of each type looks that a cast reads as it is. Times with an offset are converted, which is no repair
    either: see `repaired_columns`.
#}
{% macro plain_pattern(type) -%}
    {{ return({
        'money': '^-?[0-9]+([.][0-9]{1,4})?$',
        'number': '^-?[0-9]+([.][0-9]{1,4})?$',
        'rate': '^-?[0-9]+([.][0-9]{1,10})?$',
        'fx_rate': '^-?[0-9]+([.][0-9]{1,10})?$',
        'integer': '^-?[0-9]{1,9}$',
        'score': '^-?[0-9]{1,9}$',
        'timestamp': plain_timestamp_pattern(),
        'date': plain_timestamp_pattern(),
        'month': plain_timestamp_pattern(),
    }.get(type)) }}
{%- endmacro %}

{#
    Names of the columns whose text had to be repaired before it could be read (digits of another script, separators,
    labels, serial dates, digits beyond the fourth decimal …) or counts as none, with commas between; NULL when none had to.
#}
{% macro repaired_columns(columns) -%}
    {%- set checked = [] -%}
    {%- for column in columns -%}
        {%- if plain_pattern(column.type) -%}
            {%- set converted = '' -%}
            {%- if column.type in ['timestamp', 'date', 'month'] -%}
                {%- set raw = 'raw_' ~ column.name -%}
                {%- set converted = ' and not ' ~ matches(raw, instant_pattern())
                    ~ ' and not ' ~ matches(raw, day_of_instant_pattern()) -%}
            {%- endif -%}
            {%- set is_emptied = '' -%}
            {%- if column.empty_when -%}
                {%- set unread = ' or (raw_' ~ column.name ~ ' is not null and ' ~ column.name ~ ' is null)' -%}
                {%- set is_out = 'not ' ~ is_in_range(column) ~ (unread if 'not_a_date' in column.empty_when else '') -%}
                {%- set is_emptied = 'when ' ~ is_out ~ " then '" ~ column.name ~ "' " -%}
            {%- endif -%}
            {%- do checked.append(
                "case " ~ is_emptied ~ "when is_plain_" ~ column.name ~ " then null when " ~ column.name ~ " is not null"
                ~ converted ~ " then '" ~ column.name ~ "' end"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if checked | length > 1 -%}
    nullif(concat_ws(', ', {{ checked | join(', ') }}), '')
    {%- elif checked -%}
    {{ checked[0] }}
    {%- else -%}
    cast(null as string)
    {%- endif -%}
{%- endmacro %}

{#
    Whether an event lies in the future of its delivery, by more than a day. Events are local, landing notes UTC: converting
    every row is slow, and no zone is further from UTC than 14 hours.
#}
{% macro is_in_future(event_at) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
    {{ return(event_at ~ ' > landed_at + interval 1 day') }}
    {%- endif -%}
    {{ return(event_at ~ ' > landed_at + interval 10 hour and ' ~ event_at ~ ' > ' ~ utc_to_local('landed_at') ~ ' + interval 1 day') }}
{%- endmacro %}

{# The branches of the reason for one column. #}
{% macro column_reasons(column) -%}
    {%- set name = column.name -%}
    {%- set unread = 'raw_' ~ name ~ ' is not null and ' ~ name ~ ' is null' %}
    {%- if column.required %}
            when {{ name if is_text_type(column.type) else 'raw_' ~ name }} is null then '{{ name }}_missing'
    {%- endif %}
    {%- if column.type == 'currency' %}
            when {{ name }} is not null and not {{ matches(name, '^[A-Z]{3}$') }} then '{{ name }}_not_a_code'
    {%- elif column.type == 'enum' %}
            when {{ name }} not in ('{{ column['values'] | join("', '") }}') then '{{ name }}_unknown_value'
    {%- elif column.type == 'boolean' %}
            when {{ unread }} then '{{ name }}_not_a_boolean'
    {%- elif column.type == 'integer' %}
            when {{ unread }} then '{{ name }}_not_a_number'
    {%- elif column.type == 'score' %}
            when {{ unread }} then '{{ name }}_not_whole'
    {%- elif column.type in ['money', 'number', 'rate', 'fx_rate'] %}
            when {{ unread }} and {{ repaired_number('raw_' ~ name) }} is not null then '{{ name }}_out_of_range'
            when {{ unread }} then '{{ name }}_not_a_number'
        {%- if column.type == 'rate' %}
            when {{ name }} > 1 then '{{ name }}_out_of_range'
        {%- elif column.type == 'fx_rate' %}
            when {{ name }} <= 0 then '{{ name }}_out_of_range'
        {%- endif %}
    {%- elif column.type in ['timestamp', 'date', 'month'] %}
        {%- if 'not_a_date' not in column.empty_when %}
            when {{ unread }} then '{{ name }}_not_a_date'
        {%- endif %}
        {%- if 'out_of_range' not in column.empty_when %}
            when
                {{ name }} < cast('{{ var("earliest_valid_date") }}' as date)
            {%- if 'too_late' not in column.empty_when %}
                or {{ name }} >= cast('{{ var("latest_valid_date") }}' as date)
            {%- endif %}
                then '{{ name }}_out_of_range'
        {%- endif %}
        {%- if column.event %}
            when {{ is_in_future(name) }} then '{{ name }}_in_future'
        {%- endif %}
        {%- if column.type == 'month' %}
            when extract(day from {{ name }}) <> 1 then '{{ name }}_not_first_of_month'
        {%- endif %}
    {%- endif %}
{%- endmacro %}
