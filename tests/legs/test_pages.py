"""The pages of approvals: who opens them, what they do, and the switch."""

import pytest
from django.test import Client
from django.urls import reverse

from orders.enums import OrderStatus
from orders.models import Order
from resellers.enums import AccountKind, Edition
from resellers.models import Account
from tests import factories
from tests.bss.staff import BACKEND
from tests.legs.world import World, make_world, order_of
from tests.storefront.services import text_of
from users.permissions import StorefrontRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def browser(world: World, account: Account | None = None, *roles: str) -> Client:
    account = account or world.shop.reseller
    client = Client(headers={"host": world.site.host})
    client.force_login(factories.user(world.shop.organization, of=account, roles=list(roles) or None), BACKEND)
    client.get("/healthz")
    return client


def page(name: str, *args: object) -> str:
    return reverse(f"storefront:{name}", args=args, urlconf="cloudbss.urls_shop")


def status_of(client: Client, address: str) -> int:
    return client.get(address).status_code


def test_queue_is_for_those_who_decide(world):
    order = order_of(world)
    decide = page("approval_decide", order.public_id)
    roles = StorefrontRole
    for role, expected in ((roles.ADMIN, 200), (roles.BUYER, 200), (roles.BILLING_AGENT, 403)):
        client = browser(world, None, role)
        assert (status_of(client, page("approval_list")), status_of(client, decide)) == (expected, expected)
    customer = browser(world, world.customer)
    assert (status_of(customer, page("approval_list")), status_of(customer, decide)) == (403, 403)
    Account.objects.filter(pk=world.shop.reseller.pk).update(edition=Edition.FREE)
    assert status_of(browser(world), page("approval_list")) == 403


def test_foreign_reseller_finds_nothing(world):
    order = order_of(world)
    foreign = factories.account(world.shop.organization, AccountKind.RESELLER)
    site = factories.reseller_site(foreign, Edition.STANDARD)
    client = Client(headers={"host": site.host})
    client.force_login(factories.user(world.shop.organization, of=foreign), BACKEND)
    assert status_of(client, page("approval_decide", order.public_id)) == 404
    assert client.post(page("approval_decide", order.public_id), {"deed": "approve"}).status_code == 404
    assert order.number not in text_of(client.get(page("approval_list")))
    assert order.number.encode() not in b"".join(client.get(page("approval_list") + "?format=csv").streaming_content)


def test_approving_on_the_page(world):
    order = order_of(world)
    client = browser(world)
    assert order.number in text_of(client.get(page("approval_list") + "?status=suspended"))
    shown = client.get(page("approval_decide", order.public_id))
    total = shown.context["form"]["seen_total"].value()
    done = client.post(page("approval_decide", order.public_id), {"deed": "approve", "seen_total": total})
    assert done["Location"] == page("approval_list")
    assert Order.objects.get().status == OrderStatus.EXECUTED
    again = client.post(page("approval_decide", order.public_id), {"deed": "approve", "seen_total": total})
    assert again.status_code == 409
    assert "Already decided by" in text_of(again)


def test_rejecting_needs_a_reason_and_the_customer_reads_it(world):
    order = order_of(world)
    client = browser(world)
    answer = {"deed": "reject", "seen_total": "0"}
    assert client.post(page("approval_decide", order.public_id), answer | {"reason": ""}).status_code == 400
    assert Order.objects.get().status == OrderStatus.SUSPENDED
    client.post(page("approval_decide", order.public_id), answer | {"reason": "Over your budget"})
    shown = text_of(browser(world, world.customer).get(page("order_detail", order.public_id)))
    assert "Over your budget" in shown
    assert "was not approved" in shown


def test_changed_cost_is_shown_once_more(world):
    order = order_of(world)
    client = browser(world)
    answer = client.post(page("approval_decide", order.public_id), {"deed": "approve", "seen_total": "1.00"})
    assert answer.status_code == 409
    assert "has changed meanwhile" in text_of(answer)
    assert Order.objects.get().status == OrderStatus.SUSPENDED


def test_switch_one_and_all(world):
    client = browser(world)
    client.post(page("approval_switches"), {"action": "off", "row": [str(world.customer.public_id)]})
    assert list(Account.objects.filter(order_approval=False)) == [world.customer]
    client.post(page("approval_switch_all", "off"))
    assert Account.objects.filter(kind=AccountKind.END_CUSTOMER, order_approval=True).count() == 0
    client.post(page("approval_switch_all", "on"))
    assert Account.objects.filter(order_approval=False).count() == 0
    assert status_of(browser(world, None, StorefrontRole.BUYER), page("approval_switches")) == 403


def test_badge_counts_what_waits(world):
    client = browser(world)
    assert "orders wait" not in text_of(client.get("/"))
    order_of(world)
    assert "orders wait" in text_of(client.get("/"))
