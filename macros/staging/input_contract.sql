{# Reads the input contract (seeds/raw/_raw__seeds.yml and seeds/reference/_reference__seeds.yml) while a model compiles. #}

{% macro reference_entities() -%}
    {{ return(['deal_stages', 'fx_rates', 'churn_reasons']) }}
{%- endmacro %}

{% macro raw_entities() -%}
    {{ return([
        'accounts', 'contacts', 'leads', 'deals', 'deal_stage_history', 'orders', 'subscription_periods', 'products',
        'activities', 'email_preferences', 'support_tickets', 'sales_reps', 'sales_targets', 'marketing_spend',
        'surveys', 'survey_invitations', 'survey_responses',
    ]) }}
{%- endmacro %}

{# The seed of an entity. The reference churn_reasons is called otherwise, because a mart has that name. #}
{% macro seed_name(entity) -%}
    {%- if entity == 'churn_reasons' -%}
        {{ return('churn_reason_wordings') }}
    {%- endif -%}
    {{ return(entity if entity in reference_entities() else 'raw_' ~ entity) }}
{%- endmacro %}

{# The seed node of an entity: its description, its `meta.key` and its columns. #}
{% macro entity_contract(entity) -%}
    {%- if graph.nodes is defined -%}
        {{ return(graph.nodes['seed.retention_warehouse.' ~ seed_name(entity)]) }}
    {%- endif -%}
    {#- dbt gives unit tests no graph: they read the same file through the engine. -#}
    {%- set folder = 'reference' if entity in reference_entities() else 'raw' -%}
    {%- set contract = fromyaml(file_text('seeds/' ~ folder ~ '/_' ~ folder ~ '__seeds.yml')) -%}
    {%- for seed in contract.seeds if seed.name == seed_name(entity) -%}
        {%- set columns = {} -%}
        {%- for column in seed.columns -%}{%- do columns.update({column.name: column}) -%}{%- endfor -%}
        {{ return({'config': seed.config, 'columns': columns}) }}
    {%- endfor -%}
{%- endmacro %}

{# The canonical columns of an entity as a list of {name, type, required, event, values, empty_when, is_modelled}, in order. #}
{% macro entity_columns(entity) -%}
    {%- set columns = [] -%}
    {%- for name, column in entity_contract(entity).columns.items() -%}
        {%- set meta = column.config.meta or column.meta -%}
        {%- do columns.append({
            'name': name,
            'type': meta.type,
            'required': meta.get('required', false),
            'event': meta.get('event', false),
            'values': meta.get('values', []),
            'empty_when': meta.get('empty_when', []),
            'is_modelled': meta.get('modelled', true),
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
