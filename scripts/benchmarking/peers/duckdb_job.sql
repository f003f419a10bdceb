-- The reduced job: cohorts, monthly retention and movements of monthly revenue, without merges, currencies and refunds.
create temp macro month_of(day) as year(day) * 12 + month(day) - 1;

create temp table customer_months as
with orders as (
    select account_id, try_cast(left(ordered_at, 10) as date) as day, try_cast(amount as decimal(18, 2)) as amount
    from read_parquet(getvariable('raw') || '/orders.parquet')
    where refund_of_order_id is null
)
select account_id, month_of(day) as month, (sum(amount) * 100)::bigint as cents
from orders
where day >= date '2000-01-01' and day < date '2100-01-01' and amount > 0
group by account_id, month_of(day);

create temp table placed as
select
    month,
    cents,
    min(month) over (partition by account_id) as cohort_month,
    lead(month) over (partition by account_id order by month) = month + 1 as is_retained
from customer_months;

create temp table cohorts as
select cohort_month, month - cohort_month as months_since, count(*) as customers, sum(cents) as cents
from placed
group by cohort_month, month;

create temp table retention as
select month, count(*) as customers, count(*) filter (is_retained) as retained
from placed
group by month;

create temp table movements as
with periods as (
    select
        account_id,
        try_cast(started_at as date) as started_on,
        try_cast(ended_at as date) as ended_on,
        (try_cast(mrr as decimal(18, 2)) * 100)::bigint as cents
    from read_parquet(getvariable('raw') || '/subscription_periods.parquet')
),
steps as (
    select account_id, month_of(started_on) as month, cents from periods where started_on is not null and cents is not null
    union all
    select account_id, month_of(ended_on), -cents from periods
    where started_on is not null and cents is not null and ended_on is not null
),
months as (
    select account_id, month, sum(cents) as change from steps group by account_id, month having sum(cents) <> 0
),
changes as (
    select
        month,
        change,
        sum(change) over customer as after,
        row_number() over customer = 1 as is_first
    from months
    window customer as (partition by account_id order by month rows unbounded preceding)
),
summed as (
    select
        month,
        coalesce(sum(change) filter (after = change and change > 0 and is_first), 0) as new,
        coalesce(sum(change) filter (after = change and change > 0 and not is_first), 0) as reactivation,
        coalesce(sum(change) filter (after <> change and change > 0), 0) as expansion,
        coalesce(-sum(change) filter (after > 0 and change < 0), 0) as contraction,
        coalesce(-sum(change) filter (after = 0), 0) as churned
    from changes
    group by month
)
select *, sum(new + reactivation + expansion - contraction - churned) over (order by month) as cents_at_end
from summed;
