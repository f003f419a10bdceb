-- Dialects, reasons, survival and losses count the same churned customers as the retention rate.
with

retention_rate as (

    select
        *,
        row_number() over (partition by basis, period_type order by period_start desc) as periods_from_last

    from {{ ref('retention_rate') }}
    where dimension = 'all'

),

churn_dialects as (

    select * from {{ ref('churn_dialects') }}

),

dialects as (

    select
        retention_rate.*,
        churn_dialects.dialect,
        churn_dialects.numerator,
        churn_dialects.denominator,
        churn_dialects.churn_rate as dialect_churn_rate,
        concat_ws(
            ' ', retention_rate.basis, retention_rate.period_type, retention_rate.period_start, churn_dialects.dialect
        ) as failing_row

    from retention_rate
    left join churn_dialects
        on
            retention_rate.basis = churn_dialects.basis
            and retention_rate.period_type = churn_dialects.period_type
            and retention_rate.period_start = churn_dialects.period_start

),

churn_reasons as (

    select * from {{ ref('churn_reasons') }}

),

reasons as (

    select
        basis,
        period_type,
        period_start,
        sum(churned_customers) as churned_customers,
        min(all_churned_customers) as all_churned_customers,
        max(all_churned_customers) as largest_all_churned_customers,
        sum(share) as all_shares,
        min(coverage) as coverage,
        count(case when reason = 'unknown' then 1 end) as unknown_rows,
        sum(case when reason = 'unknown' then share end) as unknown_share

    from churn_reasons
    group by basis, period_type, period_start

),

churn_survival as (

    select
        *,
        concat_ws(' ', basis, dimension, dimension_value, day) as failing_row,
        lag(survival) over (partition by basis, dimension, dimension_value order by day) as previous_survival,
        lead(at_risk) over (partition by basis, dimension, dimension_value order by day) as next_at_risk,
        lag(day) over (partition by basis, dimension, dimension_value order by day) as previous_day

    from {{ ref('churn_survival') }}

),

ever_started as (

    select
        basis,
        count(*) as customers

    from {{ ref('int_customer_starts') }}
    group by basis

),

followed as (

    select
        basis,
        dimension,
        sum(churned + censored) as customers

    from churn_survival
    group by basis, dimension

),

customer_losses as (

    select * from {{ ref('customer_losses') }}

),

active_customers as (

    select
        'contract' as basis,
        count(case when status_contract = 'active' then 1 end) as customers
    from customer_losses

    union all

    select
        'purchase' as basis,
        count(case when status_purchase = 'active' then 1 end) as customers
    from customer_losses

),

customers as (

    select * from {{ ref('int_customers') }}

),

broken_rules as (

    select
        'a dialect counts what its definition says' as broken_rule,
        failing_row
    from dialects
    where
        dialect is null
        or numerator <> churned_customers
        + case when dialect in ('baremetrics', 'recurly', 'stripe') then flash_customers else 0 end
        or denominator <> customers_at_start
        + case when dialect = 'stripe' then new_customers + flash_customers else 0 end
        or (dialect_churn_rate is null) <> (denominator = 0)
        or abs(dialect_churn_rate * denominator - numerator) > 1e-6

    union all

    select
        'every churned customer has one reason' as broken_rule,
        concat_ws(' ', retention_rate.basis, retention_rate.period_type, retention_rate.period_start) as failing_row
    from retention_rate
    left join reasons
        on
            retention_rate.basis = reasons.basis
            and retention_rate.period_type = reasons.period_type
            and retention_rate.period_start = reasons.period_start
    where
        reasons.basis is null
        or reasons.churned_customers <> retention_rate.churned_customers
        or reasons.all_churned_customers <> retention_rate.churned_customers
        or reasons.largest_all_churned_customers <> retention_rate.churned_customers

    union all

    select
        'shares make one, and what is not unknown is covered' as broken_rule,
        concat_ws(' ', basis, period_type, period_start) as failing_row
    from reasons
    where
        unknown_rows <> 1
        or (all_shares is null) <> (all_churned_customers = 0)
        or (coverage is null) <> (all_churned_customers = 0)
        or abs(all_shares - 1) > 1e-9
        or abs(coverage + unknown_share - 1) > 1e-9

    union all

    select
        'a curve begins at day 0 and never rises' as broken_rule,
        failing_row
    from churn_survival
    where
        (previous_day is null and day <> 0)
        or survival > previous_survival + 1e-12
        or survival < 0
        or survival > 1

    union all

    select
        'a curve falls by the churned among those at risk' as broken_rule,
        failing_row
    from churn_survival
    where
        abs(survival - coalesce(previous_survival, 1) * (1 - cast(churned as double) / at_risk)) > 1e-9
        or churned + censored > at_risk

    union all

    select
        'who churned or was censored is at risk no longer' as broken_rule,
        failing_row
    from churn_survival
    where coalesce(next_at_risk, 0) <> at_risk - churned - censored

    union all

    select
        'the interval holds the curve, and is unknown at 1 and 0' as broken_rule,
        failing_row
    from churn_survival
    where
        ci_low > survival + 1e-12
        or ci_high < survival - 1e-12
        or ci_low < 0
        or ci_high > 1
        or (ci_low is null) <> (survival = 0 or survival = 1)
        or (ci_high is null) <> (survival = 0 or survival = 1)
        or (survival = 1 and coalesce(std_error, -1) <> 0)
        or (survival = 0 and std_error is not null)

    union all

    select
        'everybody who ever started is followed once' as broken_rule,
        concat_ws(' ', ever_started.basis, followed.dimension) as failing_row
    from ever_started
    left join followed on ever_started.basis = followed.basis
    where followed.customers is null or followed.customers <> ever_started.customers

    union all

    select
        'every customer has one row of losses, and nobody else' as broken_rule,
        coalesce(customers.account_id, customer_losses.account_id) as failing_row
    from customers
    full outer join customer_losses on customers.account_id = customer_losses.account_id
    where customers.account_id is null or customer_losses.account_id is null

    union all

    select
        'a loss has its moment, and only a loss' as broken_rule,
        account_id as failing_row
    from customer_losses
    where
        (contract_closed_at is not null) <> (coalesce(status_contract, '') = 'churned')
        or (stopped_buying_at is not null) <> (coalesce(status_purchase, '') = 'churned')
        or (unsubscribed_at is not null) = is_reachable
        or coalesce(primary_loss_type, '') <> case
            when status_contract = 'churned' then 'contract_closed'
            when status_purchase = 'churned' then 'stopped_buying'
            else ''
        end

    union all

    select
        'the active are those of the last end' as broken_rule,
        concat_ws(' ', retention_rate.basis, retention_rate.period_type) as failing_row
    from retention_rate
    inner join active_customers on retention_rate.basis = active_customers.basis
    where
        retention_rate.periods_from_last = 1
        and retention_rate.customers_at_end <> active_customers.customers

)

select * from broken_rules
