{#
    What became of every delivered row of an entity, in `row_state`:
      current      the good row of its key that was delivered last and not deleted since,
      superseded   a good row that a later one of its key replaced, an exact duplicate, or a deleted key (tombstone),
      quarantined  a bad row (`quarantine_reason`), or a row whose key came again with other contents in its delivery.
    Only keys that occur twice are sorted: in most deliveries these are few.
#}
{% macro row_versions(staged, entity) -%}
{%- if not execute -%}{{ return('select 1 as not_compiled_yet from ' ~ ref('int_deliveries')) }}{%- endif -%}
with

{{ row_versions_ctes(staged, entity) }}

select * from versions
{%- endmacro %}

{# The columns that every delivered row of an entity carries through its versions, in order. #}
{% macro version_columns(entity) -%}
    {{ return(
        ['load_id', 'file', 'line_number', 'record_number']
        + (entity_columns(entity) | map(attribute='name') | list)
        + ['key_value', 'repaired_columns', 'load_sequence', 'delivery_order']
    ) }}
{%- endmacro %}

{% macro row_versions_ctes(staged, entity) -%}
staged as (

    select * from {{ staged }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}
    where entity = '{{ entity }}'

),

delivered as (

    select
        staged.*,
        coalesce(deliveries.load_sequence, 0) as load_sequence,
        coalesce(deliveries.delivery_order, 0) as delivery_order

    from staged
    left join deliveries on staged.load_id = deliveries.load_id and staged.file = deliveries.file

),

contested_keys as (

    select key_fingerprint
    from delivered
    where quarantine_reason is null
    group by key_fingerprint
    having count(*) > 1

),

last_full_delivery as (

    select coalesce(max(delivery_order), 0) as delivery_order
    from deliveries
    where is_full

),

keys_of_last_full_delivery as (

    select distinct delivered.row_key
    from delivered
    inner join last_full_delivery on delivered.delivery_order = last_full_delivery.delivery_order

),

sorted as (

    select
        delivered.load_id,
        delivered.file,
        delivered.record_number,
        delivered.delivery_order,
        delivered.contents_fingerprint,
        first_value(delivered.delivery_order) over (
            partition by delivered.row_key
            order by delivered.delivery_order desc, delivered.file desc, delivered.line_number desc
        ) as last_delivery_order,
        row_number() over (
            partition by delivered.row_key, delivered.delivery_order
            order by delivered.file desc, delivered.line_number desc
        ) as place_in_delivery,
        first_value(delivered.contents_fingerprint) over (
            partition by delivered.row_key, delivered.delivery_order
            order by delivered.file desc, delivered.line_number desc
        ) as last_contents_fingerprint

    from delivered
    inner join contested_keys on delivered.key_fingerprint = contested_keys.key_fingerprint
    where delivered.quarantine_reason is null

),

contested as (

    select
        load_id,
        file,
        record_number,
        place_in_delivery > 1 or delivery_order < last_delivery_order as is_replaced,
        place_in_delivery > 1 and contents_fingerprint <> last_contents_fingerprint as is_contradicted

    from sorted

),

judged as (

    select
        {%- for name in version_columns(entity) %}
        delivered.{{ name }},
        {%- endfor %}
        case
            when contested.is_contradicted then 'duplicate_key'
            else delivered.quarantine_reason
        end as quarantine_reason,
        coalesce(contested.is_replaced, false) as is_replaced,
        delivered.delivery_order < last_full_delivery.delivery_order
        and keys_of_last_full_delivery.row_key is null as is_deleted

    from delivered
    cross join last_full_delivery
    left join contested
        on delivered.load_id = contested.load_id
        and delivered.file = contested.file
        and delivered.record_number = contested.record_number
    left join keys_of_last_full_delivery
        on delivered.row_key = keys_of_last_full_delivery.row_key

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
    reporting currency on `rate_date` (an expression over `versions` and what `lookup` joins to it). A current row with an amount but without a rate is quarantined (`no_fx_rate`).
#}
{% macro rows_with_exchange_rate(staged, entity, amount, rate_date, lookup='') -%}
{%- set rates = ref('int_exchange_rate_months') -%}
{%- set last_rates = ref('int_exchange_rate_last') -%}
{%- if not execute -%}{{ return('select 1 as not_compiled_yet from ' ~ ref('int_deliveries')) }}{%- endif -%}
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
        case
            when dated.rate_currency = '{{ var("reporting_currency") }}' then cast(1 as decimal(17, 10))
            else coalesce(last_rates.rate, rates.rate)
        end as exchange_rate

    from dated
    left join {{ last_rates }} as last_rates
        on dated.rate_currency = last_rates.currency
        and dated.rate_date >= last_rates.valid_from
    left join {{ rates }} as rates
        on dated.rate_currency = rates.currency
        and {{ period_index("'month'", 'dated.rate_date') }} = rates.month_index
        and dated.rate_date >= rates.valid_from
        and dated.rate_date < rates.valid_to

),

judged_rates as (

    select
        {%- for name in version_columns(entity) %}
        {{ name }},
        {%- endfor %}
        exchange_rate,
        {{ money_product(amount, 'exchange_rate') }} as reporting_{{ amount }},
        case
            when row_state = 'current' and {{ amount }} is not null and exchange_rate is null then 'no_fx_rate'
            else quarantine_reason
        end as quarantine_reason,
        case
            when row_state = 'current' and {{ amount }} is not null and exchange_rate is null then 'quarantined'
            else row_state
        end as row_state

    from rated

)

select * from judged_rates
{%- endmacro %}
