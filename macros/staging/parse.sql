{#
    How the text of a cell becomes a value. Each `parse_…` takes trimmed text and gives NULL when the text does not mean
    such a value; it never guesses: whatever could be read two ways stays NULL, and the row is quarantined.
    `is_plain` tells that the text has the plain pattern of its type (judged_rows.sql): it takes the first branch, and the
    repairs below it run only for the cells that need them.
#}

{# Arabic-Indic, Persian and full-width digits as ASCII, the minus sign as a hyphen, no invisible characters. #}
{% macro plain_digits(text) -%}
    {%- set localised = '٠١٢٣٤٥٦٧٨٩' ~ '۰۱۲۳۴۵۶۷۸۹' ~ '０１２３４５６７８９' ~ '−' ~ '．' ~ '－' ~ '٫' -%}
    {%- set ascii = '0123456789' ~ '0123456789' ~ '0123456789' ~ '-' ~ '.' ~ '-' ~ '.' -%}
    {{ without("translate(" ~ text ~ ", '" ~ localised ~ "', '" ~ ascii ~ "')", '[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]') }}
{%- endmacro %}

{# The text of a number in the form that a cast reads, or text that is no number. #}
{% macro repaired_number(text) -%}
    {%- set digits = without(plain_digits(text), '[ \u00a0\u202f\u066c]') -%}
    case
        -- (1,234.50) of accountants, 120.00- of ledgers
        when {{ matches(digits, negative('[0-9]+([.][0-9]+)?')) }} then '-' || {{ without(digits, '[()-]') }}
        when {{ matches(digits, negative('[0-9]{1,3}(,[0-9]{3})+[.][0-9]+')) }} then '-' || {{ without(digits, '[(),-]') }}
        when {{ matches(digits, negative('[0-9]{1,3}([.][0-9]{3})+,[0-9]+')) }}
            then '-' || replace({{ without(digits, '[().-]') }}, ',', '.')
        -- both separators, so that either one can only mean one thing
        when {{ matches(digits, '^[+-]?[0-9]{1,3}(,[0-9]{3})+[.][0-9]+$') }} then {{ without(digits, ',') }}
        when {{ matches(digits, '^[+-]?[0-9]{1,3}([.][0-9]{3})+,[0-9]+$') }}
            then replace({{ without(digits, '[.]') }}, ',', '.')
        -- a comma that cannot separate thousands
        when {{ matches(digits, '^[+-]?[0-9]+,([0-9]{1,2}|[0-9]{4,})$') }} then replace({{ digits }}, ',', '.')
        when {{ matches(digits, '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$') }} then {{ digits }}
    end
{%- endmacro %}

{# The pattern of a number in brackets, or with a minus after it. #}
{% macro negative(number) -%}
    {{ return('^([(]' ~ number ~ '[)]|' ~ number ~ '-)$') }}
{%- endmacro %}

{# A number of the type; finer input is rounded half up. #}
{% macro parse_number(text, is_plain, data_type) -%}
    case
        when {{ is_plain }} then try_cast({{ text }} as {{ data_type }})
        when {{ matches(text, '^-?[0-9]+[.][0-9]+$') }} then try_cast({{ text }} as {{ data_type }})
        when {{ text }} is not null then try_cast({{ repaired_number(text) }} as {{ data_type }})
    end
{%- endmacro %}

{% macro parse_integer(text, is_plain) -%}
    case
        when {{ is_plain }} then cast({{ text }} as integer)
        when {{ matches(plain_digits(text), '^-?[0-9]{1,9}([.]0+)?$') }}
            then cast({{ without(plain_digits(text), '[.]0+$') }} as integer)
    end
{%- endmacro %}

{# A score: 9, 9.0, 9/10, and labelled on either side: 9 - likely, Extremely likely - 10. 8.5 is none. #}
{% macro parse_score(text, is_plain) -%}
    case
        when {{ is_plain }} then cast({{ text }} as integer)
        when {{ matches(plain_digits(text), '^-?[0-9]{1,9}([.]0+)?( *[/] *10| *[-–—:=(] *[^-0-9 .].*)?$') }}
            then cast({{ first_group(plain_digits(text), '^(-?[0-9]{1,9})') }} as integer)
        when {{ matches(plain_digits(text), '^[^0-9]*[^-0-9 .,–—:=]( +[-–—] +| *[:=] *)[0-9]{1,2}$') }}
            then cast({{ without(plain_digits(text), '[^0-9]') }} as integer)
    end
{%- endmacro %}

{% macro parse_boolean(text) -%}
    case
        when lower({{ text }}) in ('true', 't', 'yes', 'y', '1') then true
        when lower({{ text }}) in ('false', 'f', 'no', 'n', '0') then false
    end
{%- endmacro %}

{# A day, and the time of it where one is given. #}
{% macro plain_timestamp_pattern() -%}
    {{ return(day_pattern() ~ '(' ~ time_pattern() ~ ')?$') }}
{%- endmacro %}

{# A day and time with the offset of its time zone. #}
{% macro instant_pattern() -%}
    {{ return(day_pattern() ~ time_pattern() ~ ' ?(Z|z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$') }}
{%- endmacro %}

{# An instant of which only its local day is meant, as a mapping with `day: true` says it. #}
{% macro day_of_instant_pattern() -%}
    {{ return(instant_pattern()[:-1] ~ ' day$') }}
{%- endmacro %}

{% macro day_pattern() -%}
    {{ return('^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') }}
{%- endmacro %}

{% macro time_pattern() -%}
    {{ return('[T ]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?') }}
{%- endmacro %}

{# An instant with its offset right behind the time, and Z for that of UTC. #}
{% macro closed_up_offset(text) -%}
    {%- set with_z = "replace(replace(" ~ text ~ ", 'UTC', 'Z'), 'z', 'Z')" -%}
    {{ return("replace(replace(replace(" ~ with_z ~ ", ' Z', 'Z'), ' +', '+'), ' -', '-')") }}
{%- endmacro %}

{# A local timestamp. A date alone is its midnight; a text with an offset is converted to the reporting time zone. #}
{% macro parse_timestamp(text, is_plain) -%}
    {%- set digits = plain_digits(text) -%}
    case
        when {{ is_plain }} then try_cast({{ text }} as timestamp)
        when {{ matches(text, instant_pattern()) }} then {{ instant_to_local(closed_up_offset(text)) }}
        when {{ matches(text, day_of_instant_pattern()) }}
            then cast(cast({{ instant_to_local(closed_up_offset(without(text, ' day$'))) }} as date) as timestamp)
        -- 1980 to 2100 in Unix seconds and milliseconds, and in days of a spreadsheet
        when {{ matches(text, '^(3[2-9]|[4-9][0-9]|[123][0-9]{2}|40[0-9])[0-9]{7}$') }}
            then {{ unix_seconds_to_local("cast(" ~ text ~ " as bigint)") }}
        when {{ matches(text, '^(3[2-9]|[4-9][0-9]|[123][0-9]{2}|40[0-9])[0-9]{10}$') }}
            then {{ unix_seconds_to_local("cast(" ~ text ~ " as bigint) / 1000.0") }}
        when {{ matches(text, '^(29[3-9]|[3-6][0-9]{2}|7[0-2][0-9])[0-9]{2}$') }}
            then cast({{ add_days("date '1899-12-30'", "cast(" ~ text ~ " as integer)") }} as timestamp)
        when {{ matches(digits, plain_timestamp_pattern()) }} then try_cast({{ digits }} as timestamp)
        when {{ matches(digits, instant_pattern()) }} then {{ instant_to_local(closed_up_offset(digits)) }}
    end
{%- endmacro %}
