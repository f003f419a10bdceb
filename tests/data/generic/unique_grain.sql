{#
    The grain of a model: its columns are never NULL and no two rows share them. One node for the whole key.
    Fingerprints find the few candidates, because grouping millions of text keys is what makes such tests slow;
    the candidates are then compared exactly. Failing rows: the problem and how many rows have it.
#}
{% test unique_grain(model, columns) %}

with

candidates as (

    select {{ quick_fingerprint_of(columns) }} as grain_fingerprint

    from {{ model }}
    group by {{ quick_fingerprint_of(columns) }}
    having count(*) > 1

),

repeated as (

    select
        'repeated' as problem,
        count(*) as failing_rows

    from {{ model }}
    where {{ quick_fingerprint_of(columns) }} in (select candidates.grain_fingerprint from candidates)
    group by {{ columns | join(', ') }}
    having count(*) > 1

)

select * from repeated
{% for column in columns %}
union all

select
    '{{ column }} is missing' as problem,
    count(*) as failing_rows

from {{ model }}
where {{ column }} is null
having count(*) > 0
{% endfor %}
{% endtest %}
