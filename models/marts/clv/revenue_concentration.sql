-- One row per period: how much of the cash revenue of the twelve months before its end depends on few customers.
with

bookings as (

    select * from {{ ref('int_cash_bookings') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

first_purchase as (

    select min(ordered_on) as ordered_on
    from {{ ref('int_purchase_days') }}

),

spine as (

    select periods.*
    from periods
    inner join first_purchase on periods.period_end > first_purchase.ordered_on

),

revenues as (

    select
        spine.period_type,
        spine.period_index,
        bookings.customer_key,
        sum(bookings.cash_amount) as revenue

    from spine
    inner join bookings
        on
            spine.boundary_on > bookings.booked_on
            and {{ add_months('spine.boundary_on', -12) }} <= bookings.booked_on
    group by spine.period_type, spine.period_index, bookings.customer_key
    having sum(bookings.cash_amount) > 0

),

totals as (

    select
        period_type,
        period_index,
        count(*) as customers,
        sum(revenue) as total_revenue

    from revenues
    group by period_type, period_index

),

-- Shares as decimals: their sums do not depend on the order of the rows.
shares as (

    select
        revenues.period_type,
        revenues.period_index,
        totals.customers,
        cast(cast(revenues.revenue as double) / cast(totals.total_revenue as double) as decimal(28, 18)) as share,
        row_number() over (
            partition by revenues.period_type, revenues.period_index
            order by revenues.revenue desc, customers.account_id asc
        ) as place

    from revenues
    inner join totals
        on
            revenues.period_type = totals.period_type
            and revenues.period_index = totals.period_index
    inner join customers on revenues.customer_key = customers.customer_key

),

measured as (

    select
        period_type,
        period_index,
        max(customers) as customers,
        sum(case when place <= floor((customers + 9) / 10.0) then share end) as top_decile_share,
        sum(cast(cast(share as double) * cast(share as double) as decimal(38, 30))) as herfindahl_index,
        -- Places count from the largest, the Gini coefficient from the smallest.
        sum(cast((customers + 1 - place) * cast(share as double) as decimal(38, 18))) as weighted_places,
        max(share) as largest_customer_share

    from shares
    group by period_type, period_index

),

revenue_concentration as (

    select
        ---------- ids
        spine.period_type,
        spine.period_start,

        ---------- timestamps
        spine.period_end,

        ---------- text
        spine.period_state,

        ---------- numerics
        cast(coalesce(measured.customers, 0) as bigint) as customers,
        cast(measured.top_decile_share as double) as top_decile_share,
        cast(measured.herfindahl_index as double) as herfindahl_index,
        cast(measured.largest_customer_share as double) as largest_customer_share,
        (2 * cast(measured.weighted_places as double) - (measured.customers + 1)) / measured.customers as gini

    from spine
    left join measured
        on
            spine.period_type = measured.period_type
            and spine.period_index = measured.period_index

)

select * from revenue_concentration
