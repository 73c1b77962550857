"""Products with prices (``api.md`` 10.4): what the caller's price list sells, at what he pays."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from api.listing import IncludingView, ListView, not_found
from api.resources import products as wire
from api.resources.characteristics import of_products
from api.resources.extras import include_fields
from catalog import offers
from catalog.models import Product
from clients.scopes import Right, Scope
from core.custom_fields import Entity

READ = Right(Scope.PRODUCTS_READ)


def include_addons(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the add-ons that may be bought with each product."""
    found = offers.addons_by_product(view.caller.actor, [row["pk"] for row in rows])
    for row, item in zip(rows, objects, strict=True):
        item["addons"] = found.get(row["pk"], [])


def include_characteristics(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed what is asked when each product is ordered."""
    found = of_products(view.caller, [row["pk"] for row in rows])
    for row, item in zip(rows, objects, strict=True):
        item["characteristics"] = {"groups": found.get(row["pk"], [])}


INCLUDES = {
    "characteristics": (READ, include_characteristics),
    "customFields": (READ, include_fields(Entity.PRODUCT, None)),
    "addons": (READ, include_addons),
}


class ProductList(ListView):
    """``GET /api/products``."""

    rights = {"GET": READ}
    columns = wire.COLUMNS
    entity = Entity.PRODUCT
    includes = INCLUDES
    answers = "PagedResultDtoOfProduct"

    def get(self, request: Request) -> HttpResponse:
        """A page of products."""
        return self.page(offers.offered_products(self.caller.actor))

    def read(self) -> Any:
        """Values of products."""
        return wire.read

    def build(self, row: Any) -> dict[str, Any]:
        """A product."""
        return wire.product(row, staff=not self.caller.is_reseller)


class OfProduct(IncludingView):
    """A call on one product."""

    rights = {"GET": READ}

    def found(self, product_id: str) -> QuerySet[Product]:
        """The product as a query set of one, or 404."""
        key = self.guid("productId", product_id)
        rows = offers.offered_products(self.caller.actor, with_addons=True).filter(public_id=key)
        if not rows.exists():
            raise not_found("ProductNotFoundError", "product_not_found", "No such product.", ("Product", str(key)))
        return rows


class ProductDetail(OfProduct):
    """``GET /api/products/{productId}``."""

    includes = INCLUDES
    answers = "Product"

    def get(self, request: Request, product_id: str) -> HttpResponse:
        """One product."""
        wanted = self.wanted()
        found = wire.read(self.found(product_id), slice(1))
        objects = [wire.product(found[0], staff=not self.caller.is_reseller)]
        self.embed(wanted, found, objects)
        return self.answer(objects[0])


class ProductPricing(OfProduct):
    """``GET /api/products/{productId}/pricing``."""

    answers = "ProductPricing"

    def get(self, request: Request, product_id: str) -> HttpResponse:
        """What it costs by billing unit: for a reseller what he pays."""
        product = self.found(product_id).get()
        plans, currency = offers.prices_of(self.caller.actor, product)
        staff = not self.caller.is_reseller
        return self.answer(wire.prices(plans, currency, staff=staff, cost=self.caller.sees_cost))


class ProductAddons(OfProduct):
    """``GET /api/products/{productId}/addons``."""

    answers = "Addon"

    def get(self, request: Request, product_id: str) -> HttpResponse:
        """The add-ons that may be bought with it, as a bare array."""
        rows = offers.addon_products(self.caller.actor, self.found(product_id).get())
        staff = not self.caller.is_reseller
        return self.answer([wire.addon(row, staff=staff) for row in wire.read(rows, slice(None))])


class ProductCharacteristics(OfProduct):
    """``GET /api/products/{productId}/characteristics``."""

    answers = "Characteristics"

    def get(self, request: Request, product_id: str) -> HttpResponse:
        """What its vendor asks when it is ordered for a customer he does not know yet."""
        self.wanted()
        product = self.found(product_id).get()
        return self.answer({"groups": of_products(self.caller, [product.pk]).get(product.pk, [])})


class FrequencyOptions(OfProduct, ListView):
    """``GET /api/products/{productId}/billingfrequencyoptions``."""

    columns = wire.COLUMNS
    query_options = frozenset()
    answers = "PagedResultDtoOfProductBillingFrequencyOption"

    def get(self, request: Request, product_id: str) -> HttpResponse:
        """No product is sold by instalments, so the page is empty."""
        self.found(product_id)
        return self.page(offers.offered_products(self.caller.actor).none())

    def read(self) -> Any:
        """Values of products."""
        return wire.read

    def build(self, row: Any) -> dict[str, Any]:
        """There is no row."""
        return wire.product(row, staff=False)
