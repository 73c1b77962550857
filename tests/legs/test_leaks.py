"""Nothing that an end customer gets holds his reseller's cost, the distributor's name or another customer's name."""

import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from core.events import Event
from notifications.models import OutgoingMail
from notifications.services import events
from orders.models import Order
from orders.services.approve import approve_order, cost_today, reject_order
from resellers.enums import PurchaseMode
from subscriptions.models import Subscription
from tests import factories
from tests.bss.staff import BACKEND
from tests.legs.running import make_running
from tests.legs.world import World, actor_of, basket_of, make_world, order_of
from tests.storefront.services import text_of
from tests.test_url_matrix import PATTERNS
from users.models import User

pytestmark = pytest.mark.django_db

# 5 x 77.77 = 388.85, margins 21.23 and 5 x 21.23 = 106.15; the vendor's retail price is 120.
FORBIDDEN = (
    "77.77", "388.85", "155.54", "21.23", "106.15", "42.46", "21.4 %",
    "Obsidian", "wholesale", "Fir Florist", "distributor.test",
)  # fmt: skip


@pytest.fixture
def world() -> World:
    return make_world()


def browser_of(world: World, account: Any) -> Client:
    client = Client(headers={"host": world.site.host})
    client.force_login(factories.user(world.shop.organization, of=account), BACKEND)
    client.get("/healthz")
    return client


def fill(world: World) -> dict[str, UUID]:
    """Orders in every state, a service with an add-on, a licence, a basket; and another customer's order."""
    order_of(world, actor_of(world.shop, world.other))
    reject_order(world.decider, order=order_of(world), reason="Too many")
    waiting = order_of(world)
    service = make_running(world)
    asset = factories.asset(
        world.shop.product,
        account=world.customer,
        unit_price=Decimal("77.77"),
        sell_unit_price=Decimal("99.00"),
        purchase_mode=PurchaseMode.END_CUSTOMER,
    )
    return {"order": waiting.public_id, "subscription": service.public_id, "asset": asset.public_id}


def addresses(world: World, ids: dict[str, UUID]) -> Iterator[str]:
    """Every address of the storefront that a GET may ask for, with this customer's objects."""
    service = Subscription.objects.get(public_id=ids["subscription"])
    addon = service.addons.first()
    assert addon is not None
    for name, pattern in sorted(PATTERNS.items()):
        if not name.startswith("storefront:"):
            continue
        wanted = set(pattern.pattern.converters)
        kind = "asset" if ":asset" in name else "order" if ":order" in name else "subscription"
        known: dict[str, Any] = {
            "public_id": world.shop.product.public_id if "product" in name else ids[kind],
            "addon_id": addon.public_id,
            "instance_id": world.shop.instance.public_id,
            "slug": "productivity",
            "verb": "check_domain",
            "state": "on",
            "kind": "end_customer",
            "job_id": world.shop.instance.public_id,
            "delivery_id": addon.public_id,
        }
        yield reverse(name, kwargs={key: known.get(key, "nothing") for key in wanted}, urlconf="cloudbss.urls_shop")


def texts_of(response: Any) -> str:
    """Everything of an answer as text; of a workbook its sheets and strings."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return "\n".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    return str(body.decode())


def leaks(text: str) -> list[str]:
    """The forbidden words of a text; the coordinates of drawn pictures are none, whatever they look like."""
    plain = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).replace(",", ".")
    return [word for word in FORBIDDEN if word in plain]


def test_no_page_or_file_leaks(world):
    ids = fill(world)
    basket_of(world, quantity=2)
    client = Client(headers={"host": world.site.host})
    client.force_login(_user_of(world), BACKEND)
    seen, found = 0, {}
    for address in addresses(world, ids):
        for query in ("", "?format=csv", "?format=xlsx", "?sort=gross"):
            response = client.get(address + query)
            if response.status_code != 200:
                continue
            seen += 1
            if bad := leaks(texts_of(response)):
                found[address + query] = bad
    assert found == {}, "\n".join(f"{address}: {words}" for address, words in found.items())
    assert seen > 40


def _user_of(world: World) -> Any:
    return User.objects.get(pk=world.buyer.user_id)


def test_customer_reads_his_own_prices(world):
    ids = fill(world)
    client = browser_of(world, world.customer)
    order = text_of(client.get(reverse("storefront:order_detail", args=[ids["order"]])))
    assert "495.00" in order
    assert "Pending approval" in order
    assert "99.00" in text_of(client.get(reverse("storefront:subscription_detail", args=[ids["subscription"]])))
    assert "99.00" in text_of(client.get(reverse("storefront:asset_detail", args=[ids["asset"]])))
    assert "495.00" in text_of(client.get(reverse("storefront:order_list")))


def test_no_preview_of_a_change_leaks(world):
    ids = fill(world)
    client = browser_of(world, world.customer)
    service = Subscription.objects.get(public_id=ids["subscription"])
    addon = service.addons.get()
    asked = {
        "licences": [{"quantity": 7}, {"quantity": 3}],
        "addon": [{"plan": addon.plan.public_id, "quantity": 2}],
        "renewal": [{"quantity": 9, "plan": service.plan.public_id}],
        "cancel": [{"execution": "now"}, {"execution": "period_end"}],
        "auto_renew": [{}],
    }
    for name, answers in asked.items():
        for values in answers:
            page = client.post(
                reverse(f"storefront:subscription_{name}", args=[service.public_id]), {**values, "preview": "1"}
            )
            assert page.status_code == 200, (name, text_of(page))
            assert leaks(page.content.decode()) == [], name


def test_no_mail_leaks(world):
    fill(world)
    order = order_of(world)
    approve_order(world.decider, order=order, seen_total=cost_today(order).gross)
    reject_order(world.decider, order=Order.objects.filter(status="suspended").first(), reason="Not now, please")
    for event in Event.objects.order_by("id"):
        events.process_event(event.pk)
    reseller = {world.decider.email, world.shop.reseller.email}
    mails = OutgoingMail.objects.filter(account=world.customer).exclude(recipient__in=reseller)
    assert {"order_pending", "order_approved", "order_rejected"} <= set(mails.values_list("template", flat=True))
    for mail in mails:
        whole = f"{mail.subject}\n{mail.text}\n{mail.html}\n{mail.sender}"
        if mail.template == "order_for_manager":
            continue
        assert leaks(whole) == [], (mail.template, mail.recipient)


def test_reseller_reads_both_and_the_distributor_only_his_own(world):
    ids = fill(world)
    client = browser_of(world, world.shop.reseller)
    page = text_of(client.get(reverse("storefront:approval_decide", args=[ids["order"]])))
    assert all(word in page for word in ("388.85", "495.00", "106.15", "21.4 %"))
    service = text_of(client.get(reverse("storefront:subscription_detail", args=[ids["subscription"]])))
    assert all(word in service for word in ("77.77", "99.00", "21.23"))
    staff = Client(headers={"host": world.shop.site.host})
    staff.force_login(factories.user(world.shop.organization), BACKEND)
    for name, key in (("order_detail", "order"), ("subscription_detail", "subscription")):
        text = text_of(staff.get(reverse(f"bss:{name}", args=[ids[key]])))
        assert "77.77" in text or "388.85" in text
        assert not [word for word in ("99.00", "495.00", "106.15") if word in text]
