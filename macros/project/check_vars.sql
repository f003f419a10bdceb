{#
    Stops a run at its first table when a var is not what `rules_of_vars` (dbt_project.yml) says that it may be. A list or a
    mapping is judged value by value, and an empty one as null. `warehouse build` judges what it is given by the same rules.
#}
{% macro check_vars() -%}
    {%- if execute -%}
        {%- for name, rule in var('rules_of_vars').items() -%}
            {%- set given = run_setting(name) -%}
            {%- set values = given.values() if given is mapping else given if given is sequence and given is not string else [given] -%}
            {%- for value in values or [none] -%}
                {%- set text = 'null' if value is none else value | string | lower if value is boolean else value | string -%}
                {%- if not modules.re.fullmatch(rule, text) -%}
                    {{ exceptions.raise_compiler_error('the var ' ~ name ~ ' cannot be ' ~ text ~ ': it has to fit ' ~ rule) }}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
