{#
    What became of every delivered row of an entity, in `row_state`:
      current      the good row of its key that was delivered last and not deleted since,
      superseded   a good row that a later one of its key replaced, an exact duplicate, or a deleted key: a full delivery of
                   its source is without it, or a row of its source says so,
      quarantined  a bad row (`quarantine_reason`), or a row whose key came again with other contents in its delivery.
    Only keys that occur more than once need sorting, and in most deliveries they are few. `staged` is a view: each CTE
    reads it again, with only the columns that it needs.

    Where the table is added to (var `keeps_rows`), only rows of new loads are read; of the rows it has, those change
    that a new one replaces.
#}
{% macro row_versions(staged, entity) -%}
{{ kept_rows_config() }}
{%- do version_dependencies() -%}
{%- if not execute -%}{{ return('select 1 as not_compiled_yet') }}{%- endif -%}
with

{{ row_versions_ctes(staged, entity) }}
{%- if adds_rows() %},

{{ replaced_rows_cte(entity, 'versions', []) }}

{{ stored_rows('versions', entity, []) }}
union all
select * from replaced_rows
{%- else %}

{{ stored_rows('versions', entity, []) }}
{%- endif %}
{%- endmacro %}

{#
    What row_versions_ctes refers to. dbt looks for references before it renders what stands behind `execute`: they are
    named here.
#}
{% macro version_dependencies() -%}
    {{ return([ref('int_deliveries'), ref('stg_landing__quarantine'), ref('stg_landing__deletions')]) }}
{%- endmacro %}

{#
    The rows as they are stored. The key as it was delivered is for people who look for a bad row; for the others it
    would be the largest column of the table and say what the columns of the key say already.
#}
{% macro stored_rows(rows, entity, more) -%}
select
    {%- for name in version_columns(entity) + more %}
    {%- if name == 'key_value' %}
    case when row_state = 'quarantined' then key_value end as key_value,
    {%- else %}
    {{ name }},
    {%- endif %}
    {%- endfor %}
    quarantine_reason,
    row_state
from {{ rows }}
{%- endmacro %}

{# Every entity with the model that says what became of its rows. #}
{% macro row_models() -%}
    {%- set models = [] -%}
    {%- for entity in raw_entities() + reference_entities() -%}
        {%- do models.append((entity, ref('int_rows__' ~ entity))) -%}
    {%- endfor -%}
    {{ return(models) }}
{%- endmacro %}

{# The key of a good row as one text, by the values of its columns: what staging calls row_key. #}
{% macro key_of_row(entity) -%}
    {%- if not execute -%}{{ return('not_compiled_yet') }}{%- endif -%}
    {%- set key = [] -%}
    {%- for name in entity_contract(entity).config.meta.key -%}
        {%- do key.append("coalesce(cast(" ~ name ~ " as string), '')") -%}
    {%- endfor -%}
    {{ return(joined_key(key)) }}
{%- endmacro %}

{#
    A fingerprint of a key without its last character, and that character as a number: identifiers count up, so that
    grouping by the first and looking for a repeated second costs half of grouping by the key, in a tenth of the memory.
#}
{% macro stem_of_key(key) -%}
    {{ quick_fingerprint('left(' ~ key ~ ', length(' ~ key ~ ') - 1)') }}
{%- endmacro %}

{% macro last_character_of_key(key) -%}
    ascii(right({{ key }}, 1))
{%- endmacro %}

{#
    Whether a group may hold a number twice, as a condition on the group: each number is one of 62 bits, and where none
    is repeated there are as many bits as rows. Numbers that share a bit look repeated: a "yes" wants a closer look.
#}
{% macro may_hold_twice(number) -%}
    count(*) <> bit_count(bit_or(cast(power(2, {{ number }} % 62) as bigint)))
{%- endmacro %}

{# Tables of rows live on from build to build where the var says so. The address is what identifies a row. #}
{% macro kept_rows_config() -%}
    {%- if var('keeps_rows') -%}
        {{ config(
            materialized='incremental',
            incremental_strategy='delete+insert',
            unique_key=['load_id', 'file', 'record_number'],
        ) }}
    {%- endif -%}
{%- endmacro %}

{# Whether the table holds rows already that new ones are added to. #}
{% macro adds_rows() -%}
    {{ return(var('keeps_rows') and is_incremental()) }}
{%- endmacro %}

{# The staged rows of the loads that the table holds no rows of, as a table expression. #}
{% macro new_rows(staged, entity) -%}
    {%- if not adds_rows() -%}{{ return(staged) }}{%- endif -%}
    {%- set new_loads = run_query(
        'select distinct load_id from ' ~ ref('int_deliveries') ~ " where entity = '" ~ entity
        ~ "' and load_id not in (select distinct load_id from " ~ this ~ ')'
    ).columns[0].values() -%}
    {%- set condition = "load_id in ('" ~ new_loads | join("', '") ~ "')" if new_loads else 'false' -%}
    {{ return('(select * from ' ~ staged ~ ' where ' ~ condition ~ ')') }}
{%- endmacro %}

{#
    The rows of this table that a new row replaces or deletes, as they are from now on. `new` holds the new rows by
    their state before rates were looked up; `more` are the columns after those of every version. A row without a rate
    of exchange is good in all other respects: it can be replaced.
#}
{% macro replaced_rows_cte(entity, new, more) -%}
{%- set key = key_of_row(entity) -%}
replacing_keys as (

    select distinct {{ key }} as row_key
    from {{ new }}
    where row_state <> 'quarantined'

),

replaced_rows as (

    select
        {%- for name in version_columns(entity) + more %}
        {{ 'cast(null as string) as key_value' if name == 'key_value' else 'kept.' ~ name }},
        {%- endfor %}
        cast(null as string) as quarantine_reason,
        'superseded' as row_state

    from {{ this }} as kept
    left join deliveries on kept.load_id = deliveries.load_id and kept.file = deliveries.file
    left join deleted_keys on {{ key }} = deleted_keys.row_key and deliveries.source = deleted_keys.source
    where
        (kept.row_state = 'current' or kept.quarantine_reason = 'no_fx_rate')
        and (
            {{ key }} in (select replacing_keys.row_key from replacing_keys)
            or kept.delivery_order <= deleted_keys.delivery_order
        )

)
{%- endmacro %}

{# The columns of an entity that models read. #}
{% macro modelled_columns(entity) -%}
    {{ return(entity_columns(entity) | selectattr('is_modelled') | map(attribute='name') | list) }}
{%- endmacro %}

{# The columns that every delivered row of an entity carries through its versions, in order. #}
{% macro version_columns(entity) -%}
    {{ return(
        ['load_id', 'file', 'line_number', 'record_number']
        + modelled_columns(entity)
        + ['key_value', 'repaired_columns', 'load_sequence', 'delivery_order']
    ) }}
{%- endmacro %}

{% macro row_versions_ctes(staged_view, entity) -%}
{%- set staged = new_rows(staged_view, entity) -%}
{%- set joins_of_deletion -%}
left join deliveries on staged.load_id = deliveries.load_id and staged.file = deliveries.file
    left join last_full_deliveries on deliveries.source = last_full_deliveries.source
    left join keys_of_last_full_deliveries
        on staged.row_key = keys_of_last_full_deliveries.row_key
        and deliveries.source = keys_of_last_full_deliveries.source
    left join deleted_keys
        on staged.row_key = deleted_keys.row_key
        and deliveries.source = deleted_keys.source
{%- endset -%}
{%- set is_deleted -%}
coalesce(deliveries.delivery_order < last_full_deliveries.delivery_order, false)
        and keys_of_last_full_deliveries.row_key is null
        or coalesce(deliveries.delivery_order <= deleted_keys.delivery_order, false)
{%- endset -%}
deliveries as (

    select * from {{ ref('int_deliveries') }}
    where entity = '{{ entity }}'

),

stems as (

    select
        {{ stem_of_key('row_key') }} as key_stem,
        {{ last_character_of_key('row_key') }} as last_character

    from {{ staged }} as staged

),

contested_stems as (

    select key_stem
    from stems
    group by key_stem
    having {{ may_hold_twice('last_character') }}

),

contested_keys as (

    select {{ quick_fingerprint('row_key') }} as key_fingerprint
    from {{ staged }} as staged
    where {{ stem_of_key('row_key') }} in (select contested_stems.key_stem from contested_stems)
    group by {{ quick_fingerprint('row_key') }}
    having count(*) > 1

),

-- Of each source: a delivery that is complete says nothing about what others deliver.
last_full_deliveries as (

    select
        source,
        max(delivery_order) as delivery_order

    from deliveries
    where is_full
    group by source

),

files_of_last_full_deliveries as (

    select
        deliveries.load_id,
        deliveries.file,
        deliveries.source

    from deliveries
    inner join last_full_deliveries
        on deliveries.source = last_full_deliveries.source
        and deliveries.delivery_order = last_full_deliveries.delivery_order
    {%- if adds_rows() %}
    -- New loads are later than the last full one: it deletes nothing of theirs.
    where false
    {%- endif %}

),

keys_of_last_full_deliveries as (

    select
        files.source,
        staged.row_key

    from {{ staged }} as staged
    inner join files_of_last_full_deliveries as files
        on staged.load_id = files.load_id and staged.file = files.file
    union
    -- A row that landing could not read is there all the same.
    select
        files.source,
        unread.key_value as row_key

    from {{ ref('stg_landing__quarantine') }} as unread
    inner join files_of_last_full_deliveries as files
        on unread.load_id = files.load_id and unread.file = files.file
    where unread.entity = '{{ entity }}' and unread.key_value is not null

),

-- By rows that say so, of the same source: until a later delivery has the key again.
deleted_keys as (

    select
        deliveries.source,
        deletions.key_value as row_key,
        max(deliveries.delivery_order) as delivery_order

    from {{ ref('stg_landing__deletions') }} as deletions
    inner join deliveries on deletions.load_id = deliveries.load_id and deletions.file = deliveries.file
    where deletions.entity = '{{ entity }}'
    group by deliveries.source, deletions.key_value

),

sorted as (

    select
        staged.load_id,
        staged.file,
        staged.record_number,
        coalesce(deliveries.delivery_order, 0) as delivery_order,
        staged.contents_fingerprint,
        -- What its source deleted replaces nothing that another source says of the key.
        max(case when {{ is_deleted }} then null else coalesce(deliveries.delivery_order, 0) end) over (
            partition by staged.row_key
        ) as last_delivery_order,
        row_number() over (
            partition by staged.row_key, coalesce(deliveries.delivery_order, 0)
            order by staged.file desc, staged.line_number desc
        ) as place_in_delivery,
        first_value(staged.contents_fingerprint) over (
            partition by staged.row_key, coalesce(deliveries.delivery_order, 0)
            order by staged.file desc, staged.line_number desc
        ) as last_contents_fingerprint

    from {{ staged }} as staged
    inner join contested_keys on {{ quick_fingerprint('staged.row_key') }} = contested_keys.key_fingerprint
    {{ joins_of_deletion }}
    where staged.quarantine_reason is null

),

contested as (

    select
        load_id,
        file,
        record_number,
        place_in_delivery > 1 or delivery_order < last_delivery_order as is_replaced,
        place_in_delivery > 1 and contents_fingerprint <> last_contents_fingerprint as is_contradicted

    from sorted
    where place_in_delivery > 1 or delivery_order < last_delivery_order

),

judged as (

    select
        staged.load_id,
        staged.file,
        staged.line_number,
        staged.record_number,
        {%- for name in modelled_columns(entity) %}
        staged.{{ name }},
        {%- endfor %}
        staged.key_value,
        staged.repaired_columns,
        coalesce(deliveries.load_sequence, 0) as load_sequence,
        coalesce(deliveries.delivery_order, 0) as delivery_order,
        case
            when contested.is_contradicted then 'duplicate_key'
            else staged.quarantine_reason
        end as quarantine_reason,
        coalesce(contested.is_replaced, false) as is_replaced,
        {{ is_deleted }} as is_deleted

    from {{ staged }} as staged
    {{ joins_of_deletion }}
    left join contested
        on staged.load_id = contested.load_id
        and staged.file = contested.file
        and staged.record_number = contested.record_number

),

versions as (

    select
        {%- for name in version_columns(entity) %}
        {{ name }},
        {%- endfor %}
        quarantine_reason,
        case
            when quarantine_reason is not null then 'quarantined'
            when is_replaced or is_deleted then 'superseded'
            else 'current'
        end as row_state

    from judged

)
{%- endmacro %}

{#
    The versions of an entity that holds money, with `exchange_rate`: the value of one unit of the row's currency in the
    reporting currency on `rate_date` (an expression over `versions` and what `lookup` joins to it). A current row with an
    amount but without a rate is quarantined (`no_fx_rate`). Without a date its worth is unknown, which is no reason while
    the currency has rates.
#}
{% macro rows_with_exchange_rate(staged, entity, amount, rate_date, lookup='') -%}
{{ kept_rows_config() }}
{%- set joins = exchange_rate_joins('dated') -%}
{%- do version_dependencies() -%}
{%- if not execute -%}{{ return('select 1 as not_compiled_yet') }}{%- endif -%}
with

{{ row_versions_ctes(staged, entity) }},

dated as (

    select
        versions.*,
        coalesce(versions.currency, '{{ var("reporting_currency") }}') as rate_currency,
        {{ rate_date }} as rate_date

    from versions
    {{ lookup }}

),

rated as (

    select
        dated.*,
        {{ exchange_rate_of('dated') }} as exchange_rate,
        last_rates.currency is null or dated.rate_date is not null as needs_rate

    from dated
    {{ joins }}

),

rate_checked as (

    select
        *,
        row_state = 'current' and {{ amount }} is not null and exchange_rate is null and needs_rate as lacks_rate

    from rated

),

judged_rates as (

    select
        {%- for name in version_columns(entity) %}
        {{ name }},
        {%- endfor %}
        exchange_rate,
        {{ money_product(amount, 'exchange_rate') }} as reporting_{{ amount }},
        case when lacks_rate then 'no_fx_rate' else quarantine_reason end as quarantine_reason,
        case when lacks_rate then 'quarantined' else row_state end as row_state

    from rate_checked

)
{%- if adds_rows() %},

{{ replaced_rows_cte(entity, 'versions', ['exchange_rate', 'reporting_' ~ amount]) }}

{{ stored_rows('judged_rates', entity, ['exchange_rate', 'reporting_' ~ amount]) }}
union all
select * from replaced_rows
{%- else %}

{{ stored_rows('judged_rates', entity, ['exchange_rate', 'reporting_' ~ amount]) }}
{%- endif %}
{%- endmacro %}
