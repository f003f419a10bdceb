"""The word that a proposed mapping holds where its user must say something: nothing is landed while it stands there."""

from warehouse.errors import WarehouseError
from warehouse.landing.mapping import ColumnRule, Mapping

PLACEHOLDER = "CHOOSE"


def refuse_placeholders(mapping: Mapping) -> None:
    """Raise WarehouseError naming the first place of a mapping that still holds the placeholder."""
    for number, file in enumerate(mapping.files, 1):
        for rule in file.entities:
            for column, column_rule in rule.columns.items():
                if _holds_placeholder(column_rule):
                    raise WarehouseError(
                        f"the mapping {mapping.name}: file {number}, {rule.entity}, {column}: "
                        f"still says {PLACEHOLDER}: replace it by a constant, or map a column"
                    )


def _holds_placeholder(rule: ColumnRule) -> bool:
    texts = (rule.constant, rule.default, *rule.sources)
    return any(text is not None and text.strip() == PLACEHOLDER for text in texts) or any(
        map(_holds_placeholder, rule.first_filled)
    )
