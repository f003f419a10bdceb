-- Every closed deal is won, lost or without a decision in one period, and every other deal is open at as_of.
with

sales_performance as (

    select
        *,
        concat_ws(' ', period_type, period_start, dimension, dimension_value) as failing_row,
        row_number() over (
            partition by period_type, dimension, dimension_value
            order by period_start desc
        ) as periods_from_last

    from {{ ref('sales_performance') }}

),

deals as (

    select
        count(case when outcome = 'won' then 1 end) as won,
        count(case when outcome = 'lost' and not is_no_decision then 1 end) as lost,
        count(case when is_no_decision then 1 end) as no_decision,
        count(case when outcome = 'open' and began_at is not null then 1 end) as open,
        coalesce(sum(case when outcome = 'won' then amount end), 0) as won_amount,
        coalesce(sum(case when outcome = 'lost' and not is_no_decision then amount end), 0) as lost_amount

    from {{ ref('int_deals') }}

),

totals as (

    select
        types.period_type,
        coalesce(sum(sales_performance.won), 0) as won,
        coalesce(sum(sales_performance.lost), 0) as lost,
        coalesce(sum(sales_performance.no_decision), 0) as no_decision,
        coalesce(sum(sales_performance.won_amount), 0) as won_amount,
        coalesce(sum(sales_performance.lost_amount), 0) as lost_amount

    from (values ('month'), ('quarter'), ('year')) as types (period_type)
    left join sales_performance
        on types.period_type = sales_performance.period_type and sales_performance.dimension = 'all'
    group by types.period_type

),

-- Targets belong to representatives, so only the dimensions of representatives can add up.
targets as (

    select
        period_type,
        period_start,
        dimension,
        coalesce(sum(target_amount), 0) as target_amount

    from sales_performance
    where dimension in ('all', 'rep', 'owner_team', 'owner_region')
    group by period_type, period_start, dimension

),

broken_rules as (

    select
        'the win rate is the share of won among decided deals' as broken_rule,
        failing_row
    from sales_performance
    where
        (win_rate is null) <> (won + lost = 0)
        or abs(win_rate * (won + lost) - won) > 1e-6

    union all

    select
        'the strict win rate divides by all closed deals' as broken_rule,
        failing_row
    from sales_performance
    where
        (strict_win_rate is null) <> (won + lost + no_decision = 0)
        or abs(strict_win_rate * (won + lost + no_decision) - won) > 1e-6
        or strict_win_rate > win_rate

    union all

    select
        'the win rate by value is NULL exactly where no amount was decided' as broken_rule,
        failing_row
    from sales_performance
    where (value_win_rate is null) <> (won_amount + lost_amount = 0)

    union all

    select
        'only won deals have an amount and a cycle' as broken_rule,
        failing_row
    from sales_performance
    where
        won = 0
        and coalesce(mean_deal_amount, median_deal_amount, mean_cycle_days, median_cycle_days) is not null

    union all

    select
        'no count is negative' as broken_rule,
        failing_row
    from sales_performance
    where least(won, lost, no_decision, open) < 0

    union all

    select
        'every closed deal is counted in one month, one quarter and one year' as broken_rule,
        totals.period_type as failing_row
    from deals
    cross join totals
    where
        totals.won <> deals.won
        or totals.lost <> deals.lost
        or totals.no_decision <> deals.no_decision
        or totals.won_amount <> deals.won_amount
        or totals.lost_amount <> deals.lost_amount

    union all

    select
        'the deals open at the last end are those open at as_of' as broken_rule,
        sales_performance.failing_row
    from sales_performance
    cross join deals
    where
        sales_performance.periods_from_last = 1
        and sales_performance.dimension = 'all'
        and sales_performance.open <> deals.open

    union all

    select
        'targets of representatives, teams and regions add up' as broken_rule,
        concat_ws(' ', parts.period_type, parts.period_start, parts.dimension) as failing_row
    from targets as parts
    inner join targets as whole
        on
            parts.period_type = whole.period_type
            and parts.period_start = whole.period_start
    where whole.dimension = 'all' and parts.target_amount <> whole.target_amount

    union all

    select
        'only representatives, their teams and regions have targets' as broken_rule,
        failing_row
    from sales_performance
    where
        (dimension in ('lead_source', 'deal_type') and target_amount is not null)
        or (target_attainment is null) <> (coalesce(target_amount, 0) = 0)

)

select * from broken_rules
