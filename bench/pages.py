"""The pages that are measured: name, address, who looks at it, and how many statements it is meant to take.

``aim`` is where a page should come, ``limit`` what it may take today at most; session and user are among them. A test
holds the limits, so that a page that grows is noticed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.dataset import Market
from catalog.models import Product
from subscriptions.models import Subscription
from ui.tables import SALT
from users.models import User

Address = Callable[[Market], str]


@dataclass(frozen=True)
class Page:
    """One page; ``who`` is staff, customer or nobody (empty); ``aim`` and ``limit`` are numbers of statements."""

    name: str
    address: Address
    who: str
    aim: int
    limit: int


def _catalogue(market: Market) -> str:
    return reverse("storefront:product_list")


def _deep_catalogue(market: Market) -> str:
    rows = Product.objects.filter(organization=market.organization, is_published=True, is_addon=False)
    row = rows.order_by("name", "pk")[rows.count() * 9 // 10]
    return f"{reverse('storefront:product_list')}?after={quote(f'{row.pk}:{row.name}')}"


def _product(market: Market) -> str:
    rows = Product.objects.filter(organization=market.organization, is_published=True, is_addon=False)
    sold = rows.filter(plans__is_offered=True, plans__costs__currency="EUR", charge_type="recurring_prepaid")
    row = sold.order_by("name", "pk").first()
    if row is None:
        raise LookupError(f"{market.key} has no product")
    return reverse("storefront:product_detail", args=[row.public_id])


def _list(market: Market) -> str:
    return reverse("bss:subscription_list")


def _deep_list(market: Market) -> str:
    """The page that begins nine tenths down the list."""
    from django.core import signing  # Beside its only use: the cursor is made as ui.tables makes it.

    rows = Subscription.objects.filter(organization=market.organization).order_by("-pk")
    pk = rows.values_list("pk", flat=True)[market.counts["subscriptions.Subscription"] * 9 // 10]
    return f"{_list(market)}?after={quote(signing.dumps([str(pk), pk], salt=SALT, compress=False))}"


def _detail(market: Market) -> str:
    rows = Subscription.objects.filter(organization=market.organization, status="active").order_by("pk")
    row = rows[rows.count() // 2]
    return reverse("bss:subscription_detail", args=[row.public_id])


CATALOGUE = Page("catalogue page, visitor", _catalogue, "", 5, 5)
CATALOGUE_SIGNED = Page("catalogue page, customer", _catalogue, "customer", 5, 7)
CATALOGUE_DEEP = Page("catalogue page at 90 % depth, visitor", _deep_catalogue, "", 5, 5)
PRODUCT = Page("product page, visitor", _product, "", 5, 5)
PRODUCT_SIGNED = Page("product page, customer", _product, "customer", 5, 8)
LIST = Page("subscription list, first page", _list, "staff", 4, 6)
LIST_DEEP = Page("subscription list at 90 % depth", _deep_list, "staff", 4, 6)
DETAIL = Page("subscription", _detail, "staff", 4, 15)
PAGES = (CATALOGUE, CATALOGUE_SIGNED, CATALOGUE_DEEP, PRODUCT, PRODUCT_SIGNED, LIST, LIST_DEEP, DETAIL)
CATALOGUE_PAGES = (CATALOGUE, CATALOGUE_SIGNED, CATALOGUE_DEEP, PRODUCT, PRODUCT_SIGNED)


def session_of(user: User) -> str:
    """The key of a fresh session in which ``user`` is signed in."""
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def viewer(market: Market, who: str) -> User | None:
    """The person who looks."""
    if who == "staff":
        return market.staff
    if who == "customer":
        return User.objects.filter(memberships__account_id=market.buyers[0].id).first()
    return None


def cookies_of(market: Market, who: str) -> dict[str, str]:
    """The cookies of that person's browser: a session, and the token against forged requests."""
    user = viewer(market, who)
    found = {settings.CSRF_COOKIE_NAME: _get_new_csrf_string()}
    return found | ({settings.SESSION_COOKIE_NAME: session_of(user)} if user else {})


def count_statements(market: Market, page: Page) -> list[str]:
    """The statements of the page's second view, in this process; the first one may note who was seen."""
    client = Client(HTTP_HOST=market.site.host)
    client.cookies = SimpleCookie(cookies_of(market, page.who))
    address = page.address(market)
    for _warm in range(2):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{page.name}: {address} answered {answer.status_code}")
    return [str(query["sql"]) for query in captured.captured_queries]
