"""Checks of arguments that several commands take: what is wrong here is wrong usage."""

import typer


def check_source(name: str | None) -> None:
    """Refuse a mapping that is neither shipped nor the path of a YAML file. Raises typer.BadParameter."""
    from warehouse.errors import WarehouseError
    from warehouse.landing.mapping import mapping_path

    if name is not None:
        try:
            mapping_path(name)
        except WarehouseError as error:
            raise typer.BadParameter(str(error), param_hint="--source") from None


def check_entity(name: str | None) -> None:
    """Refuse an entity that the input contract does not have. Raises typer.BadParameter."""
    from warehouse.contract import entities
    from warehouse.landing.names import closest

    if name is not None and name not in entities():
        near = closest(name, entities())
        hint = f"did you mean {near}?" if near else f"one of {', '.join(entities())}"
        raise typer.BadParameter(f"no such entity: {hint}", param_hint="--entity")
