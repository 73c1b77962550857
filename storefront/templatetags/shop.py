"""Filters of the storefront's templates."""

from django import template

from catalog.pricing import QuotedLine
from orders.models import BasketLine
from orders.selectors import PricedBasket

register = template.Library()


@register.filter
def quoted(priced: PricedBasket, line: BasketLine) -> QuotedLine | None:
    """The price of a basket's line; None for what is no longer sold or has no visible price."""
    return priced.quoted.get(str(line.public_id))
