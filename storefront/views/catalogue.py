"""The catalogue: home, shelves and search, one product."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from catalog.markets import foreign_instances, market_for
from catalog.models import Category, Product
from catalog.selectors import addons_of, categories_for, category_of
from catalog.shop import (
    ShopWindow,
    ShownPlan,
    after_place,
    dressed,
    in_order,
    lowest,
    on_shelf,
    place_of,
    search_window,
    shelves_of,
    shop_window,
    window_lowest,
    window_plans,
    window_products,
)
from core.contrast import brand_css as sheet
from core.tenancy import Actor
from resellers.look import Section, shown_look
from resellers.selectors import own_account
from storefront.access import ShopRequest, shop_page
from ui.templatetags.look import site_link

PAGE = 24
FOUND = 60
STRIP = 8
FRESH = 4


def _window(request: ShopRequest) -> ShopWindow:
    return shop_window(request.actor, request.shop, own_account(request.actor, request.user))


def _sold(request: ShopRequest, window: ShopWindow) -> QuerySet[Product]:
    """What this shop sells to whoever looks, with its categories."""
    buyer = own_account(request.actor, request.user) or window.reseller
    market = market_for(request.shop.organization, buyer, window.prices)
    foreign = foreign_instances(request.shop.organization_id, market)
    return window_products(request.actor, window, foreign=foreign)


def _shelves(request: ShopRequest, window: ShopWindow) -> Iterable[Category]:
    if window.reseller is not None and window.lists_itself:
        return shelves_of(request.actor, window.reseller)
    return categories_for(request.actor)


def _tiles(products: Sequence[Product], shown: Mapping[int, ShownPlan | None]) -> list[dict[str, Any]]:
    """Products with their lowest price, ready to be shown as tiles."""
    return [{"product": product, "from": shown.get(product.pk)} for product in dressed(products)]


@shop_page(anonymous=True)
def home(request: ShopRequest) -> HttpResponseBase:
    """The shop's front page: the sections its owner chose, in his order."""
    return render(request, "storefront/home.html", home_context(request))


def home_context(request: ShopRequest) -> dict[str, Any]:
    """What the sections of the home page need; only what is shown is read."""
    look = shown_look(request.shop)
    shown = [name for name, is_on in look["sections"] if is_on]
    window = _window(request)
    rows = _sold(request, window)
    featured: list[Product] = []
    newest: list[Product] = []
    if Section.FEATURED in shown:
        featured = list(in_order(rows.filter(is_featured=True), window)[:STRIP])
        featured = featured or list(in_order(rows, window)[:STRIP])
    if Section.NEW in shown:
        newest = list(rows.order_by("-created_at", "-id")[:FRESH])
    cheapest = window_lowest(window, [*featured, *newest]) if featured or newest else {}
    catalogue = reverse("storefront:product_list")
    return {
        "sections": [f"storefront/home/{name}.html" for name in shown],
        "categories": _shelves(request, window) if Section.CATEGORIES in shown else [],
        "featured": _tiles(featured, cheapest),
        "newest": _tiles(newest, cheapest),
        "prices": window.sees_prices,
        "hero_link": site_link(look["hero_link"]) or catalogue,
        "banner_link": site_link(look["banner_link"]) or catalogue,
    }


@shop_page(anonymous=True)
def product_list(request: ShopRequest, slug: str = "") -> HttpResponseBase:
    """A shelf, the whole catalogue, or what a search found."""
    window = _window(request)
    rows = _sold(request, window)
    category = _category(request.actor, slug)
    if category is not None:
        rows = on_shelf(rows, window, category)
    words = request.GET.get("q", "").strip()[:100]
    if words:
        found, following = list(search_window(rows, window, words)[:FOUND]), ""
    else:
        found, following = _page(rows, window, request.GET.get("after", ""))
    context = {
        "category": category,
        "categories": _shelves(request, window),
        "tiles": _tiles(found, window_lowest(window, found)),
        "words": words,
        "next": following,
        "prices": window.sees_prices,
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


def _page(rows: QuerySet[Product], window: ShopWindow, after: str) -> tuple[list[Product], str]:
    """One page by keyset in the order of the shop; ``after`` is what :func:`place_of` says of the last one before."""
    found = list(after_place(in_order(rows, window), window, after)[: PAGE + 1])
    if len(found) <= PAGE:
        return found, ""
    return found[:PAGE], place_of(found[PAGE - 1])


@shop_page(anonymous=True)
def product_detail(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """One product with its plans, its prices for whoever looks, and what can be added to it."""
    window = _window(request)
    rows = _sold(request, window).select_related("product_type")
    product = rows.filter(public_id=public_id).first()
    if product is None:
        raise Http404
    addons, related = list(addons_of(product, request.actor)[:20]), _related(rows, product)
    plans = window_plans(window, [product, *addons, *related])
    dressed([product])
    context = {
        "product": product,
        "plans": plans[product.pk],
        "addons": [(addon, plans[addon.pk]) for addon in addons if plans[addon.pk]],
        "prices": window.sees_prices,
        "related": _tiles(related, {row.pk: lowest(plans[row.pk]) for row in related}),
        "sees_cost": window.sees_cost,
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
