"""Filters of the storefront's templates."""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.models import Product
from catalog.pricing import QuotedLine
from orders.models import BasketLine
from orders.selectors import PricedBasket
from ui.art import tile_art

register = template.Library()


@register.filter
def quoted(priced: PricedBasket, line: BasketLine) -> QuotedLine | None:
    """The price of a basket's line; None for what is no longer sold or has no visible price."""
    return priced.quoted.get(str(line.public_id))


@register.simple_tag
def picture_of(product: Product, name: str = "") -> SafeString:
    """A product's picture: the reseller's own (``name``, or as ``catalog.shop.dressed`` left it), else a drawn one."""
    name = name or getattr(product, "picture", "")
    if not name:
        return tile_art(product.name)
    source = reverse("storefront:product_picture", args=[name])
    return format_html('<img class="tile-art" src="{}" alt="" loading="lazy" />', source)
