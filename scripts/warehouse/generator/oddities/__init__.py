"""The deliberate exceptions of the sample.

Every function adds the rows for one branch of the definitions and says which.
"""

from collections.abc import Callable

from warehouse.generator.oddities import (
    accounts,
    billing,
    commerce,
    deliveries,
    engagement,
    sales,
    surveys,
    values,
)
from warehouse.generator.sample import Sample

# Deliveries come first: they change rows of the clean company.
ODDITIES: tuple[Callable[[Sample], None], ...] = (
    *deliveries.ODDITIES,
    *accounts.ODDITIES,
    *commerce.ODDITIES,
    *billing.ODDITIES,
    *sales.ODDITIES,
    *engagement.ODDITIES,
    *surveys.ODDITIES,
    *values.ODDITIES,
)


def add_oddities(sample: Sample) -> None:
    """Add every oddity to the clean sample."""
    for oddity in ODDITIES:
        oddity(sample)
