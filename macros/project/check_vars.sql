{#
    Stops dbt as it reads the project, before anything is built, when a var is not what `rules_of_vars` (dbt_project.yml)
    says that it may be. Lists and mappings are judged value by value, and empty ones as null. `warehouse build` judges what
    it is given by the same rules.
#}
{% macro check_vars() -%}
    {%- for name, rule in var('rules_of_vars').items() -%}
        {%- set given = run_setting(name) -%}
        {%- set is_list = given is sequence and given is not string and given is not mapping -%}
        {%- if rule is mapping and given is not mapping and given is not none -%}
            {{ _refuse_var(name, given, 'be a mapping') }}
        {%- elif rule is not string and rule is not mapping and not is_list and given is not none -%}
            {{ _refuse_var(name, given, 'be a list') }}
        {%- elif rule is mapping -%}
            {%- for key in given or {} if not modules.re.fullmatch(rule.keys() | first, key | string) -%}
                {{ _refuse_var(name, key, 'have keys that fit ' ~ (rule.keys() | first)) }}
            {%- endfor -%}
        {%- endif -%}
        {%- set pattern = rule if rule is string else rule.values() | first if rule is mapping else rule[0] -%}
        {%- set values = [given] if rule is string else given.values() | list if given is mapping else given -%}
        {%- for value in values or [none] -%}
            {%- set text = 'null' if value is none else value | string | lower if value is boolean else value | string -%}
            {%- if not modules.re.fullmatch(pattern, text) -%}
                {{ _refuse_var(name, text, 'fit ' ~ pattern) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if var('reporting_timezone') not in modules.pytz.all_timezones -%}
        {{ _refuse_var('reporting_timezone', var('reporting_timezone'), 'be a name of the IANA database, as Asia/Kuala_Lumpur') }}
    {%- endif -%}
    {%- if execute -%}
        {%- for entity, folder in (var('raw_folders') or {}).items() -%}
            {%- if entity not in raw_entities() + reference_entities() -%}
                {{ _refuse_var('raw_folders', entity, 'name entities: ' ~ (raw_entities() + reference_entities()) | join(', ')) }}
            {%- elif modules.re.match('\\w+://[^/@]*:.*@', folder | string) -%}
                {{ _refuse_var('raw_folders', entity ~ ' with credentials in its URI', 'leave them to the engine') }}
            {%- elif not folder -%}
                {{ _refuse_var('raw_folders', entity ~ ': ' ~ folder, 'name a folder or URI for each entity') }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro _refuse_var(name, given, rule) -%}
    {{ exceptions.raise_compiler_error('the var ' ~ name ~ ' cannot be ' ~ given ~ ': it has to ' ~ rule) }}
{%- endmacro %}
