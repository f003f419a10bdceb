"""The reduced job as users of other tools would write it, one module per tool, and what they all answer.

The job: from the orders and contracts of a company, without merges, test accounts, currencies and refunds:
cohorts by month of the first order (customers and cents per month since), monthly retention of buyers, and the
movements of monthly recurring revenue in cents.
"""
