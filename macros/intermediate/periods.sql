{#
    Calendar periods as integers: months, quarters and years since year 0, so that neighbours differ by one.
    Boundary i of a period type is the start of period i; the boundary after the last period is `as_of` while it is partial.
#}

{% macro period_types() -%}
    {{ return(['month', 'quarter', 'year']) }}
{%- endmacro %}

{# Index of the period that holds a date. `period_type` is an SQL expression. #}
{% macro period_index(period_type, day) -%}
    {%- set year = "cast(extract(year from " ~ day ~ ") as integer)" -%}
    {%- set month = "cast(extract(month from " ~ day ~ ") as integer)" -%}
    {%- set quarter = "cast(extract(quarter from " ~ day ~ ") as integer)" -%}
    {%- if period_type == "'month'" -%}
        ({{ year }} * 12 + {{ month }} - 1)
    {%- elif period_type == "'quarter'" -%}
        ({{ year }} * 4 + {{ quarter }} - 1)
    {%- elif period_type == "'year'" -%}
        {{ year }}
    {%- else -%}
        case {{ period_type }}
            when 'month' then {{ year }} * 12 + {{ month }} - 1
            when 'quarter' then {{ year }} * 4 + {{ quarter }} - 1
            when 'year' then {{ year }}
        end
    {%- endif -%}
{%- endmacro %}

{# Index of the period that holds a month, by the index of the month. #}
{% macro period_of_month(period_type, month) -%}
    {%- if period_type == "'month'" -%}
        {{ month }}
    {%- elif period_type == "'quarter'" -%}
        cast(floor({{ month }} / 3.0) as integer)
    {%- elif period_type == "'year'" -%}
        cast(floor({{ month }} / 12.0) as integer)
    {%- else -%}
        case {{ period_type }}
            when 'month' then {{ month }}
            when 'quarter' then cast(floor({{ month }} / 3.0) as integer)
            when 'year' then cast(floor({{ month }} / 12.0) as integer)
        end
    {%- endif -%}
{%- endmacro %}

{#
    The day that stands for all days of its month in sums over periods and over the twelve months before their ends:
    the first of the month, or of the part that lies within the twelve months before as_of.
#}
{% macro trailing_day(day, as_of) -%}
    case
        when {{ day }} >= {{ add_months(as_of, -12) }}
            then greatest(cast(date_trunc('month', {{ day }}) as date), {{ add_months(as_of, -12) }})
        else cast(date_trunc('month', {{ day }}) as date)
    end
{%- endmacro %}

{# Whether a day lies within the twelve months before a boundary. #}
{% macro is_in_trailing_year(day, boundary) -%}
    ({{ day }} < {{ boundary }} and {{ day }} >= {{ add_months(boundary, -12) }})
{%- endmacro %}

{#
    Whether something happened before as_of, the relation of one row that a query is crossed with. Not as a bare comparison:
    DuckDB 2.0.0 takes that for a join which leaves next to nothing, and builds its later hash tables from the large side.
#}
{% macro is_before_as_of(happened_at) -%}
    coalesce({{ happened_at }} < as_of.as_of, false)
{%- endmacro %}

{# Whether a delivered row counts at as_of: it is current, and happened before. #}
{% macro is_current_before_as_of(rows, happened_at) -%}
    {{ rows }}.row_state = 'current' and {{ is_before_as_of(rows ~ '.' ~ happened_at) }}
{%- endmacro %}

{# The delivered rows that count at as_of, all their columns. `as_of` is crossed in. #}
{% macro current_rows_before_as_of(rows, happened_at) -%}
    select rows_.*
    from {{ rows }} as rows_
    cross join as_of
    where {{ is_current_before_as_of('rows_', happened_at) }}
{%- endmacro %}

{# First day of the period with this index. #}
{% macro period_start(period_type, index) -%}
    case {{ period_type }}
        when 'month' then make_date(cast(floor({{ index }} / 12.0) as integer), {{ index }} % 12 + 1, 1)
        when 'quarter' then make_date(cast(floor({{ index }} / 4.0) as integer), ({{ index }} % 4) * 3 + 1, 1)
        when 'year' then make_date({{ index }}, 1, 1)
    end
{%- endmacro %}

{#
    Months from one day to another: whole months, and of the first and last month the share of its days. The days of a
    month weigh the same within it, and every full month counts exactly one.
#}
{% macro months_between(start_day, end_day) -%}
    (({{ period_index("'month'", end_day) }} - {{ period_index("'month'", start_day) }})
    + ({{ month_share(end_day) }} - {{ month_share(start_day) }}))
{%- endmacro %}

{# Share of its month that has passed when a day begins. #}
{% macro month_share(day) -%}
    (extract(day from {{ day }}) - 1) / cast(extract(day from last_day({{ day }})) as double)
{%- endmacro %}
