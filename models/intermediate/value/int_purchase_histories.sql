-- One row per cut and purchase history (repeat days, recency, age): how many customers acquired before the cut have it,
-- and on how many days they bought between the cut and the end of observation.
with

cuts as (

    select * from {{ ref('int_value_model_cuts') }}

),

days as (

    select * from {{ ref('int_purchase_days') }}

),

customers as (

    select
        cuts.cut_name,
        cuts.cut_date,
        days.customer_key,
        count(case when days.ordered_on < cuts.cut_date then 1 end) - 1 as frequency,
        {{ days_between(
            'min(days.ordered_on)',
            'max(case when days.ordered_on < cuts.cut_date then days.ordered_on end)'
        ) }} as recency_days,
        {{ days_between('min(days.ordered_on)', 'cuts.cut_date') }} as age_days,
        count(case when days.ordered_on >= cuts.cut_date then 1 end) as later_days

    from cuts
    cross join days
    group by cuts.cut_name, cuts.cut_date, days.customer_key
    having min(days.ordered_on) < cuts.cut_date

),

histories as (

    select
        ---------- ids
        cut_name,
        frequency,
        recency_days,
        age_days,

        ---------- numerics
        count(*) as customers,
        sum(later_days) as later_days

    from customers
    group by cut_name, frequency, recency_days, age_days

)

select * from histories
