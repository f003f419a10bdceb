{# The product of an amount (4 decimals) and a rate (10 decimals), exact: 14 decimals, never rounded. #}
{% macro money_product(amount, rate) -%}
    cast({{ amount }} as decimal(20, 4)) * cast({{ rate }} as decimal(17, 10))
{%- endmacro %}

{# Money of any scale times a rate or share, rounded to 10 decimals so that its sums do not depend on their order. #}
{% macro money_share(money, share) -%}
    cast(cast({{ money }} as double) * cast({{ share }} as double) as decimal(38, 10))
{%- endmacro %}

{# The margin rate of a sale: its own where it states one, else that of its product, else the var. #}
{% macro margin_rate(products, stated=none) -%}
    coalesce({{ stated ~ ', ' if stated }}{{ products }}.gross_margin_rate, {{ var('gross_margin_rate') }})
{%- endmacro %}

{# A ratio as a double; NULL when the denominator is 0 or unknown. #}
{% macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}

{#
    A number from 0 to 1 in units of 1e-18, as a whole number: sums of these are at most a few units off, and the same
    in any order, which sums of doubles are not.
#}
{% macro in_whole_units(share) -%}
    cast(floor({{ share }} * 1e18 + 0.5) as bigint)
{%- endmacro %}

{# A sum of such units as a double again. #}
{% macro of_whole_units(units) -%}
    cast({{ units }} as double) / 1e18
{%- endmacro %}

{# The tables of exchange rates, joined to `rows` by their `rate_currency` and `rate_date`; at most one rate fits. #}
{% macro exchange_rate_joins(rows) -%}
    left join {{ ref('int_exchange_rate_last') }} as last_rates
        on {{ rows }}.rate_currency = last_rates.currency
    left join {{ ref('int_exchange_rate_months') }} as rates
        on {{ rows }}.rate_currency = rates.currency
        and {{ period_index("'month'", rows ~ '.rate_date') }} = rates.month_index
        and {{ rows }}.rate_date >= rates.valid_from
        and {{ rows }}.rate_date < rates.valid_to
{%- endmacro %}

{# The value of one unit of the currency of `rows` in the reporting currency on their date, where the tables are joined. #}
{% macro exchange_rate_of(rows) -%}
    case
        when {{ rows }}.rate_currency = '{{ var("reporting_currency") }}' then cast(1 as decimal(17, 10))
        when {{ rows }}.rate_date >= last_rates.valid_from then last_rates.rate
        else rates.rate
    end
{%- endmacro %}
