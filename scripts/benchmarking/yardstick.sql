-- The yardstick: one hand-written script from the raw Parquet files of a generated company straight to the seven
-- headline marts. Every definition is kept (types, merges, test accounts, inferred customers, currencies, refunds,
-- the learned window, all dimensions), and nothing is written but what a mart needs: no quarantine, no history of
-- deliveries, no tests. Rows that cannot be read fall out. Times are whole seconds, as the generator writes them.
-- Variables: raw (folder of the Parquet files). Tables of one run live in memory; the marts go to the schema marts.

-- @ functions
create or replace macro month_of(day) as year(day) * 12 + month(day) - 1;
create or replace macro start_of(months, period_index) as
    make_date((period_index * months) // 12, (period_index * months) % 12 + 1, 1);
create or replace macro ratio(numerator, denominator) as numerator::double / nullif(denominator::double, 0);
create or replace macro is_event(happened_at) as
    happened_at >= timestamp '1980-01-01' and happened_at <= current_localtimestamp() + interval 1 day;
-- Customer and second in one integer that sorts by both.
create or replace macro packed(customer_key, happened_at) as
    (customer_key::bigint << 33) + epoch_ms(happened_at) // 1000;
create or replace macro second_of(packed) as make_timestamp((packed & 8589934591) * 1000000);
create or replace macro day_of(packed) as date '1970-01-01' + ((packed & 8589934591) // 86400)::integer;
create or replace macro customer_of(packed) as (packed >> 33)::integer;
create schema if not exists marts;

-- @ rates
create or replace temp table rates_by_day as
with ranges as (
    select
        upper(currency) as currency,
        valid_from::date as valid_from,
        rate::decimal(17, 10) as rate,
        coalesce(
            lead(valid_from::date) over (partition by upper(currency) order by valid_from), current_date + 2
        ) as valid_to
    from read_parquet(getvariable('raw') || '/fx_rates.parquet')
    where upper(currency) <> 'USD'
    union all
    select 'USD', date '1990-01-01', 1::decimal(17, 10), current_date + 2
)
select currency, unnest(generate_series(valid_from, valid_to - 1, interval 1 day))::date as day, rate
from ranges;

-- @ raw accounts
create or replace temp table raw_accounts as
with delivered as (
    select
        account_id,
        coalesce(segment, '(unknown)') as segment,
        coalesce(industry, '(unknown)') as industry,
        coalesce(country, '(unknown)') as country,
        coalesce(region, '(unknown)') as region,
        coalesce(acquisition_channel, '(unknown)') as acquisition_channel,
        nullif(merged_into_account_id, account_id) as merged_into_account_id,
        coalesce(lower(is_test) in ('true', 't', 'yes', 'y', '1'), false) as is_test
    from read_parquet(getvariable('raw') || '/accounts.parquet')
)
-- Numbered along the dimensions, so that customers of one profile lie together wherever rows are sorted by customer.
select
    *,
    dense_rank() over (order by segment, industry, country, region, acquisition_channel)::integer as profile_id,
    row_number() over (order by segment, industry, country, region, acquisition_channel)::integer as account_key
from delivered;

-- @ accounts that only facts name
create or replace temp table unknown_accounts as
with unmatched as (
    select account_id from read_parquet(getvariable('raw') || '/orders.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/activities.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/subscription_periods.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/deals.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/survey_responses.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/survey_invitations.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/support_tickets.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
    union all
    select account_id from read_parquet(getvariable('raw') || '/email_preferences.parquet') as facts
    where not exists (select 1 from raw_accounts where raw_accounts.account_id = facts.account_id)
)
select account_id, (row_number() over () + (select max(account_key) from raw_accounts))::integer as account_key
from (select distinct account_id from unmatched where account_id is not null);

-- @ customers
create or replace temp table accounts as
with recursive chains as (
    select account_id, merged_into_account_id as target_id from raw_accounts where merged_into_account_id is not null
    union
    select chains.account_id, raw_accounts.merged_into_account_id
    from chains
    inner join raw_accounts on chains.target_id = raw_accounts.account_id
    where raw_accounts.merged_into_account_id is not null
),
survivors as (
    select chains.account_id, targets.account_key, targets.profile_id, targets.is_test
    from chains
    inner join raw_accounts as targets on chains.target_id = targets.account_id
    where targets.merged_into_account_id is null
)
-- Every account id that a fact may name, with its customer; test customers are left out.
select
    raw_accounts.account_id,
    coalesce(survivors.account_key, raw_accounts.account_key) as customer_key,
    coalesce(survivors.profile_id, raw_accounts.profile_id) as profile_id,
    coalesce(survivors.is_test, raw_accounts.is_test) as is_test,
    survivors.account_id is not null as is_merged
from raw_accounts
left join survivors on raw_accounts.account_id = survivors.account_id
union all
select account_id, account_key, 0, false, false from unknown_accounts;

create or replace temp table customers as
select account_id, customer_key, profile_id from accounts
where not is_test and not is_merged
order by customer_key;

-- What each profile counts for: all, and its value of each dimension.
create or replace temp table profile_values as
with profiles as (
    select distinct profile_id, segment, industry, country, region, acquisition_channel from raw_accounts
    union all
    select 0, '(unknown)', '(unknown)', '(unknown)', '(unknown)', '(unknown)'
)
select profile_id, 'all' as dimension, 'all' as dimension_value from profiles
union all
select profile_id, dimension, dimension_value from profiles
unpivot (dimension_value for dimension in (segment, industry, country, region, acquisition_channel));

create or replace temp table dimension_values as
select dimension, dimension_value, row_number() over ()::integer as value_id
from (select distinct dimension, dimension_value from profile_values);

create or replace temp table profile_value_ids as
select profile_id, value_id from profile_values inner join dimension_values using (dimension, dimension_value);

-- @ refunds
create or replace temp table refunds as
select
    refund_of_order_id,
    account_id,
    try_cast(ordered_at as timestamp) as ordered_at,
    try_cast(amount as decimal(20, 4)) as amount,
    coalesce(upper(currency), 'USD') as currency,
    product_id,
    try_cast(margin as decimal(17, 10)) as margin
from read_parquet(getvariable('raw') || '/orders.parquet')
where refund_of_order_id is not null
    and try_cast(amount as decimal(20, 4)) is not null and is_event(try_cast(ordered_at as timestamp));

create or replace temp table refunded_orders as
select refund_of_order_id as order_id, row_number() over ()::integer as refund_number, sum(amount)::decimal(20, 4) as amount
from refunds
group by refund_of_order_id;

create or replace temp table products as
select product_id, gross_margin_rate::decimal(17, 10) as gross_margin_rate
from read_parquet(getvariable('raw') || '/products.parquet');

-- @ orders
-- Narrow, netted in the one scan, in the order of customer and time.
create or replace temp table orders as
with delivered as (
    select
        order_id,
        account_id,
        try_cast(ordered_at as timestamp) as ordered_at,
        try_cast(amount as decimal(20, 4)) as amount,
        coalesce(upper(currency), 'USD') as currency,
        product_id,
        try_cast(margin as decimal(17, 10)) as margin
    from read_parquet(getvariable('raw') || '/orders.parquet')
    where refund_of_order_id is null
)
select
    packed(accounts.customer_key, delivered.ordered_at) as customer_and_second,
    month_of(delivered.ordered_at::date)::smallint as month,
    (delivered.amount + coalesce(refunded_orders.amount, 0))::decimal(20, 4) * rates_by_day.rate as net,
    coalesce(delivered.margin, products.gross_margin_rate, 1)::decimal(17, 10) as margin,
    refunded_orders.refund_number
from delivered
inner join accounts on delivered.account_id = accounts.account_id and not accounts.is_test
inner join rates_by_day on delivered.currency = rates_by_day.currency and delivered.ordered_at::date = rates_by_day.day
left join refunded_orders on delivered.order_id = refunded_orders.order_id
left join products on delivered.product_id = products.product_id
where is_event(delivered.ordered_at) and delivered.amount is not null
order by customer_and_second;

-- @ deals
create or replace temp table stages as
select
    lower(coalesce(pipeline, 'default')) as pipeline_key,
    lower(stage) as stage_key,
    coalesce(pipeline, 'default') as pipeline,
    stage,
    stage_order::integer as stage_order,
    is_won = 'true' as is_won,
    is_lost = 'true' as is_lost,
    is_won = 'false' and is_lost = 'false' as is_open,
    case when is_won = 'false' and is_lost = 'false' then row_number() over (
        partition by lower(coalesce(pipeline, 'default')), is_won = 'false' and is_lost = 'false'
        order by stage_order::integer
    ) end::tinyint as stage_number,
    count(*) filter (is_won = 'false' and is_lost = 'false') over (
        partition by lower(coalesce(pipeline, 'default'))
    )::tinyint as open_stages,
    dense_rank() over (order by lower(coalesce(pipeline, 'default')))::tinyint as pipeline_number
from read_parquet(getvariable('raw') || '/deal_stages.parquet');

create or replace temp table deals as
with delivered as (
    select
        deal_id,
        account_id,
        lower(coalesce(pipeline, 'default')) as pipeline_key,
        lower(stage) as stage_key,
        try_cast(created_at as timestamp) as created_at,
        try_cast(closed_at as timestamp) as closed_at,
        try_cast(amount as decimal(20, 4)) as amount,
        coalesce(upper(currency), 'USD') as currency,
        coalesce(lead_source, '(unknown)') as lead_source,
        coalesce(deal_type, '(unknown)') as deal_type,
        owner_id
    from read_parquet(getvariable('raw') || '/deals.parquet')
    where (amount is null or try_cast(amount as decimal(20, 4)) is not null)
        and (created_at is null or is_event(try_cast(created_at as timestamp)))
)
select
    row_number() over ()::integer as deal_key,
    delivered.deal_id,
    stages.pipeline_number,
    stages.stage_number,
    stages.open_stages,
    stages.is_won,
    stages.is_lost,
    delivered.created_at,
    delivered.closed_at,
    delivered.currency,
    delivered.amount as own_amount,
    delivered.amount * rates_by_day.rate as amount,
    coalesce(representatives.team, '(unknown)') as owner_team,
    coalesce(representatives.region, '(unknown)') as owner_region,
    delivered.lead_source,
    delivered.deal_type
from delivered
inner join stages on delivered.pipeline_key = stages.pipeline_key and delivered.stage_key = stages.stage_key
left join accounts on delivered.account_id = accounts.account_id
left join read_parquet(getvariable('raw') || '/sales_reps.parquet') as representatives
    on delivered.owner_id = representatives.rep_id
left join rates_by_day on delivered.currency = rates_by_day.currency
    and case when stages.is_open then delivered.created_at
        else coalesce(delivered.closed_at, delivered.created_at) end::date = rates_by_day.day
where not coalesce(accounts.is_test, false)
    and not coalesce(delivered.closed_at < delivered.created_at, false);

-- @ stage entries
-- In the order of deal and time, so that the next entry is the next row.
create or replace temp table entries as
select
    deals.deal_key,
    try_cast(history.entered_at as timestamp) as entered_at,
    stages.stage_order::tinyint as stage_order,
    stages.stage_number,
    stages.is_won,
    stages.is_lost
from read_parquet(getvariable('raw') || '/deal_stage_history.parquet') as history
inner join deals on history.deal_id = deals.deal_id
inner join stages on deals.pipeline_number = stages.pipeline_number and lower(history.stage) = stages.stage_key
where is_event(try_cast(history.entered_at as timestamp))
order by deal_key, entered_at, stage_order;

-- When a deal closed whose row has no closing day: with its last entry into the outcome that it has now. Its amount takes
-- the rate of that day.
create or replace temp table outcome_entries as
with last_entries as (
    select deal_key, max(entries.entered_at) as entered_at
    from entries
    inner join deals using (deal_key)
    where deals.closed_at is null and (deals.is_won and entries.is_won or deals.is_lost and entries.is_lost)
    group by deal_key
)
select deal_key, last_entries.entered_at, deals.own_amount * rates_by_day.rate as amount
from last_entries
inner join deals using (deal_key)
left join rates_by_day
    on deals.currency = rates_by_day.currency and last_entries.entered_at::date = rates_by_day.day;

-- @ as of
-- The day after the latest event. The big files are only read where their text could be later than what is known.
create or replace temp table known_until as
select max(happened_at) as happened_at, strftime(max(happened_at), '%Y-%m-%d') as text
from (
    select second_of(max(customer_and_second & 8589934591)) as happened_at from orders
    union all select max(ordered_at) from refunds
    union all select max(entered_at) from entries
    union all select max(created_at) from deals
    union all select max(closed_at) from deals where is_won or is_lost
);
create or replace temp table as_of as
with latest as (
    select happened_at from known_until
    union all
    select try_cast(occurred_at as timestamp) from read_parquet(getvariable('raw') || '/activities.parquet'), known_until
    where occurred_at >= known_until.text
    union all
    select try_cast(opened_at as timestamp) from read_parquet(getvariable('raw') || '/support_tickets.parquet'), known_until
    where opened_at >= known_until.text
    union all
    select try_cast(occurred_at as timestamp)
    from read_parquet(getvariable('raw') || '/email_preferences.parquet'), known_until
    where occurred_at >= known_until.text
    union all
    select try_cast(sent_at as timestamp)
    from read_parquet(getvariable('raw') || '/survey_invitations.parquet'), known_until
    where sent_at >= known_until.text
    union all
    select try_cast(responded_at as timestamp)
    from read_parquet(getvariable('raw') || '/survey_responses.parquet'), known_until
    where responded_at >= known_until.text
)
select max(happened_at)::date + 1 as as_of, month_of(max(happened_at)::date) as last_month
from latest where is_event(happened_at);
set variable as_of = (select as_of from as_of);
set variable last_month = (select last_month from as_of);

create or replace temp table periods as
select
    period_type,
    months,
    period_index,
    start_of(months, period_index) as period_start,
    start_of(months, period_index + 1) as period_end,
    case when start_of(months, period_index + 1) <= getvariable('as_of') then 'complete' else 'partial' end as period_state,
    least(start_of(months, period_index + 1), getvariable('as_of')) as boundary_on
from (values ('month', 1), ('quarter', 3), ('year', 12)) as types(period_type, months),
    lateral (select unnest(range(1980 * 12 // months, getvariable('last_month') // months + 1))::integer as period_index);

-- @ purchases
-- Each qualifying order with its neighbours and where it stands in the life of its customer. The rows are in order
-- already, so that every window streams.
create or replace temp table purchases as
with neighbours as (
    select
        customer_and_second,
        month,
        net,
        margin,
        customer_of(customer_and_second) as customer_key,
        day_of(customer_and_second) as day,
        lag(customer_and_second) over () as previous,
        lead(customer_and_second) over () as next,
        lag(month) over () as previous_month,
        lead(month) over () as next_month
    from orders
    where net > 0
),
dated as (
    select
        * exclude (previous, next, previous_month, next_month),
        coalesce(previous >> 33 <> customer_key, true) as is_first,
        case when previous >> 33 = customer_key then day_of(previous) end as previous_day,
        case when next >> 33 = customer_key then day_of(next) end as next_day,
        coalesce(previous >> 33 <> customer_key or previous_month <> month, true) as is_month_start,
        coalesce(previous >> 33 <> customer_key or previous_month // 3 <> month // 3, true) as is_quarter_start,
        case when next >> 33 = customer_key then next_month else 32000 end as next_month
    from neighbours
),
-- What stands on the first row of a customer is the running maximum until the next customer begins.
numbered as (
    select
        *,
        max(case when is_first then customer_and_second end) over (rows unbounded preceding) as first,
        max(case when is_first then customer_key::bigint << 16 | month end) over (rows unbounded preceding) & 65535
            as first_month,
        sum(is_month_start::integer) over (rows unbounded preceding)::integer as month_number,
        sum(is_quarter_start::integer) over (rows unbounded preceding)::integer as quarter_number
    from dated
),
based as (
    select
        *,
        max(case when is_first then month_number end) over (rows unbounded preceding) as first_month_number,
        max(case when is_first then quarter_number end) over (rows unbounded preceding) as first_quarter_number
    from numbered
)
select
    customer_and_second,
    customer_key,
    net,
    margin,
    day,
    day_of(first) as first_day,
    previous_day,
    next_day,
    month,
    first_month::smallint as first_month,
    next_month <> month as is_month_end,
    next_month // 3 <> month // 3 as is_quarter_end,
    -- No period is missing since the first one, and the next one is.
    month > first_month and next_month > month + 1 and month - first_month = month_number - first_month_number
        as is_month_streak_end,
    month // 3 > first_month // 3 and next_month // 3 > month // 3 + 1
        and month // 3 - first_month // 3 = quarter_number - first_quarter_number as is_quarter_streak_end
from based;

-- @ refunds without an order
-- They, and orders refunded beyond their amount, only count in the historical value.
create or replace temp table overrefunded_orders as
select customer_of(customer_and_second) as customer_key, sum((net::double * margin::double)::decimal(38, 10)) as earned
from orders
where net < 0
group by 1;

create or replace temp table unmatched_refunds as
select
    accounts.customer_key,
    sum(((refunds.amount * rates_by_day.rate)::double
        * coalesce(refunds.margin, products.gross_margin_rate, 1)::double)::decimal(38, 10)) as earned
from refunds
inner join refunded_orders on refunds.refund_of_order_id = refunded_orders.order_id
inner join accounts on refunds.account_id = accounts.account_id and not accounts.is_test
inner join rates_by_day on refunds.currency = rates_by_day.currency and refunds.ordered_at::date = rates_by_day.day
left join products on refunds.product_id = products.product_id
where not exists (select 1 from orders where orders.refund_number = refunded_orders.refund_number)
group by accounts.customer_key;
drop table orders;

-- @ buyers
create or replace temp table buyers as
select
    customer_key,
    count(*) as orders,
    count(*) filter (previous_day is null or previous_day < day) - 1 as frequency,
    min(first_day) as first_day,
    max(day) as last_day,
    min(day) filter (day > first_day) as second_day,
    min(customer_and_second) as first_second,
    max(customer_and_second) as last_second,
    sum(net) filter (day > first_day) as repeat_net,
    sum((net::double * margin::double)::decimal(38, 10)) as earned
from purchases
group by customer_key;

-- @ inactivity window
create or replace temp table inactivity_window as
with gaps as (
    select day - previous_day as gap_days, count(*) as closed, 0 as open from purchases
    where previous_day < day
    group by gap_days
    union all
    select getvariable('as_of') - last_day, 0, count(*) from buyers group by all
),
calendar as (
    select unnest(range((select max(gap_days) + 1 from gaps))) as gap_days
),
at_risk as (
    select
        calendar.gap_days,
        coalesce(sum(gaps.closed), 0) as closed,
        sum(coalesce(sum(gaps.closed + gaps.open), 0)) over (order by calendar.gap_days desc) as at_risk
    from calendar left join gaps using (gap_days)
    group by calendar.gap_days
),
survival as (
    select
        gap_days,
        exp(sum(case when closed = at_risk then -100000.0 else ln(1.0 - closed / at_risk) end) over (order by gap_days))
            as survival,
        max(gap_days) over () as longest
    from at_risk
)
select coalesce(min(silent.gap_days), 180)::integer as inactivity_days
from survival as silent
inner join survival as later on silent.gap_days + 180 = later.gap_days
where silent.gap_days >= 30 and silent.survival > 0 and silent.gap_days + 180 <= silent.longest
    and 1 - later.survival / silent.survival <= 0.10 + 1e-9;
set variable inactivity_days = (select inactivity_days from inactivity_window);

-- @ purchase activity
-- Whether a customer is active after each month in which that changed: an order keeps it active for the window. Every
-- run adds one and takes it away, so that the sum over all customers is back at zero when the next customer begins;
-- a run that goes on ends after all months.
create or replace temp table purchase_changes as
with turns as (
    select
        customer_key,
        day,
        previous_day is null or day - previous_day > getvariable('inactivity_days') as is_start,
        next_day is null or next_day - day > getvariable('inactivity_days') as is_end,
        case
            when day + getvariable('inactivity_days') >= getvariable('as_of') then 999999
            else month_of(day + getvariable('inactivity_days'))
        end::integer as end_month
    from purchases
    where is_start or is_end
),
events as (
    select
        customer_key,
        unnest(case
            when is_start and is_end then [month_of(day), end_month]
            when is_start then [month_of(day)]
            else [end_month]
        end)::integer as month,
        unnest(case when is_start and is_end then [1, -1] when is_start then [1] else [-1] end)::tinyint as step
    from turns
),
running as (
    select
        customer_key,
        month,
        sum(step) over (rows unbounded preceding) > 0 as is_active,
        lead(customer_key) over () as next_customer_key,
        lead(month) over () as next_month
    from events
)
select customer_key, month, is_active
from running
where month <= getvariable('last_month') and (next_customer_key is distinct from customer_key or next_month <> month);

-- @ purchase cohort marks
create or replace temp table purchase_marks as
with compressed as (
    select
        customers.profile_id,
        purchases.first_month,
        purchases.month,
        sum(purchases.net) as revenue,
        count(*) filter (purchases.is_month_end) as in_month,
        count(*) filter (purchases.is_quarter_end) as in_quarter,
        count(*) filter (purchases.is_month_streak_end) as month_streaks,
        count(*) filter (purchases.is_quarter_streak_end) as quarter_streaks,
        count(*) filter (purchases.next_day is null) as last_ones,
        count(*) filter (purchases.previous_day is null) as members
    from purchases
    inner join customers on purchases.customer_key = customers.customer_key
    group by customers.profile_id, purchases.first_month, purchases.month
)
select
    value_id,
    first_month,
    month,
    sum(revenue) as revenue,
    sum(in_month)::bigint as in_month,
    sum(in_quarter)::bigint as in_quarter,
    sum(month_streaks)::bigint as month_streaks,
    sum(quarter_streaks)::bigint as quarter_streaks,
    sum(last_ones)::bigint as last_ones,
    sum(members)::bigint as members
from compressed
inner join profile_value_ids using (profile_id)
group by value_id, first_month, month;
drop table purchases;

-- @ contracts
create or replace temp table plans as
select plan, row_number() over (order by plan)::integer as plan_id
from (
    select distinct coalesce(plan, '(unknown)') as plan
    from read_parquet(getvariable('raw') || '/subscription_periods.parquet')
);

create or replace temp table contracts as
with delivered as (
    select
        subscription_id,
        account_id,
        try_cast(started_at as timestamp) as started_at,
        try_cast(ended_at as timestamp) as ended_at,
        try_cast(mrr as decimal(20, 4)) as mrr,
        coalesce(upper(currency), 'USD') as currency,
        coalesce(plan, '(unknown)') as plan,
        product_id
    from read_parquet(getvariable('raw') || '/subscription_periods.parquet')
),
corrected as (
    select * replace (
        least(ended_at, lead(started_at) over (partition by subscription_id order by started_at)) as ended_at
    )
    from delivered
    where started_at is not null and mrr is not null and not coalesce(ended_at < started_at, false)
)
select
    accounts.customer_key,
    corrected.started_at,
    corrected.started_at::date as started_on,
    case
        when corrected.ended_at::date < getvariable('as_of') then corrected.ended_at::date
        else date '9999-01-01'
    end as ended_on,
    corrected.mrr * rates_by_day.rate as mrr,
    coalesce(products.gross_margin_rate, 1) as margin,
    plans.plan_id,
    corrected.subscription_id
from corrected
inner join accounts on corrected.account_id = accounts.account_id and not accounts.is_test
inner join rates_by_day on corrected.currency = rates_by_day.currency and corrected.started_at::date = rates_by_day.day
inner join plans on corrected.plan = plans.plan
left join products on corrected.product_id = products.product_id
where corrected.started_at < getvariable('as_of')
order by customer_key, started_at, subscription_id;

create or replace temp table contract_customers as
with placed as (
    select
        *,
        lag(customer_key) over () is distinct from customer_key as is_first,
        least(ended_on, getvariable('as_of')) as earned_until
    from contracts
)
select
    placed.customer_key,
    customers.profile_id,
    min(started_on) as first_day,
    month_of(min(started_on))::integer as first_month,
    month_of(min(started_on) filter (mrr > 0))::integer as first_paid_month,
    max(plan_id) filter (is_first) as first_plan_id,
    -- Each day earns its share of the calendar month.
    sum((mrr::double * (margin::double * (
        month_of(earned_until) - month_of(started_on)
        + (day(earned_until) - 1) / day(last_day(earned_until))::double
        - (day(started_on) - 1) / day(last_day(started_on))::double
    )))::decimal(38, 10)) as earned
from placed
inner join customers on placed.customer_key = customers.customer_key
group by placed.customer_key, customers.profile_id;

-- @ contract changes
-- Contracts in force, monthly revenue and plan after each month in which any of them changed, as above.
create or replace temp table contract_steps as
with events as (
    select customer_key, month_of(started_on)::integer as month, 1 as step, mrr, plan_id from contracts
    union all
    select customer_key, month_of(ended_on)::integer, -1, -mrr, -plan_id from contracts
)
select
    customer_key,
    month,
    sum(step)::integer as step,
    sum(mrr)::decimal(38, 14) as mrr,
    sum(plan_id)::integer as plan_step
from events
group by customer_key, month
order by customer_key, month;

create or replace temp table contract_changes as
with running as (
    select
        customer_key,
        month,
        sum(step) over (rows unbounded preceding)::integer as contracts,
        sum(mrr) over (rows unbounded preceding)::decimal(38, 14) as mrr,
        sum(plan_step) over (rows unbounded preceding)::integer as plan_id
    from contract_steps
),
-- Two contracts at once: the plan of the one that started last (ties: the lowest subscription).
doubled as (
    select
        running.customer_key,
        running.month,
        arg_min(contracts.plan_id, (date '9999-01-01' - contracts.started_on, contracts.subscription_id)) as plan_id
    from running
    inner join contracts
        on running.customer_key = contracts.customer_key
        and month_of(contracts.started_on) <= running.month
        and month_of(contracts.ended_on) > running.month
    where running.contracts > 1
    group by running.customer_key, running.month
)
select
    running.customer_key,
    running.month,
    running.contracts > 0 as is_active,
    running.mrr,
    case when running.contracts > 1 then doubled.plan_id when running.contracts = 1 then running.plan_id end as plan_id
from running
left join doubled on running.customer_key = doubled.customer_key and running.month = doubled.month
where running.month <= getvariable('last_month')
order by running.customer_key, running.month;

-- @ movements
-- Before and after each month, quarter and year in which something changed.
create or replace temp macro purchase_movements_by(number_of_months) as table (
    with placed as (
        select
            *,
            lead(customer_key) over () as next_customer_key,
            lead(month) over () // number_of_months as next_period_index
        from purchase_changes
    ),
    ends as (
        select customer_key, month // number_of_months as period_index, is_active
        from placed
        where next_customer_key is distinct from customer_key or next_period_index <> month // number_of_months
    )
    select
        number_of_months as months,
        customer_key,
        period_index,
        coalesce(lag(is_active) over () and lag(customer_key) over () = customer_key, false) as was_active,
        is_active
    from ends
);
create or replace temp macro contract_movements_by(number_of_months) as table (
    with placed as (
        select
            *,
            lead(customer_key) over () as next_customer_key,
            lead(month) over () // number_of_months as next_period_index
        from contract_changes
    ),
    ends as (
        select customer_key, month // number_of_months as period_index, is_active, mrr, plan_id
        from placed
        where next_customer_key is distinct from customer_key or next_period_index <> month // number_of_months
    )
    select
        number_of_months as months,
        customer_key,
        period_index,
        coalesce(lag(is_active) over () and lag(customer_key) over () = customer_key, false) as was_active,
        is_active,
        case when lag(customer_key) over () = customer_key then lag(mrr) over () else 0 end as mrr_before,
        mrr as mrr_after,
        case when lag(customer_key) over () = customer_key then lag(plan_id) over () end as plan_before,
        plan_id as plan_after
    from ends
);
create or replace temp table purchase_movements as
select
    movements.*,
    customers.profile_id,
    month_of(buyers.first_day) // movements.months as first_index
from (
    from purchase_movements_by(1) union all from purchase_movements_by(3) union all from purchase_movements_by(12)
) as movements
inner join buyers on movements.customer_key = buyers.customer_key
inner join customers on movements.customer_key = customers.customer_key;

create or replace temp table contract_movements as
select
    movements.*,
    contract_customers.profile_id,
    contract_customers.first_month // movements.months as first_index,
    contract_customers.first_plan_id,
    case
        when mrr_before <= 0 and mrr_after > 0 and contract_customers.first_paid_month // movements.months = period_index
            then 'new'
        when mrr_before <= 0 and mrr_after > 0 then 'reactivation'
        when mrr_before > 0 and mrr_after <= 0 then 'churned'
        when mrr_after > mrr_before then 'expansion'
        when mrr_after < mrr_before then 'contraction'
    end as revenue_movement
from (
    from contract_movements_by(1) union all from contract_movements_by(3) union all from contract_movements_by(12)
) as movements
inner join contract_customers on movements.customer_key = contract_customers.customer_key;

-- @ retention cells
create or replace temp table retention_cells as
with compressed as (
    select
        'purchase' as basis, months, period_index, profile_id,
        count(*) filter (is_active and not was_active and first_index = period_index) as new_customers,
        count(*) filter (is_active and not was_active and first_index < period_index) as reactivated_customers,
        count(*) filter (was_active and not is_active) as churned_customers,
        count(*) filter (not is_active and first_index = period_index) as flash_customers,
        0::decimal(38, 14) as new_mrr, 0::decimal(38, 14) as reactivation_mrr, 0::decimal(38, 14) as expansion_mrr,
        0::decimal(38, 14) as contraction_mrr, 0::decimal(38, 14) as churned_mrr
    from purchase_movements
    group by months, period_index, profile_id
    union all
    select
        'contract', months, period_index, profile_id,
        count(*) filter (is_active and not was_active and first_index = period_index),
        count(*) filter (is_active and not was_active and first_index < period_index),
        count(*) filter (was_active and not is_active),
        count(*) filter (not is_active and first_index = period_index),
        coalesce(sum(mrr_after - mrr_before) filter (revenue_movement = 'new'), 0),
        coalesce(sum(mrr_after - mrr_before) filter (revenue_movement = 'reactivation'), 0),
        coalesce(sum(mrr_after - mrr_before) filter (revenue_movement = 'expansion'), 0),
        coalesce(sum(mrr_before - mrr_after) filter (revenue_movement = 'contraction'), 0),
        coalesce(sum(mrr_before - mrr_after) filter (revenue_movement = 'churned'), 0)
    from contract_movements
    group by months, period_index, profile_id
),
by_plan as (
    -- Movements belong to the plan in force before, else to the first; the numbers at the start move with the plan.
    select
        months, period_index, coalesce(plan_before, first_plan_id) as plan_id,
        count(*) filter (is_active and not was_active and first_index = period_index) as new_customers,
        count(*) filter (is_active and not was_active and first_index < period_index) as reactivated_customers,
        count(*) filter (was_active and not is_active) as churned_customers,
        count(*) filter (not is_active and first_index = period_index) as flash_customers,
        sum(case when plan_before is not null then -1 else 0 end) as customers_change,
        sum(-mrr_before) as mrr_change,
        coalesce(sum(mrr_after - mrr_before) filter (revenue_movement = 'new'), 0) as new_mrr,
        coalesce(sum(mrr_after - mrr_before) filter (revenue_movement = 'reactivation'), 0) as reactivation_mrr,
        coalesce(sum(mrr_after - mrr_before) filter (revenue_movement = 'expansion'), 0) as expansion_mrr,
        coalesce(sum(mrr_before - mrr_after) filter (revenue_movement = 'contraction'), 0) as contraction_mrr,
        coalesce(sum(mrr_before - mrr_after) filter (revenue_movement = 'churned'), 0) as churned_mrr
    from contract_movements
    group by months, period_index, coalesce(plan_before, first_plan_id)
    union all
    select months, period_index, plan_after, 0, 0, 0, 0, count(*), sum(mrr_after), 0, 0, 0, 0, 0
    from contract_movements
    where plan_after is not null
    group by months, period_index, plan_after
)
select
    basis, months, period_index, dimension, dimension_value,
    sum(new_customers) as new_customers, sum(reactivated_customers) as reactivated_customers,
    sum(churned_customers) as churned_customers, sum(flash_customers) as flash_customers,
    sum(new_customers + reactivated_customers - churned_customers) as customers_change,
    sum(new_mrr) as new_mrr, sum(reactivation_mrr) as reactivation_mrr, sum(expansion_mrr) as expansion_mrr,
    sum(contraction_mrr) as contraction_mrr, sum(churned_mrr) as churned_mrr,
    sum(new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr) as mrr_change
from compressed
inner join profile_value_ids using (profile_id)
inner join dimension_values using (value_id)
group by basis, months, period_index, dimension, dimension_value
union all
select
    'contract', months, period_index, 'plan', plan, sum(new_customers), sum(reactivated_customers),
    sum(churned_customers), sum(flash_customers), sum(customers_change), sum(new_mrr), sum(reactivation_mrr),
    sum(expansion_mrr), sum(contraction_mrr), sum(churned_mrr), sum(mrr_change)
from by_plan
inner join plans using (plan_id)
group by months, period_index, plan;

create or replace temp table retention_series as
with first_starts as (
    select 'purchase' as basis, min(first_day) as first_day from buyers
    union all
    select 'contract', min(first_day) from contract_customers
),
series as (
    select distinct basis, dimension, dimension_value from retention_cells
),
spine as (
    select
        series.*, periods.period_type, periods.months, periods.period_index, periods.period_start, periods.period_end,
        periods.period_state
    from series
    inner join first_starts using (basis)
    inner join periods on first_starts.first_day < periods.period_end
)
select
    spine.*,
    coalesce(new_customers, 0) as new_customers, coalesce(reactivated_customers, 0) as reactivated_customers,
    coalesce(churned_customers, 0) as churned_customers, coalesce(flash_customers, 0) as flash_customers,
    coalesce(sum(customers_change) over earlier, 0) as customers_at_start,
    coalesce(new_mrr, 0) as new_mrr, coalesce(reactivation_mrr, 0) as reactivation_mrr,
    coalesce(expansion_mrr, 0) as expansion_mrr, coalesce(contraction_mrr, 0) as contraction_mrr,
    coalesce(churned_mrr, 0) as churned_mrr,
    coalesce(sum(mrr_change) over earlier, 0) as mrr_at_start
from spine
left join retention_cells using (basis, dimension, dimension_value, months, period_index)
window earlier as (
    partition by basis, dimension, dimension_value, months order by period_index
    rows between unbounded preceding and 1 preceding
);
drop table purchase_movements;

-- @ mart retention_rate
create or replace table marts.retention_rate as
select
    basis, period_type, period_start, dimension, dimension_value, period_end, period_state,
    customers_at_start::bigint as customers_at_start,
    (customers_at_start - churned_customers + new_customers + reactivated_customers)::bigint as customers_at_end,
    new_customers::bigint as new_customers,
    (customers_at_start - churned_customers)::bigint as retained_customers,
    reactivated_customers::bigint as reactivated_customers,
    churned_customers::bigint as churned_customers,
    flash_customers::bigint as flash_customers,
    ratio(customers_at_start - churned_customers, customers_at_start) as retention_rate,
    ratio(customers_at_start - churned_customers + reactivated_customers, customers_at_start) as textbook_retention_rate,
    ratio(churned_customers, customers_at_start) as churn_rate
from retention_series;

-- @ mart revenue_retention
create or replace table marts.revenue_retention as
select
    period_type, period_start, dimension, dimension_value, period_end, period_state,
    mrr_at_start::decimal(38, 14) as mrr_at_start, new_mrr::decimal(38, 14) as new_mrr,
    reactivation_mrr::decimal(38, 14) as reactivation_mrr, expansion_mrr::decimal(38, 14) as expansion_mrr,
    contraction_mrr::decimal(38, 14) as contraction_mrr, churned_mrr::decimal(38, 14) as churned_mrr,
    (mrr_at_start + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr)::decimal(38, 14)
        as mrr_at_end,
    ratio(mrr_at_start - contraction_mrr - churned_mrr, mrr_at_start) as gross_revenue_retention,
    ratio(mrr_at_start + expansion_mrr - contraction_mrr - churned_mrr, mrr_at_start) as net_revenue_retention,
    ratio(new_mrr + reactivation_mrr + expansion_mrr, contraction_mrr + churned_mrr) as quick_ratio
from retention_series
where basis = 'contract';

-- @ contract cohort marks
create or replace temp table contract_marks as
with members as (
    select
        months,
        customer_key,
        any_value(profile_id) as profile_id,
        any_value(first_plan_id) as plan_id,
        any_value(first_index) as first_index,
        min(period_index - first_index) filter (is_active and not was_active) as first_on,
        min(period_index - 1 - first_index) filter (was_active and not is_active) as first_off,
        max(period_index - 1 - first_index) filter (was_active and not is_active) as last_off,
        sum(is_active::integer - was_active::integer) = 1 as is_still_active
    from contract_movements
    where months < 12
    group by months, customer_key
),
reached as (
    select
        *,
        case when is_still_active then getvariable('last_month') // months - first_index else last_off end as last_on,
        case when first_on <= 1 then coalesce(first_off, getvariable('last_month') // months - first_index) end
            as streak_end
    from members
),
marks as (
    select
        months, first_index, 0 as elapsed, profile_id, plan_id, count(*) as members, 0 as change, 0 as last_ones,
        0 as streaks, 0::decimal(38, 14) as revenue_change
    from members group by all
    union all
    select months, first_index, last_on, profile_id, plan_id, 0, 0, count(*), 0, 0
    from reached where last_on is not null group by all
    union all
    select months, first_index, streak_end, profile_id, plan_id, 0, 0, 0, count(*), 0
    from reached where streak_end >= 1 group by all
    union all
    select
        months, first_index, period_index - first_index, profile_id, first_plan_id, 0,
        sum(is_active::integer - was_active::integer), 0, 0, sum(mrr_after - mrr_before)
    from contract_movements where months < 12 group by all
),
summed as (
    select
        months, first_index, elapsed, value_id, sum(members) as members, sum(change) as change,
        sum(last_ones) as last_ones, sum(streaks) as streaks, sum(revenue_change) as revenue_change
    from marks
    inner join profile_value_ids using (profile_id)
    group by all
)
select dimension, dimension_value, summed.* exclude (value_id)
from summed inner join dimension_values using (value_id)
union all
select
    'plan', plan, months, first_index, elapsed, sum(members), sum(change), sum(last_ones), sum(streaks),
    sum(revenue_change)
from marks inner join plans using (plan_id)
group by all;
drop table contract_movements;

-- @ mart churn_cohorts
create or replace table marts.churn_cohorts as
with marks as (
    select
        'contract' as basis, months, first_index, elapsed, dimension, dimension_value, members, 0 as retained, change,
        last_ones, streaks, 0::decimal(38, 14) as revenue, revenue_change
    from contract_marks
    union all
    select
        'purchase', 1, first_month, month - first_month, dimension, dimension_value, members, in_month, 0, last_ones,
        month_streaks, revenue, 0
    from purchase_marks inner join dimension_values using (value_id)
    union all
    select
        'purchase', 3, first_month // 3, month // 3 - first_month // 3, dimension, dimension_value, sum(members),
        sum(in_quarter), 0, sum(last_ones), sum(quarter_streaks), sum(revenue), 0
    from purchase_marks inner join dimension_values using (value_id)
    group by all
),
cohorts as (
    select basis, months, first_index, dimension, dimension_value, sum(members) as cohort_size
    from marks group by all having sum(members) > 0
),
cells as (
    select cohorts.*, period_type, period_state, period_index - first_index as elapsed
    from cohorts
    inner join periods using (months)
    where period_index >= first_index
),
counted as (
    select
        cells.*,
        coalesce(retained, 0) + sum(coalesce(change, 0)) over until_then as retained_customers,
        coalesce(revenue, 0) + sum(coalesce(revenue_change, 0)) over until_then as revenue,
        sum(coalesce(last_ones, 0)) over from_then as retained_on_or_after,
        sum(coalesce(streaks, 0)) over from_then as in_streak
    from cells
    left join (
        select
            basis, months, first_index, elapsed, dimension, dimension_value, sum(retained) as retained,
            sum(change) as change, sum(last_ones) as last_ones, sum(streaks) as streaks, sum(revenue) as revenue,
            sum(revenue_change) as revenue_change
        from marks group by all
    ) as summed using (basis, months, first_index, dimension, dimension_value, elapsed)
    window
        until_then as (
            partition by basis, months, first_index, dimension, dimension_value order by elapsed
            rows between unbounded preceding and current row
        ),
        from_then as (
            partition by basis, months, first_index, dimension, dimension_value order by elapsed
            rows between current row and unbounded following
        )
)
select
    basis, period_type as cohort_type, start_of(months, first_index) as cohort_start,
    elapsed::integer as periods_since_start, dimension, dimension_value, period_state as cell_state,
    cohort_size::bigint as cohort_size, retained_customers::bigint as retained_customers,
    retained_on_or_after::bigint as retained_on_or_after,
    (case when elapsed = 0 then cohort_size else in_streak end)::bigint as retained_streak,
    ratio(retained_customers, cohort_size) as retention_rate,
    revenue::decimal(38, 14) as revenue
from counted;

-- @ mart customer_lifetime_value
create or replace table marts.customer_lifetime_value as
select
    customers.account_id,
    profiles.segment,
    profiles.country,
    buyers.orders,
    buyers.frequency,
    (buyers.last_day - buyers.first_day)::double / 7 as recency_weeks,
    (getvariable('as_of') - buyers.first_day)::double / 7 as age_weeks,
    ratio(buyers.repeat_net, buyers.frequency) as mean_order_value,
    (coalesce(buyers.earned, 0) + coalesce(overrefunded_orders.earned, 0)
        + coalesce(unmatched_refunds.earned, 0) + coalesce(contract_customers.earned, 0))
        ::decimal(38, 10) as historical_value,
    second_of(buyers.first_second) as first_order_at,
    second_of(buyers.last_second) as last_order_at
from customers
left join (
    select profile_id, any_value(segment) as segment, any_value(country) as country from raw_accounts group by profile_id
    union all select 0, '(unknown)', '(unknown)'
) as profiles using (profile_id)
left join buyers using (customer_key)
left join overrefunded_orders using (customer_key)
left join unmatched_refunds using (customer_key)
left join contract_customers using (customer_key);

-- @ mart repeat_purchase_rate
create or replace table marts.repeat_purchase_rate as
with compressed as (
    select
        profile_id,
        horizon_days,
        month_of(first_day) as cohort_month,
        count(*) as customers,
        count(*) filter (second_day < first_day + horizon_days) as repeaters
    from buyers
    inner join customers using (customer_key)
    cross join (values (30), (90), (180), (365)) as horizons(horizon_days)
    where first_day + horizon_days <= getvariable('as_of')
    group by all
)
select
    horizon_days,
    start_of(1, cohort_month) as cohort_start,
    dimension,
    dimension_value,
    sum(customers)::bigint as customers,
    sum(repeaters)::bigint as repeaters,
    ratio(sum(repeaters), sum(customers)) as repeat_purchase_rate
from compressed
inner join profile_value_ids using (profile_id)
inner join dimension_values using (value_id)
group by horizon_days, cohort_month, dimension, dimension_value;

-- @ deals wide
-- One wide row per deal: when it first entered each open stage, and how many seconds it stayed there.
create or replace temp table deal_values as
select dimension, dimension_value, row_number() over (order by dimension <> 'all')::integer - 1 as value_id
from (
    select 'all' as dimension, 'all' as dimension_value
    union select 'owner_team', owner_team from deals
    union select 'owner_region', owner_region from deals
    union select 'lead_source', lead_source from deals
    union select 'deal_type', deal_type from deals
);

create or replace temp table stays as
with placed as (
    select
        *,
        case when lead(deal_key) over () = deal_key then lead(entered_at) over () end as next_entered_at
    from entries
    where entered_at < getvariable('as_of')
),
-- A deal without history entered the first open stage when it was created, and the open stage that it is in.
implied as (
    select deal_key, created_at, stage_number from deals
    where created_at < getvariable('as_of') and deal_key not in (select deal_key from entries)
),
ways as (
    select deal_key, entered_at, stage_number, is_won, is_lost, next_entered_at from placed
    union all
    select deal_key, created_at, 1, false, false, case when stage_number > 1 then created_at end from implied
    union all
    select deal_key, created_at, stage_number, false, false, null from implied where stage_number > 1
),
-- The seconds of the last visit are completed below, when its end is known.
visits as (
    select
        *,
        next_entered_at is null as is_last,
        coalesce(epoch_ms(next_entered_at) // 1000, 0) - epoch_ms(entered_at) // 1000 as seconds
    from ways
)
select
    deal_key,
    min(entered_at) as first_entered_at,
    max(stage_number) as highest,
    arg_max(stage_number, entered_at) filter (is_last) as standing,
    min(entered_at) filter (stage_number = 1) as entered_1,
    min(entered_at) filter (stage_number = 2) as entered_2,
    min(entered_at) filter (stage_number = 3) as entered_3,
    min(entered_at) filter (stage_number = 4) as entered_4,
    min(entered_at) filter (stage_number = 5) as entered_5,
    min(entered_at) filter (stage_number = 6) as entered_6,
    sum(seconds) filter (stage_number = 1) as seconds_1,
    sum(seconds) filter (stage_number = 2) as seconds_2,
    sum(seconds) filter (stage_number = 3) as seconds_3,
    sum(seconds) filter (stage_number = 4) as seconds_4,
    sum(seconds) filter (stage_number = 5) as seconds_5,
    sum(seconds) filter (stage_number = 6) as seconds_6
from visits
group by deal_key;

create or replace temp table deal_stages as
with outcomes as (
    select
        deals.deal_key,
        deals.pipeline_number,
        deals.open_stages,
        coalesce(outcome_entries.amount, deals.amount) as amount,
        team.value_id as team_id,
        region.value_id as region_id,
        source.value_id as source_id,
        kind.value_id as type_id,
        case
            when deals.is_won and coalesce(deals.closed_at, outcome_entries.entered_at) < getvariable('as_of') then 'won'
            when deals.is_lost and coalesce(deals.closed_at, outcome_entries.entered_at) < getvariable('as_of') then 'lost'
            else 'open'
        end as outcome,
        case when deals.is_won or deals.is_lost then coalesce(deals.closed_at, outcome_entries.entered_at) end as closed_at,
        stays.* exclude (deal_key)
    from stays
    inner join deals using (deal_key)
    left join outcome_entries using (deal_key)
    inner join deal_values as team on team.dimension = 'owner_team' and team.dimension_value = deals.owner_team
    inner join deal_values as region
        on region.dimension = 'owner_region' and region.dimension_value = deals.owner_region
    inner join deal_values as source on source.dimension = 'lead_source' and source.dimension_value = deals.lead_source
    inner join deal_values as kind on kind.dimension = 'deal_type' and kind.dimension_value = deals.deal_type
),
later as (
    select
        *,
        entered_6 as later_5,
        least(entered_5, later_5) as later_4,
        least(entered_4, later_4) as later_3,
        least(entered_3, later_3) as later_2,
        least(entered_2, later_2) as later_1
    from outcomes
),
long as (
    select
        deal_key, pipeline_number, open_stages, amount, team_id, region_id, source_id, type_id, outcome,
        case when outcome <> 'open' then closed_at end as closed_at,
        highest, standing,
        coalesce(entered_1, later_1, closed_at) as cohort_at,
        unnest([1, 2, 3, 4, 5, 6]) as stage_number,
        unnest([entered_1, entered_2, entered_3, entered_4, entered_5, entered_6]) as entered_at,
        unnest([later_1, later_2, later_3, later_4, later_5, null]) as later_at,
        unnest([seconds_1, seconds_2, seconds_3, seconds_4, seconds_5, seconds_6]) as seconds
    from later
)
select
    deal_key, pipeline_number, stage_number, team_id, region_id, source_id, type_id, outcome, amount, closed_at::date as closed_on,
    month_of(entered_at::date)::integer as entered_month,
    month_of(coalesce(entered_at, later_at, closed_at)::date)::integer as reached_month,
    month_of(cohort_at::date)::integer as cohort_month,
    entered_at is not null as is_entered,
    case when entered_at is null then null when highest > stage_number or outcome = 'won' then 'advanced' else outcome end
        as stage_outcome,
    coalesce(standing = stage_number and outcome = 'open', false) as is_standing,
    -- The last visit ends with the deal; while the deal stands there, it goes on until as_of.
    greatest(0, seconds + case when standing = stage_number
        then epoch_ms(coalesce(closed_at, getvariable('as_of')::timestamp)) // 1000 else 0 end)::integer as seconds
from long
where entered_at is not null or (stage_number <= open_stages and (stage_number < highest or outcome = 'won'));
drop table entries;

-- @ days in stage
-- Kaplan-Meier percentiles without a survival column. At rank r of n stays the estimate is (n - r) / n, times
-- n_c / (n_c - 1) for each censored stay before r with n_c still there; so the ranks of the censored stays say which
-- rank is the first at or below a half and a tenth, and only that stay is looked up. Sorting one integer per stay and
-- group is all the work.
create or replace temp macro packed_stays(number_of_months) as table (
    with grouped as (
        select
            ((pipeline_number::bigint << 3 | stage_number) << 12
                | (entered_month // number_of_months - 1980 * 12 // number_of_months)) << 12 as stage_and_period,
            [0, team_id, region_id, source_id, type_id] as value_ids,
            seconds::bigint << 1 | is_standing::integer as stay
        from deal_stages
        where is_entered
    )
    select (stage_and_period | unnest(value_ids)) << 33 | stay as stay from grouped
);
create or replace temp table sorted_stays as select stay from packed_stays(1) order by stay;
create or replace temp macro stay_percentiles_of(number_of_months) as table (
    with groups as (
        select
            stay >> 33 as group_id,
            count(*) as stays,
            (sum(count(*)) over (order by stay >> 33) - count(*))::bigint as stays_before
        from sorted_stays
        group by stay >> 33
    ),
    -- A row id is a position: the table was written in this order.
    censored as (
        select
            groups.group_id, groups.stays, groups.stays_before, sorted_stays.rowid + 1 - groups.stays_before as rank
        from sorted_stays
        inner join groups on sorted_stays.stay >> 33 = groups.group_id
        where sorted_stays.stay & 1 = 1
    ),
    -- From each censored stay to the next one the estimate falls evenly.
    steps as (
        select
            group_id, stays, stays_before, rank,
            lead(rank, 1, stays + 1) over censored_before as next_rank,
            exp(sum(case when rank < stays then ln((stays - rank + 1) / (stays - rank)) else 0 end) over censored_before)
                as factor
        from censored
        window censored_before as (partition by group_id order by rank)
        union all
        select groups.group_id, groups.stays, groups.stays_before, 0, coalesce(min(censored.rank), groups.stays + 1), 1
        from groups
        left join censored on groups.group_id = censored.group_id
        group by groups.group_id, groups.stays, groups.stays_before
    ),
    found as (
        select
            group_id, stays_before, share,
            min(greatest(rank + 1, ceil(stays * (1 - (share + 1e-9) / factor)))) filter (
                greatest(rank + 1, ceil(stays * (1 - (share + 1e-9) / factor))) < next_rank
            ) as rank
        from steps
        cross join (values (0.5), (0.1)) as shares(share)
        group by group_id, stays_before, share
    )
    select
        (found.group_id >> 27)::integer as pipeline_number,
        (found.group_id >> 24 & 7)::integer as stage_number,
        number_of_months as months,
        (found.group_id >> 12 & 4095)::integer as period_offset,
        (found.group_id & 4095)::integer as value_id,
        max((sorted_stays.stay & 8589934591) >> 1) filter (share = 0.5) / 86400.0 as median_days_in_stage,
        max((sorted_stays.stay & 8589934591) >> 1) filter (share = 0.1) / 86400.0 as p90_days_in_stage
    from found
    inner join sorted_stays on found.stays_before + found.rank - 1 = sorted_stays.rowid
    group by found.group_id
);
create or replace temp table stay_percentiles as from stay_percentiles_of(1);
create or replace temp table sorted_stays as select stay from packed_stays(3) order by stay;
insert into stay_percentiles from stay_percentiles_of(3);
create or replace temp table sorted_stays as select stay from packed_stays(12) order by stay;
insert into stay_percentiles from stay_percentiles_of(12);
drop table sorted_stays;

-- @ funnel cells
create or replace temp table funnel_cells as
with counted as (
    select
        pipeline_number, stage_number, entered_month as month, team_id, region_id, source_id, type_id,
        count(*) as entered,
        count(*) filter (stage_outcome = 'advanced') as advanced,
        count(*) filter (stage_outcome = 'lost') as lost,
        count(*) filter (stage_outcome = 'open') as undecided,
        0 as reached,
        0 as cohort_reached
    from deal_stages
    where is_entered
    group by all
    union all
    select
        pipeline_number, stage_number, reached_month, team_id, region_id, source_id, type_id, 0, 0, 0, 0, count(*), 0
    from deal_stages
    group by all
    union all
    select
        pipeline_number, stage_number, cohort_month, team_id, region_id, source_id, type_id, 0, 0, 0, 0, 0, count(*)
    from deal_stages
    where cohort_month is not null
    group by all
),
by_value as (
    select
        pipeline_number, stage_number, month,
        unnest([0, team_id, region_id, source_id, type_id]) as value_id,
        entered, advanced, lost, undecided, reached, cohort_reached
    from counted
),
monthly as (
    select
        pipeline_number, stage_number, month, value_id,
        sum(entered) as entered, sum(advanced) as advanced, sum(lost) as lost, sum(undecided) as undecided,
        sum(reached) as reached, sum(cohort_reached) as cohort_reached
    from by_value
    group by all
)
select
    pipeline_number, stage_number, months, month // months as period_index, value_id,
    sum(entered) as entered, sum(advanced) as advanced, sum(lost) as lost, sum(undecided) as undecided,
    sum(reached) as reached, sum(cohort_reached) as cohort_reached
from monthly
cross join (values (1), (3), (12)) as types(months)
group by all;

-- @ funnel values
-- Closed deals by stage reached and half month, cut where the twelve months before as_of begin.
create or replace temp table closed_halves as
with counted as (
    select
        pipeline_number, stage_number,
        date_trunc('month', closed_on)::date
        + (case when day(closed_on) >= day(getvariable('as_of')) then day(getvariable('as_of')) - 1 else 0 end)::integer
            as closed_from,
        team_id, region_id, source_id, type_id,
        count(*) filter (outcome = 'won') as won,
        count(*) as decided,
        sum(amount) filter (outcome = 'won') as won_amount,
        count(amount) filter (outcome = 'won') as won_amounts
    from deal_stages
    where closed_on is not null
    group by all
),
by_value as (
    select * exclude (team_id, region_id, source_id, type_id),
        unnest([0, team_id, region_id, source_id, type_id]) as value_id
    from counted
)
select
    pipeline_number, stage_number, closed_from::date as closed_from, value_id, sum(won) as won, sum(decided) as decided,
    sum(won_amount) as won_amount, sum(won_amounts) as won_amounts
from by_value
group by all;

create or replace temp table trailing_years as
select
    pipeline_number, stage_number, value_id, months, period_index,
    ratio(sum(won), sum(decided)) as win_share,
    ratio(sum(won_amount), sum(won_amounts)) as mean_won_amount
from closed_halves
inner join periods on closed_from < boundary_on and closed_from >= (boundary_on - interval 12 months)::date
group by all;
drop table deal_stages;

-- @ mart funnel_conversion
create or replace table marts.funnel_conversion as
with pipelines as (
    select
        deals.pipeline_number,
        min(least(deals.created_at, stays.first_entered_at))::date as began_on
    from deals
    left join stays using (deal_key)
    group by deals.pipeline_number
),
values_of_pipelines as (
    select distinct pipeline_number, value_id from funnel_cells
),
spine as (
    select
        stages.pipeline_number, stages.pipeline, stages.stage, stages.stage_order, stages.stage_number, stages.open_stages,
        deal_values.value_id, dimension, dimension_value, periods.*
    from pipelines
    inner join periods on pipelines.began_on < periods.period_end
    inner join stages on pipelines.pipeline_number = stages.pipeline_number and stages.is_open
    inner join values_of_pipelines on pipelines.pipeline_number = values_of_pipelines.pipeline_number
    inner join deal_values on values_of_pipelines.value_id = deal_values.value_id
),
counted as (
    select
        spine.*,
        coalesce(cells.entered, 0) as entered,
        coalesce(cells.advanced, 0) as advanced,
        coalesce(cells.lost, 0) as lost,
        coalesce(cells.undecided, 0) as undecided,
        coalesce(cells.reached, 0) as reached,
        coalesce(cells.cohort_reached, 0) as cohort_reached,
        coalesce(first_cells.cohort_reached, 0) as first_stage_cohort,
        stay_percentiles.median_days_in_stage,
        stay_percentiles.p90_days_in_stage,
        coalesce(cells.lost, 0) * case when spine.stage_number = open_stages then 1 else trailing_years.win_share end
            * trailing_years.mean_won_amount as value_lost
    from spine
    left join funnel_cells as cells using (pipeline_number, stage_number, months, period_index, value_id)
    left join funnel_cells as first_cells
        on spine.pipeline_number = first_cells.pipeline_number and first_cells.stage_number = 1
        and spine.months = first_cells.months and spine.period_index = first_cells.period_index
        and spine.value_id = first_cells.value_id
    left join stay_percentiles
        on spine.pipeline_number = stay_percentiles.pipeline_number
        and spine.stage_number = stay_percentiles.stage_number and spine.months = stay_percentiles.months
        and spine.period_index - 1980 * 12 // spine.months = stay_percentiles.period_offset
        and spine.value_id = stay_percentiles.value_id
    left join trailing_years
        on spine.pipeline_number = trailing_years.pipeline_number
        and least(spine.stage_number + 1, spine.open_stages) = trailing_years.stage_number
        and spine.months = trailing_years.months and spine.period_index = trailing_years.period_index
        and spine.value_id = trailing_years.value_id
),
ranked as (
    select
        *,
        advanced + lost as decided,
        ratio(advanced, advanced + lost) as conversion_rate,
        advanced + lost >= 30 and coalesce(value_lost, 0) > 0 as is_candidate,
        row_number() over (
            partition by pipeline_number, months, period_index, value_id, advanced + lost >= 30 and coalesce(value_lost, 0) > 0
            order by value_lost desc nulls last, stage_number
        ) as candidate_rank
    from counted
)
select
    pipeline, period_type, period_start, stage, dimension, dimension_value, period_state, stage_order,
    entered::bigint as entered, advanced::bigint as advanced, lost::bigint as lost, undecided::bigint as open,
    conversion_rate,
    (conversion_rate + 1.959964 ** 2 / (2 * decided) - 1.959964 * sqrt(
        conversion_rate * (1 - conversion_rate) / decided + 1.959964 ** 2 / (4.0 * decided * decided)
    )) / (1 + 1.959964 ** 2 / decided) as ci_low,
    (conversion_rate + 1.959964 ** 2 / (2 * decided) + 1.959964 * sqrt(
        conversion_rate * (1 - conversion_rate) / decided + 1.959964 ** 2 / (4.0 * decided * decided)
    )) / (1 + 1.959964 ** 2 / decided) as ci_high,
    1 - conversion_rate as drop_off_rate, reached::bigint as reached, first_stage_cohort::bigint as first_stage_cohort,
    cohort_reached::bigint as first_stage_cohort_reached,
    ratio(cohort_reached, first_stage_cohort) as overall_conversion_rate,
    median_days_in_stage, p90_days_in_stage, value_lost,
    is_candidate and candidate_rank = 1 as is_bottleneck,
    period_end + 90 <= getvariable('as_of') as is_mature,
    period_end
from ranked;

-- @ survey answers
create or replace temp table surveys as
select
    survey_id, survey_type, coalesce(scale_min, '0') || '-' || coalesce(scale_max, '10') as scale,
    row_number() over (order by survey_id)::integer as survey_number,
    dense_rank() over (order by survey_type, scale_min)::integer as series_number
from read_parquet(getvariable('raw') || '/surveys.parquet')
where survey_type in ('nps', 'enps') and coalesce(scale_max, '10') = '10' and coalesce(scale_min, '0') in ('0', '1');

-- Answers are broken down by segment and country alone.
create or replace temp table survey_profiles as
select profile_id, dense_rank() over (order by segment, country)::integer as survey_profile_id, segment, country
from (
    select distinct profile_id, segment, country from raw_accounts
    union all select 0, '(unknown)', '(unknown)'
);
create or replace temp table survey_profile_values as
with profiles as (
    select distinct survey_profile_id, segment, country from survey_profiles
)
select survey_profile_id, 'all' as dimension, 'all' as dimension_value from profiles
union all select survey_profile_id, 'segment', segment from profiles
union all select survey_profile_id, 'country', country from profiles;

create or replace temp table answers as
select
    surveys.survey_number,
    surveys.series_number,
    coalesce(survey_profiles.survey_profile_id, unknown.survey_profile_id) as survey_profile_id,
    case when regexp_matches(responses.score, '^[0-9]{1,9}$') then responses.score::integer end as score,
    try_cast(responses.responded_at as timestamp) as responded_at,
    responses.response_id,
    responses.respondent_id,
    coalesce(responses.respondent_id, 'customer ' || accounts.customer_key, 'response ' || responses.response_id)
        as respondent
from read_parquet(getvariable('raw') || '/survey_responses.parquet') as responses
inner join surveys on responses.survey = surveys.survey_id
left join accounts on responses.account_id = accounts.account_id
left join survey_profiles on accounts.profile_id = survey_profiles.profile_id
cross join (select survey_profile_id from survey_profiles where profile_id = 0) as unknown
where is_event(try_cast(responses.responded_at as timestamp))
    and (responses.score is null or regexp_matches(responses.score, '^([0-9]|10)$'))
    and not coalesce(accounts.is_test, false);

-- @ survey windows
-- An answer counts in a window that the next answer of its respondent does not fall into.
create or replace temp table followed_answers as
select
    series_number,
    survey_number,
    survey_profile_id,
    case when score >= 9 then 1 when score <= 6 then -1 else 0 end::tinyint as kind,
    responded_at,
    month_of(responded_at::date)::integer as month,
    lead(responded_at) over (
        partition by series_number, respondent order by responded_at, response_id
    ) as next_responded_at,
    respondent,
    response_id
from answers
where score is not null;

create or replace temp table counted_answers as
with repeated as (
    select survey_number, respondent from followed_answers group by all having count(*) > 1
),
superseded as (
    select followed_answers.response_id
    from followed_answers inner join repeated using (survey_number, respondent)
    qualify row_number() over (
        partition by survey_number, respondent order by responded_at desc, followed_answers.response_id desc
    ) > 1
),
months as (
    select * from periods where months = 1 and period_index between
        (select min(month) from followed_answers) - 1 and getvariable('last_month')
),
compressed as (
    select
        series_number, period_type, periods.period_index, 0 as survey_number, false as is_comparison, survey_profile_id,
        kind, count(*) as answers
    from followed_answers
    inner join (select distinct period_type, months from periods) as types on true
    inner join lateral (select month // types.months as period_index) as periods on true
    where next_responded_at is null or month_of(next_responded_at::date) // types.months > periods.period_index
    group by all
    union all
    select
        series_number, 'rolling_90d', months.period_index, 0, false, survey_profile_id, kind, count(*)
    from (select *, unnest(range(month, month + 5)) as window_month from followed_answers) as placed
    inner join months on placed.window_month = months.period_index
    where responded_at >= months.boundary_on - 90 and responded_at < months.boundary_on
        and (next_responded_at is null or next_responded_at >= months.boundary_on)
    group by all
    union all
    select
        series_number, 'rolling_90d', months.period_index, 0, true, survey_profile_id, kind, count(*)
    from (select *, unnest(range(month + 2, month + 8)) as window_month from followed_answers) as placed
    inner join months on placed.window_month = months.period_index
    where responded_at >= months.boundary_on - 180 and responded_at < months.boundary_on - 90
        and (next_responded_at is null or next_responded_at >= months.boundary_on - 90)
    group by all
    union all
    select series_number, 'wave', null, survey_number, false, survey_profile_id, kind, count(*)
    from followed_answers
    where response_id not in (select response_id from superseded)
    group by all
)
select
    series_number, period_type, period_index, survey_number, is_comparison, dimension, dimension_value,
    sum(answers) as responses,
    coalesce(sum(answers) filter (kind = 1), 0) as promoters,
    coalesce(sum(answers) filter (kind = 0), 0) as passives,
    coalesce(sum(answers) filter (kind = -1), 0) as detractors
from compressed
inner join survey_profile_values using (survey_profile_id)
group by all;

-- @ survey invitations
create or replace temp table invitations as
select
    surveys.survey_number,
    surveys.series_number,
    coalesce(survey_profiles.survey_profile_id, unknown.survey_profile_id) as survey_profile_id,
    invitations.respondent_id,
    try_cast(invitations.sent_at as timestamp) as sent_at,
    coalesce(invitations.delivered, 'true') in ('true', 't', 'yes', 'y', '1') as is_delivered
from read_parquet(getvariable('raw') || '/survey_invitations.parquet') as invitations
inner join surveys on invitations.survey_id = surveys.survey_id
left join accounts on invitations.account_id = accounts.account_id
left join survey_profiles on accounts.profile_id = survey_profiles.profile_id
cross join (select survey_profile_id from survey_profiles where profile_id = 0) as unknown
where is_event(try_cast(invitations.sent_at as timestamp))
    and coalesce(invitations.delivered, 'true') in ('true', 't', 'yes', 'y', '1', 'false', 'f', 'no', 'n', '0')
    and not coalesce(accounts.is_test, false);

create or replace temp table invitation_days as
with counted as (
    select series_number, survey_number, survey_profile_id, sent_at::date as sent_on, count(*) as invited, 0 as answered
    from invitations
    where is_delivered
    group by all
    union all
    select series_number, survey_number, survey_profile_id, sent_at::date, 0, count(*)
    from invitations
    where is_delivered and exists (
        select 1 from answers
        where answers.respondent_id = invitations.respondent_id and answers.survey_number = invitations.survey_number
            and answers.responded_at >= invitations.sent_at
            and answers.responded_at <= invitations.sent_at + interval 720 hours
    )
    group by all
)
select
    series_number, survey_number, dimension, dimension_value, sent_on, sum(invited) as invited, sum(answered) as answered
from counted
inner join survey_profile_values using (survey_profile_id)
group by all;

-- @ mart nps
create or replace table marts.nps as
with events as (
    select series_number, survey_number, survey_profile_id, min(responded_at) as responded_at, null::timestamp as sent_at
    from answers group by all
    union all
    select series_number, survey_number, survey_profile_id, null, min(sent_at) from invitations group by all
),
series as (
    select
        events.series_number, any_value(surveys.survey_type) as survey_type, any_value(surveys.scale) as scale,
        min(least(events.responded_at, events.sent_at))::date as began_on, bool_or(sent_at is not null) as has_invitations
    from events
    inner join surveys using (survey_number)
    group by events.series_number
),
all_windows as (
    select
        series_number, period_type, period_index, period_start, period_start as window_start, boundary_on as window_end,
        0 as survey_number, '' as wave, false as is_comparison
    from series inner join periods on began_on < period_end
    union all
    select
        series_number, 'rolling_90d', period_index, boundary_on, boundary_on - 90, boundary_on, 0, '', unnest([false, true])
    from series inner join periods on began_on < period_end and months = 1
    union all
    select
        events.series_number, 'wave', null, coalesce(min(sent_at), min(responded_at))::date, null, null, survey_number,
        survey_id, false
    from events inner join surveys using (survey_number) group by all
),
spine as (
    select all_windows.*, dimension, dimension_value
    from all_windows
    inner join (
        select distinct series_number, dimension, dimension_value
        from events inner join survey_profile_values using (survey_profile_id)
    ) using (series_number)
),
invited as (
    select series_number, period_type, period_start, wave, dimension, dimension_value, sum(invited) as invited,
        sum(answered) as answered
    from (select * from all_windows where not is_comparison) as windows
    inner join invitation_days using (series_number)
    where case when windows.period_type = 'wave' then invitation_days.survey_number = windows.survey_number
        else sent_on >= window_start and sent_on < window_end end
    group by all
),
counted as (
    select
        spine.*, survey_type, scale, has_invitations,
        coalesce(responses, 0) as responses, coalesce(promoters, 0) as promoters, coalesce(passives, 0) as passives,
        coalesce(detractors, 0) as detractors,
        case
            when coalesce(responses, 0) < case when survey_type = 'enps' then 5 else 10 end then 'suppressed'
            when responses < 30 then 'indicative' else 'ok'
        end as sample_state
    from spine
    inner join series using (series_number)
    left join counted_answers
        on spine.series_number = counted_answers.series_number and spine.period_type = counted_answers.period_type
        and spine.period_index is not distinct from counted_answers.period_index
        and spine.survey_number = counted_answers.survey_number
        and spine.is_comparison = counted_answers.is_comparison
        and spine.dimension = counted_answers.dimension and spine.dimension_value = counted_answers.dimension_value
),
shares as (
    select *, promoters / responses as p, detractors / responses as d,
        (promoters + 0.75) / (responses + 3) as adjusted_p, (detractors + 0.75) / (responses + 3) as adjusted_d
    from counted
),
estimated as (
    select
        *,
        case when sample_state <> 'suppressed' then 100.0 * (promoters - detractors) / responses end as nps,
        case when sample_state <> 'suppressed' then 100 * sqrt(greatest(p + d - (p - d) ** 2, 0) / responses) end
            as std_error,
        100 * (adjusted_p - adjusted_d) as center,
        1.959964 * 100 * sqrt(greatest(adjusted_p + adjusted_d - (adjusted_p - adjusted_d) ** 2, 0) / (responses + 3))
            as half_width
    from shares
),
compared as (
    select
        estimated.*,
        case when estimated.period_type = 'rolling_90d' then comparison.nps when estimated.period_type <> 'wave'
            then lag(estimated.nps) over previous end as previous_nps,
        case when estimated.period_type = 'rolling_90d' then comparison.std_error when estimated.period_type <> 'wave'
            then lag(estimated.std_error) over previous end as previous_std_error
    from estimated
    left join estimated as comparison
        on comparison.is_comparison and estimated.series_number = comparison.series_number
        and estimated.period_type = comparison.period_type and estimated.period_start = comparison.period_start
        and estimated.dimension = comparison.dimension and estimated.dimension_value = comparison.dimension_value
    where not estimated.is_comparison
    window previous as (
        partition by estimated.series_number, estimated.period_type, estimated.dimension, estimated.dimension_value
        order by estimated.period_index
    )
)
select
    survey_type, scale, compared.period_type, compared.period_start, compared.wave, compared.dimension,
    compared.dimension_value, sample_state, responses::bigint as responses,
    case when sample_state <> 'suppressed' then promoters::bigint end as promoters,
    case when sample_state <> 'suppressed' then passives::bigint end as passives,
    case when sample_state <> 'suppressed' then detractors::bigint end as detractors,
    nps, std_error,
    case when sample_state <> 'suppressed' then greatest(-100, center - half_width) end as ci_low,
    case when sample_state <> 'suppressed' then least(100, center + half_width) end as ci_high,
    case when has_invitations then coalesce(invited, 0)::bigint end as invited,
    case when has_invitations then coalesce(answered, 0)::bigint end as answered,
    case when has_invitations then ratio(coalesce(answered, 0), coalesce(invited, 0)) end as response_rate,
    nps - previous_nps as change,
    (nps - previous_nps) / nullif(sqrt(std_error ** 2 + previous_std_error ** 2), 0) as change_z,
    abs((nps - previous_nps) / nullif(sqrt(std_error ** 2 + previous_std_error ** 2), 0)) > 1.959964 as is_change_significant
from compared
left join invited using (series_number, period_type, period_start, wave, dimension, dimension_value);
