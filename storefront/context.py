"""What the storefront's layout knows besides the page kit's context: basket, what waits, and who agreed to what."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orders.approvals import waiting_approvals
from orders.selectors import basket_count
from resellers.middleware import ActorRequest
from storefront.access import VISITOR_BASKET
from storefront.look import consent_of
from subscriptions.selectors import requests_at_reseller
from users.permissions import Perm


def shop(request: HttpRequest) -> dict[str, Any]:
    """The number of products in the basket and of orders to decide, read only if a page shows them; and consent."""
    acting = cast(ActorRequest, request)
    return {
        "basket_count": SimpleLazyObject(lambda: _count(acting)),
        "approval_count": SimpleLazyObject(lambda: _waiting(acting)),
        "asks_consent": consent_of(request) == "",
        "measures": consent_of(request) == "yes",
        "may_design": SimpleLazyObject(lambda: _may(acting, Perm.SHOP_SITE_MANAGE)),
        "may_use_api": SimpleLazyObject(lambda: _may(acting, Perm.SHOP_API)),
    }


def _waiting(request: ActorRequest) -> int:
    """How many orders wait for whoever decides about them."""
    actor = request.actor
    if not actor.sells or not actor.has(Perm.SHOP_APPROVE):
        return 0
    return waiting_approvals(actor).count() + requests_at_reseller(actor).count()


def _count(request: ActorRequest) -> int:
    site = getattr(request, "site", None)
    if site is None or request.actor.viewing_as:
        return 0
    visitor_key = request.session.get(VISITOR_BASKET, "")
    if request.actor.user_id is None and not visitor_key:
        return 0
    return basket_count(request.actor, site, visitor_key)


def _may(request: ActorRequest, perm: str) -> bool:
    actor = getattr(request, "actor", None)
    return actor is not None and actor.is_customer and actor.has(perm)
