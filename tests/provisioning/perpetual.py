"""A shop that sells a perpetual licence of the Partner Center twin, for tests of its life."""

from typing import Any

from catalog.models import Plan, Product, ProductType
from core.tenancy import Actor
from orders.models import Order
from subscriptions.models import Asset
from tests.drain import drain
from tests.provisioning.life import connected_shop
from tests.shop import Shop, fill_basket, place
from tests.twins import Twins

OFFICE_LTSC = "DG7GMGF0J7DR:0001"


def perpetual_shop(twins: Twins) -> Shop:
    """A shop, connected to the twin, whose one product is bought once for 10.00 EUR at cost."""
    shop = connected_shop(twins, code=OFFICE_LTSC)
    make_perpetual(shop.product)
    shop.product.refresh_from_db()
    return shop


def make_perpetual(product: Product) -> None:
    """Let a product be one of perpetual licences."""
    ProductType.objects.filter(pk=product.product_type_id).update(is_perpetual=True, derivative="LICENSE")
    Product.objects.filter(pk=product.pk).update(charge_type="one_time")
    Plan.objects.filter(product=product).update(term="", billing_cycle="one_time")


def order(shop: Shop, *, quantity: int = 3, actor: Actor | None = None, **values: Any) -> Order:
    """An order of so many licences as one line; nothing is provisioned yet."""
    who = actor or shop.customer_admin
    return place(who, fill_basket(shop, who, quantity=quantity, **values))


def asset_of(placed: Order) -> Asset:
    """The one asset of an order, as it is stored now."""
    rows = Asset.objects.select_related("account", "bill_to", "product", "plan", "instance__application")
    return rows.get(order_number=placed.number, organization=placed.organization_id)


def bought(shop: Shop, twins: Twins, *, quantity: int = 3, **values: Any) -> Asset:
    """An active asset that the twin has provisioned."""
    placed = order(shop, quantity=quantity, **values)
    drain(twins)
    return asset_of(placed)


def fresh(row: Asset) -> Asset:
    """The asset as it is stored now."""
    return Asset.objects.select_related("account", "bill_to", "product", "plan", "instance__application").get(pk=row.pk)


def orders_there(twins: Twins) -> list[dict[str, Any]]:
    """The one-time orders that exist at the twin."""
    return [row for row in twins.state()["orders"] if row["billingCycle"] == "one_time"]
