{#
    Stops dbt as it reads the project, before anything is built, when a var is not what `rules_of_vars` (dbt_project.yml)
    says that it may be. Lists and mappings are judged value by value, and empty ones as null. `warehouse build` judges what
    it is given by the same rules.
#}
{% macro check_vars() -%}
    {%- for name, rule in var('rules_of_vars').items() -%}
        {%- set given = run_setting(name) -%}
        {%- set is_list = given is sequence and given is not string and given is not mapping -%}
        {%- if given is none -%}
            {%- set values = [none] -%}
        {%- elif rule.mapping_of -%}
            {{ _refuse_var(name, given) if given is not mapping }}
            {%- for key in given if not modules.re.fullmatch(rule.mapping_of.keys() | first, key | string) -%}
                {{ _refuse_var(name, key) }}
            {%- endfor -%}
            {%- set values = given.values() | list -%}
        {%- elif rule.list_of -%}
            {{ _refuse_var(name, given) if not is_list }}
            {%- for value in given if (given | map('string') | list).count(value | string) > 1 -%}
                {{ _refuse_var(name, value ~ ' twice') }}
            {%- endfor -%}
            {%- set values = given -%}
        {%- else -%}
            {%- set values = [given] -%}
        {%- endif -%}
        {%- set pattern = rule.pattern or rule.list_of or rule.mapping_of.values() | first -%}
        {%- for value in values or [none] -%}
            {%- set text = 'null' if value is none else value | string | lower if value is boolean else value | string -%}
            {{ _refuse_var(name, text) if not modules.re.fullmatch(pattern, text) }}
        {%- endfor -%}
    {%- endfor -%}
    {%- if var('reporting_timezone') not in modules.pytz.all_timezones -%}
        {{ _refuse_var('reporting_timezone', var('reporting_timezone')) }}
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

{% macro _refuse_var(name, given, has_to=none) -%}
    {%- set words = has_to or 'be ' ~ var('rules_of_vars')[name].says -%}
    {{ exceptions.raise_compiler_error('the var ' ~ name ~ ' cannot be ' ~ given ~ ': it has to ' ~ words) }}
{%- endmacro %}
