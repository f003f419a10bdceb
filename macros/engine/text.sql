{#
    Text functions that engines spell differently. Patterns are plain regular expressions: no quotes in them, and
    only what RE2 and Java share.
#}

{# True when the text contains a match of the pattern. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches', 'retention_warehouse')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    ({{ text }} rlike {{ java_pattern(pattern) }})
{%- endmacro %}

{# The text without any match of the pattern. #}
{% macro without(text, pattern) -%}
    {{ return(adapter.dispatch('without', 'retention_warehouse')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__without(text, pattern) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '', 'g')
{%- endmacro %}

{% macro spark__without(text, pattern) -%}
    regexp_replace({{ text }}, {{ java_pattern(pattern) }}, '')
{%- endmacro %}

{# The first group of the first match of the pattern; the empty text when nothing matches. #}
{% macro first_group(text, pattern) -%}
    {{ return(adapter.dispatch('first_group', 'retention_warehouse')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__first_group(text, pattern) -%}
    regexp_extract({{ text }}, '{{ pattern }}', 1)
{%- endmacro %}

{% macro spark__first_group(text, pattern) -%}
    regexp_extract({{ text }}, {{ java_pattern(pattern) }}, 1)
{%- endmacro %}

{# The text without white space at its ends, no-break spaces and byte order marks included; NULL when nothing is left. #}
{% macro trimmed(text) -%}
    {{ return(adapter.dispatch('trimmed', 'retention_warehouse')(text)) }}
{%- endmacro %}

{% macro duckdb__trimmed(text) -%}
    nullif(trim({{ text }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8239) || chr(65279)), '')
{%- endmacro %}

{% macro spark__trimmed(text) -%}
    nullif(trim(both ' \t\n\r{{ '\u00a0\u202f\ufeff' }}' from {{ text }}), '')
{%- endmacro %}

{#
    A fingerprint of the columns, equal only for equal contents; NULL counts as the empty text. It is never published.
    MD5, because hash() of DuckDB 2.0.0 gives many ordinary texts of 16 to 24 bytes the same value.
#}
{% macro fingerprint(columns) -%}
    {{ return(adapter.dispatch('fingerprint', 'retention_warehouse')(columns)) }}
{%- endmacro %}

{% macro duckdb__fingerprint(columns) -%}
    md5_number(concat_ws(chr(31){% for column in columns %}, coalesce(cast({{ column }} as string), ''){% endfor %}))
{%- endmacro %}

{% macro spark__fingerprint(columns) -%}
    md5(concat_ws(chr(31){% for column in columns %}, coalesce(cast({{ column }} as string), ''){% endfor %}))
{%- endmacro %}

{#
    A number that equal texts share, and different ones nearly never: to find what may be equal, which is then compared
    itself. Many times quicker than a fingerprint; hash() alone gives different texts the same value: see `fingerprint`
    above.
#}
{% macro quick_fingerprint(text) -%}
    {{ return(adapter.dispatch('quick_fingerprint', 'retention_warehouse')(text)) }}
{%- endmacro %}

{% macro duckdb__quick_fingerprint(text) -%}
    xor(hash({{ text }}), hash(reverse({{ text }})))
{%- endmacro %}

{% macro spark__quick_fingerprint(text) -%}
    xxhash64({{ text }})
{%- endmacro %}

{# The same for several columns of any type. #}
{% macro quick_fingerprint_of(columns) -%}
    {{ return(adapter.dispatch('quick_fingerprint_of', 'retention_warehouse')(columns)) }}
{%- endmacro %}

{% macro duckdb__quick_fingerprint_of(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__quick_fingerprint_of(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}

{# The texts of the rows of a group as one text, in their order, with commas between. #}
{% macro listed(text) -%}
    {{ return(adapter.dispatch('listed', 'retention_warehouse')(text)) }}
{%- endmacro %}

{% macro duckdb__listed(text) -%}
    string_agg({{ text }}, ',' order by {{ text }})
{%- endmacro %}

{% macro spark__listed(text) -%}
    listagg({{ text }}, ',') within group (order by {{ text }})
{%- endmacro %}

{# A pattern as Java reads it: `$` is the end of the text and nothing else, and only a line feed is no `.`, as in RE2. #}
{% macro java_pattern(pattern) -%}
    {{ return("r'(?d)" ~ (pattern | replace('$', '\\z')) ~ "'") }}
{%- endmacro %}
