{#
    CTEs that follow links (account_id → target_id) to their end by doubling the distance: twelve rounds go 4,096 steps.
    The last CTE is named by `result`; a link into a cycle ends somewhere in that cycle.
#}
{% macro followed_chains(links, result) -%}
{%- set rounds = 12 -%}
{%- for round in range(1, rounds + 1) -%}
{%- set before = links if loop.first else result ~ '_' ~ (round - 1) -%}
{{ result if loop.last else result ~ '_' ~ round }} as (

    select
        hops.account_id,
        coalesce(next_hops.target_id, hops.target_id) as target_id

    from {{ before }} as hops
    left join {{ before }} as next_hops on hops.target_id = next_hops.account_id

)
{%- if not loop.last %},

{% endif -%}
{%- endfor -%}
{%- endmacro %}
