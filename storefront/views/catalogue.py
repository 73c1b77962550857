"""The catalogue: home, shelves and search, one product."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from catalog.markets import foreign_instances, market_for
from catalog.models import Category, PriceList, Product
from catalog.selectors import (
    PricedPlan,
    addons_of,
    categories_for,
    category_of,
    price_list_for,
    priced_plans,
    search_products,
    sold_products,
)
from core.tenancy import Actor
from resellers.look import Section, shown_look
from resellers.selectors import own_account
from storefront.access import ShopRequest, shop_page
from ui.contrast import brand_css as sheet
from ui.templatetags.look import site_link

PAGE = 24
FOUND = 60
STRIP = 8
FRESH = 4
PRODUCT_ID = re.compile(r"[0-9]{1,18}")


def _list(request: ShopRequest) -> PriceList | None:
    return price_list_for(request.actor, request.shop, own_account(request.actor, request.user))


def _sold(request: ShopRequest, prices: PriceList | None) -> QuerySet[Product]:
    """What this shop sells to whoever looks, with its categories."""
    market = market_for(request.shop.organization, own_account(request.actor, request.user), prices)
    foreign = foreign_instances(request.shop.organization_id, market)
    return sold_products(request.actor, prices, foreign=foreign).select_related("category")


def _tiles(products: Sequence[Product], plans: Mapping[int, Sequence[PricedPlan]]) -> list[dict[str, Any]]:
    """Products with their lowest price, ready to be shown as tiles."""
    return [{"product": product, "from": _lowest(plans.get(product.pk, []))} for product in products]


def _lowest(plans: Sequence[PricedPlan]) -> PricedPlan | None:
    monthly = [item for item in plans if item.plan.billing_cycle == "monthly"]
    return min(monthly or plans, key=lambda item: item.price.amount, default=None)


@shop_page(anonymous=True)
def home(request: ShopRequest) -> HttpResponseBase:
    """The shop's front page: the sections its owner chose, in his order."""
    return render(request, "storefront/home.html", home_context(request))


def home_context(request: ShopRequest) -> dict[str, Any]:
    """What the sections of the home page need; only what is shown is read."""
    look = shown_look(request.shop)
    shown = [name for name, is_on in look["sections"] if is_on]
    prices = _list(request)
    rows = _sold(request, prices)
    featured: list[Product] = []
    newest: list[Product] = []
    if Section.FEATURED in shown:
        featured = list(rows.filter(is_featured=True).order_by("name", "id")[:STRIP])
        featured = featured or list(rows.order_by("name", "id")[:STRIP])
    if Section.NEW in shown:
        newest = list(rows.order_by("-created_at", "-id")[:FRESH])
    plans = priced_plans([*featured, *newest], prices) if featured or newest else {}
    catalogue = reverse("storefront:product_list")
    return {
        "sections": [f"storefront/home/{name}.html" for name in shown],
        "categories": categories_for(request.actor) if Section.CATEGORIES in shown else [],
        "featured": _tiles(featured, plans),
        "newest": _tiles(newest, plans),
        "prices": prices,
        "hero_link": site_link(look["hero_link"]) or catalogue,
        "banner_link": site_link(look["banner_link"]) or catalogue,
    }


@shop_page(anonymous=True)
def product_list(request: ShopRequest, slug: str = "") -> HttpResponseBase:
    """A shelf, the whole catalogue, or what a search found."""
    prices = _list(request)
    rows = _sold(request, prices)
    category = _category(request.actor, slug)
    if category is not None:
        rows = rows.filter(category=category)
    words = request.GET.get("q", "").strip()[:100]
    if words:
        found, following = list(search_products(rows, words)[:FOUND]), ""
    else:
        found, following = _page(rows, request.GET.get("after", ""))
    context = {
        "category": category,
        "categories": categories_for(request.actor),
        "tiles": _tiles(found, priced_plans(found, prices)),
        "words": words,
        "next": following,
        "prices": prices,
        "heading": category.name if category else _("Search") if words else _("All products"),
    }
    partial = request.headers.get("HX-Request") and request.GET.get("after")
    return render(request, "storefront/_tiles.html" if partial else "storefront/product_list.html", context)


def _category(actor: Actor, slug: str) -> Category | None:
    if not slug:
        return None
    found = category_of(actor, slug)
    if found is None:
        raise Http404
    return found


def _page(rows: Any, after: str) -> tuple[list[Product], str]:
    """One page by keyset on (name, id); ``after`` is ``id:name`` of the last product of the page before."""
    rows = rows.order_by("name", "id")
    number, _colon, name = after.replace("\x00", "").partition(":")
    if PRODUCT_ID.fullmatch(number):
        rows = rows.filter(name__gte=name).exclude(name=name, id__lte=int(number))
    found = list(rows[: PAGE + 1])
    if len(found) <= PAGE:
        return found, ""
    last = found[PAGE - 1]
    return found[:PAGE], f"{last.pk}:{last.name}"


@shop_page(anonymous=True)
def product_detail(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """One product with its plans, its prices for whoever looks, and what can be added to it."""
    prices = _list(request)
    rows = _sold(request, prices).select_related("category", "product_type")
    product = rows.filter(public_id=public_id).first()
    if product is None:
        raise Http404
    addons, related = list(addons_of(product, request.actor)[:20]), _related(rows, product)
    plans = priced_plans([product, *addons, *related], prices)
    context = {
        "product": product,
        "plans": plans[product.pk] if prices else [],
        "addons": [(addon, plans[addon.pk]) for addon in addons if prices and plans[addon.pk]],
        "prices": prices,
        "related": _tiles(related, plans),
    }
    return render(request, "storefront/product_detail.html", context)


def _related(rows: Any, product: Product) -> list[Product]:
    same = rows.filter(category_id=product.category_id).exclude(pk=product.pk)
    return list(same.order_by("-is_featured", "name", "id")[:4])


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def brand_css(request: HttpRequest) -> HttpResponse:
    """Brand colours over the tokens, readable in light and dark whatever was chosen.

    The colours stand in the address, so that the answer never changes; anything else than a colour is the default.
    """
    colours = [f"#{request.GET.get(key, '')}" for key in ("b", "a")]
    return HttpResponse(sheet(*colours), content_type="text/css")
