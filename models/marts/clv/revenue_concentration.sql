-- One row per period: how much of the cash revenue of the twelve months before its end depends on few customers.
with

bookings as (

    select * from {{ ref('int_cash_bookings') }}

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

-- Months, quarters and years that end on one day look back at the same twelve months.
boundaries as (

    select
        boundary_on,
        row_number() over (order by boundary_on) as boundary_number

    from (select distinct boundary_on from spine) as ends

),

-- The boundaries are so many days and no more: a booking counts at the first one after it, and up to the last one that
-- still looks back at it.
booking_days as (

    select
        days.booked_on,
        min(boundaries.boundary_number) as first_boundary,
        max(boundaries.boundary_number) + 1 as next_boundary

    from (select distinct booked_on from bookings) as days
    inner join boundaries on {{ is_in_trailing_year('days.booked_on', 'boundaries.boundary_on') }}
    group by days.booked_on

),

booked as (

    select
        bookings.customer_key,
        booking_days.first_boundary,
        booking_days.next_boundary,
        sum(bookings.cash_amount) as cash_amount

    from bookings
    inner join booking_days on bookings.booked_on = booking_days.booked_on
    group by bookings.customer_key, booking_days.first_boundary, booking_days.next_boundary

),

-- The revenue of a customer changes at the boundary where a booking comes into sight, and where it is lost from it.
changes as (

    select
        customer_key,
        first_boundary as boundary_number,
        cash_amount as change
    from booked

    union all

    select
        customer_key,
        next_boundary as boundary_number,
        -cash_amount as change
    from booked

),

running as (

    select
        boundary_number,
        sum(change) over (
            partition by customer_key
            order by boundary_number
            rows between unbounded preceding and current row
        ) as revenue,
        lead(boundary_number) over (partition by customer_key order by boundary_number) as next_boundary

    from changes

),

steady as (

    select
        boundary_number,
        revenue,
        next_boundary - boundary_number as boundaries

    from running
    where revenue > 0 and next_boundary > boundary_number

),

stretches as (

    select
        lengths.boundary_number as boundaries,
        firsts.boundary_number - 1 as boundary_offset

    from boundaries as lengths
    inner join boundaries as firsts on lengths.boundary_number >= firsts.boundary_number

),

revenues as (

    select
        steady.revenue,
        steady.boundary_number + stretches.boundary_offset as boundary_number

    from steady
    inner join stretches on steady.boundaries = stretches.boundaries

),

-- Which of two equal revenues comes first does not matter, as their shares are equal.
placed as (

    select
        boundary_number,
        cast(revenue as double) as revenue,
        row_number() over (partition by boundary_number order by cast(revenue as double) desc) as place

    from revenues

),

totals as (

    select
        boundary_number,
        cast(sum(revenue) as double) as total_revenue,
        count(*) as customers

    from revenues
    group by boundary_number

),

shares as (

    select
        placed.boundary_number,
        placed.place,
        totals.customers,
        placed.revenue / totals.total_revenue as share,
        -- Places count from the largest, the Gini coefficient from the smallest.
        (totals.customers + 1 - placed.place) / cast(totals.customers as double) as place_from_below

    from placed
    inner join totals on placed.boundary_number = totals.boundary_number

),

-- Sums of whole numbers, so that they do not depend on the order of the rows.
measured as (

    select
        boundary_number,
        max(customers) as customers,
        sum(
            case when place <= floor((customers + 9) / 10.0) then {{ in_whole_units('share') }} end
        ) as top_decile_units,
        sum({{ in_whole_units('share * share') }}) as squared_units,
        sum({{ in_whole_units('share * place_from_below') }}) as placed_units,
        max({{ in_whole_units('share') }}) as largest_units

    from shares
    group by boundary_number

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
        {{ of_whole_units('measured.top_decile_units') }} as top_decile_share,
        {{ of_whole_units('measured.squared_units') }} as herfindahl_index,
        {{ of_whole_units('measured.largest_units') }} as largest_customer_share,
        (
            2 * measured.customers * {{ of_whole_units('measured.placed_units') }} - (measured.customers + 1)
        ) / measured.customers as gini

    from spine
    inner join boundaries on spine.boundary_on = boundaries.boundary_on
    left join measured on boundaries.boundary_number = measured.boundary_number

)

select * from revenue_concentration
