-- The reduced job: cohorts, monthly retention and movements of monthly revenue, without merges, currencies and refunds.
create table placed engine = Memory as
with customer_months as (
    select
        account_id,
        toYear(day) * 12 + toMonth(day) - 1 as month,
        toInt64(sum(amount) * 100) as cents
    from (
        select
            assumeNotNull(account_id) as account_id,
            toDateOrNull(substring(assumeNotNull(ordered_at), 1, 10)) as day,
            toDecimal64OrNull(amount, 2) as amount
        from file('{raw}/orders.parquet', Parquet)
        where refund_of_order_id is null
    )
    where day >= toDate('2000-01-01') and day < toDate('2100-01-01') and amount > 0
    group by account_id, month
)
select
    month,
    cents,
    min(month) over (partition by account_id) as cohort_month,
    leadInFrame(month) over (
        partition by account_id order by month rows between unbounded preceding and unbounded following
    ) = month + 1 as is_retained
from customer_months;

create table cohorts engine = Memory as
select cohort_month, month - cohort_month as months_since, count() as customers, sum(cents) as total
from placed
group by cohort_month, month;

create table retention engine = Memory as
select month, count() as customers, countIf(is_retained) as retained
from placed
group by month;

create table movements engine = Memory as
with
periods as (
    select
        assumeNotNull(account_id) as account_id,
        toDateOrNull(assumeNotNull(started_at)) as started_on,
        toDateOrNull(ended_at) as ended_on,
        toInt64(toDecimal64OrNull(mrr, 2) * 100) as cents
    from file('{raw}/subscription_periods.parquet', Parquet)
    where started_on is not null and cents is not null
),
months as (
    select account_id, month, sum(step) as change
    from (
        select account_id, toYear(started_on) * 12 + toMonth(started_on) - 1 as month, cents as step from periods
        union all
        select account_id, toYear(ended_on) * 12 + toMonth(ended_on) - 1, -cents from periods where ended_on is not null
    )
    group by account_id, month
    having change <> 0
),
changes as (
    select
        month,
        change,
        sum(change) over (partition by account_id order by month rows between unbounded preceding and current row) as after,
        row_number() over (partition by account_id order by month) as number
    from months
),
summed as (
    select
        month,
        ifNull(sumIf(change, after = change and change > 0 and number = 1), 0) as new,
        ifNull(sumIf(change, after = change and change > 0 and number > 1), 0) as reactivation,
        ifNull(sumIf(change, after <> change and change > 0), 0) as expansion,
        -ifNull(sumIf(change, after > 0 and change < 0), 0) as contraction,
        -ifNull(sumIf(change, after = 0), 0) as churned
    from changes
    group by month
)
select *, sum(new + reactivation + expansion - contraction - churned) over (order by month) as cents_at_end
from summed;
