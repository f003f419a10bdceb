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

{% macro seed_name(entity) -%}
    {{ return(entity if entity in reference_entities() else 'raw_' ~ entity) }}
{%- endmacro %}

{# The seed node of an entity: its description, its `meta.key` and its columns. #}
{% macro entity_contract(entity) -%}
    {{ return(graph.nodes['seed.' ~ project_name ~ '.' ~ seed_name(entity)]) }}
{%- endmacro %}

{# The canonical columns of an entity as a list of {name, type, required, event, values}, in order. #}
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
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
