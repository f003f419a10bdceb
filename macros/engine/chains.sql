{#
    CTEs that follow links (account_id → target_id) to their end, 4,096 steps at most. The last CTE is named by `result`;
    a link into a cycle ends somewhere in that cycle.
#}
{% macro followed_chains(links, result) -%}
    {{ return(adapter.dispatch('followed_chains', 'retention_warehouse')(links, result)) }}
{%- endmacro %}

{# By doubling the distance: twelve rounds. #}
{% macro default__followed_chains(links, result) -%}
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

{# Spark works a CTE out again wherever it is named, which doubling would do 4,096 times: step by step instead. #}
{% macro spark__followed_chains(links, result) -%}
{{ result }} as (

    with recursive steps (account_id, target_id, passed) as (

        select
            account_id,
            target_id,
            array(account_id) as passed
        from {{ links }}

        union all

        select
            steps.account_id,
            links.target_id,
            array_append(steps.passed, steps.target_id) as passed
        from steps
        inner join {{ links }} as links on steps.target_id = links.account_id
        where not array_contains(steps.passed, steps.target_id)

    )

    select
        account_id,
        max_by(target_id, size(passed)) as target_id
    from steps
    group by account_id

)
{%- endmacro %}
