-- Twenty queries as dashboards send them to the published file. One statement each, the comment is its name.

-- monthly retention of the company
select period_start, retention_rate, churned_customers from marts.retention_rate
where basis = 'contract' and period_type = 'month' and dimension = 'all' order by period_start;

-- retention by segment, this year
select period_start, dimension_value, retention_rate from marts.retention_rate
where basis = 'purchase' and period_type = 'month' and dimension = 'segment' and period_start >= date '2025-01-01'
order by period_start, dimension_value;

-- worst countries by yearly churn
select dimension_value, churn_rate from marts.retention_rate
where basis = 'contract' and period_type = 'year' and dimension = 'country' and customers_at_start >= 30
order by churn_rate desc nulls last limit 10;

-- movements of monthly revenue
select period_start, new_mrr, reactivation_mrr, expansion_mrr, -contraction_mrr, -churned_mrr, mrr_at_end
from marts.revenue_retention where period_type = 'month' and dimension = 'all' order by period_start;

-- net revenue retention by plan
select period_start, dimension_value, net_revenue_retention, gross_revenue_retention from marts.revenue_retention
where period_type = 'quarter' and dimension = 'plan' order by period_start, dimension_value;

-- the cohort triangle
pivot (
    select cohort_start, periods_since_start, retention_rate from marts.churn_cohorts
    where basis = 'purchase' and cohort_type = 'month' and dimension = 'all'
) on periods_since_start using max(retention_rate) group by cohort_start order by cohort_start;

-- average cohort curve by channel
select dimension_value, periods_since_start, sum(retained_customers) / sum(cohort_size) as retained
from marts.churn_cohorts
where basis = 'contract' and cohort_type = 'month' and dimension = 'acquisition_channel' and cell_state = 'complete'
group by all order by all;

-- survival curves by segment
select dimension_value, day, survival, ci_low, ci_high from marts.churn_survival
where basis = 'contract' and dimension = 'segment' order by dimension_value, day;

-- reasons of the last twelve months
select reason, sum(churned_customers) as customers from marts.churn_reasons
where basis = 'contract' and period_type = 'month' and period_start >= date '2024-07-01'
group by reason order by customers desc;

-- what five vendors would say
select dialect, churn_rate from marts.churn_dialects
where basis = 'contract' and period_type = 'month' and period_start = date '2025-05-01' order by dialect;

-- hundred most valuable customers
select account_id, segment, lifetime_value, historical_value, p_alive from marts.customer_lifetime_value
order by lifetime_value desc nulls last limit 100;

-- value by segment and country
select segment, country, count(*) as customers, sum(historical_value) as value, avg(residual_value) as residual
from marts.customer_lifetime_value group by segment, country order by value desc;

-- one customer
select * from marts.customer_360 where account_id = 'A00000042';

-- valuable customers at risk
select account_id, account_name, lifetime_value, last_order_at from marts.customer_360
where value_tier = 'high' and risk_tier = 'high' order by lifetime_value desc limit 50;

-- sizes of the segments
select rfm_segment, loyalty_tier, count(*) as customers from marts.customer_segments
group by rfm_segment, loyalty_tier order by customers desc;

-- value at risk
select value_tier, risk_tier, customers, mrr, residual_value from marts.value_at_risk order by value_tier, risk_tier;

-- funnel of the last quarter
select stage_order, stage, entered, reached, conversion_rate, overall_conversion_rate, median_days_in_stage, is_bottleneck
from marts.funnel_conversion
where pipeline = 'default' and period_type = 'quarter' and period_start = date '2025-01-01' and dimension = 'all'
order by stage_order;

-- win rate by team
select period_start, dimension_value, win_rate, won_amount, target_attainment from marts.sales_performance
where period_type = 'quarter' and dimension = 'owner_team' order by period_start, dimension_value;

-- rolling score
select period_start, nps, ci_low, ci_high, responses, is_change_significant from marts.nps
where survey_type = 'nps' and period_type = 'rolling_90d' and dimension = 'all' order by period_start;

-- who comes back within a year
select cohort_start, dimension_value, repeat_purchase_rate from marts.repeat_purchase_rate
where horizon_days = 365 and dimension = 'segment' order by cohort_start, dimension_value;
