"""The pages that fill in custom fields, one for each kind of object, as both doors have them."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.selectors import products_for
from core.custom_fields import Entity
from core.tenancy import Actor
from orders.selectors import orders_for
from resellers.selectors import accounts_for
from subscriptions.asset_selectors import assets_for
from subscriptions.selectors import subscriptions_for
from ui.custom_fields import CustomEdit

SELECTORS: dict[Entity, Callable[[Actor], Any]] = {
    Entity.ACCOUNT: accounts_for,
    Entity.ORDER: orders_for,
    Entity.SUBSCRIPTION: subscriptions_for,
    Entity.ASSET: assets_for,
    Entity.PRODUCT: products_for,
}


def custom_pages(
    door: str, perms: Mapping[Entity, str], base: type[CustomEdit] = CustomEdit
) -> dict[Entity, type[CustomEdit]]:
    """A page, made of ``base``, for each kind of object whose fields ``perms`` says who may fill in at this door."""
    return {
        entity: type(
            f"{entity.title()}Custom",
            (base,),
            {
                "__doc__": f"The fields of one {entity}.",
                "perm": perms[entity],
                "selector": staticmethod(selector),
                "detail": f"{door}:{entity}_detail",
            },
        )
        for entity, selector in SELECTORS.items()
        if entity in perms
    }
