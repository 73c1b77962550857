"""What the storefront's layout knows besides the page kit's context: how full the basket is, and who agreed to what."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orders.selectors import basket_count
from resellers.middleware import ActorRequest
from storefront.access import VISITOR_BASKET
from storefront.look import consent_of
from users.permissions import Perm


def shop(request: HttpRequest) -> dict[str, Any]:
    """The number of products in the basket, read only if a page shows it; whether visits are counted or asked about."""
    return {
        "basket_count": SimpleLazyObject(lambda: _count(cast(ActorRequest, request))),
        "asks_consent": consent_of(request) == "",
        "measures": consent_of(request) == "yes",
        "may_design": SimpleLazyObject(lambda: _may_design(cast(ActorRequest, request))),
    }


def _count(request: ActorRequest) -> int:
    site = getattr(request, "site", None)
    if site is None or request.actor.viewing_as:
        return 0
    visitor_key = request.session.get(VISITOR_BASKET, "")
    if request.actor.user_id is None and not visitor_key:
        return 0
    return basket_count(request.actor, site, visitor_key)


def _may_design(request: ActorRequest) -> bool:
    actor = getattr(request, "actor", None)
    return actor is not None and actor.is_customer and actor.has(Perm.SHOP_SITE_MANAGE)
