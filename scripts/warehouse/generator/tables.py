"""Which function writes which entity, in the order of the contract."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from warehouse.contract import entities
from warehouse.generator import accounts, billing, commerce, defects, engagement, reference, sales, surveys
from warehouse.generator.company import Company
from warehouse.generator.reference import Row
from warehouse.generator.text import Text

# Entities that grow with the number of accounts come in blocks, the others as a list of rows.
BLOCK_TABLES: dict[str, Callable[[Company], Iterator[dict[str, Text]]]] = {
    "accounts": accounts.accounts,
    "contacts": accounts.contacts,
    "leads": sales.leads,
    "deals": sales.deals,
    "deal_stage_history": sales.deal_stage_history,
    "orders": commerce.orders,
    "subscription_periods": billing.subscription_periods,
    "activities": engagement.activities,
    "email_preferences": engagement.email_preferences,
    "support_tickets": engagement.support_tickets,
    "survey_invitations": surveys.survey_invitations,
    "survey_responses": surveys.survey_responses,
}
SMALL_TABLES: dict[str, Callable[[Company], list[Row]]] = {
    "products": commerce.products,
    "sales_reps": sales.sales_reps,
    "sales_targets": sales.sales_targets,
    "marketing_spend": engagement.marketing_spend,
    "surveys": surveys.surveys,
    "deal_stages": lambda _: reference.deal_stages(),
    "fx_rates": lambda _: reference.fx_rates(),
    "churn_reasons": lambda _: reference.churn_reasons(),
}


def blocks(company: Company, entity: str) -> Iterator[pa.Table]:
    """Yield the rows of one entity as Arrow tables of text with the canonical columns in canonical order."""
    names = entities()[entity].column_names
    schema = pa.schema([(name, pa.string()) for name in names])
    if entity in SMALL_TABLES:
        yield pa.Table.from_pylist(SMALL_TABLES[entity](company), schema=schema)
        return
    first_row = 1
    for columns in BLOCK_TABLES[entity](company):
        spoiled = defects.spoil(company, entity, first_row, columns)
        table = pa.table({name: spoiled[name] for name in names}, schema=schema)
        first_row += table.num_rows
        yield table
