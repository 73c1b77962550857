"""Who may open which page of the storefront: declared per view, refused if undeclared."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from core.errors import BusinessError, NotVisible, PermissionRefused
from orders.models import Basket
from orders.services.basket import adopt_basket, open_basket
from resellers.middleware import ActorRequest
from resellers.models import Site

VISITOR_BASKET = "visitor_basket"
View = Callable[..., HttpResponseBase]


class ShopRequest(ActorRequest):
    """A request at a site that exists."""

    shop: Site


def shop_page(perm: str = "", *, anonymous: bool = False, back: str = "") -> Callable[[View], View]:
    """Declare who may open a page: ``anonymous`` visitors (where the site allows them), or users with ``perm``.

    A BusinessError raised by the view becomes a message on the page named by ``back``; without it, it goes on up.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            shop = cast(ShopRequest, request)
            if shop.site is None:
                raise Http404
            shop.shop = shop.site
            if shop.actor.is_anonymous and not (anonymous and shop.shop.anonymous_access):
                if shop.actor.user_id:
                    raise PermissionRefused("no_account", _("Your login has no account at this shop."))
                return redirect_to_login(request.get_full_path())
            if perm and not shop.actor.is_anonymous:
                shop.actor.require(perm)
            try:
                return view(shop, *args, **kwargs)
            except (PermissionRefused, NotVisible):
                raise
            except BusinessError as error:
                if not back:
                    raise
                messages.error(request, str(error.message))
                return redirect(back)

        return opened

    return declare


def has_basket(request: ShopRequest) -> bool:
    """Whether there can be a basket; a visitor's is made when he puts something in, not when he looks.

    An employee who looks as a customer has none: neither his own nor the customer's.
    """
    if request.actor.viewing_as:
        return False
    return request.actor.user_id is not None or VISITOR_BASKET in request.session


def basket_of(request: ShopRequest) -> Basket:
    """The basket of whoever is looking; a visitor's key is in his session; signing in makes it his own."""
    if request.actor.viewing_as:
        raise PermissionRefused("viewing_only", _("You look at the storefront as a customer; there is no basket."))
    if request.actor.user_id is not None and VISITOR_BASKET in request.session:
        adopt_basket(request.actor, site=request.shop, visitor_key=request.session.pop(VISITOR_BASKET))
    basket = open_basket(request.actor, site=request.shop, visitor_key=request.session.get(VISITOR_BASKET, ""))
    if request.actor.user_id is None:
        request.session[VISITOR_BASKET] = str(basket.public_id)
    return basket
