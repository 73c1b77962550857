"""What an account's Admin reads of the audit log: his company's and his customers' entries, without the staff's own."""

import pytest
from django.test import Client
from django.urls import reverse

from core import audit
from core.audit import AuditEntry
from core.tenancy import Actor
from resellers.models import Account
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of
from tests.shop import Shop, fill_basket, place
from users.permissions import StorefrontRole

pytestmark = pytest.mark.django_db
LIST = reverse("storefront:activity_list")


def note(actor: Actor, account: Account, action: str = "account.updated", **values: object) -> AuditEntry:
    return audit.record(actor, action, account, account=account, **values)


def at(actor: Actor, ip: str) -> Actor:
    """The actor with an address."""
    return Actor(**{name: getattr(actor, name) for name in actor.__slots__} | {"ip": ip})


def admin(shop: Shop, account: Account) -> Client:
    return customer_client(shop.organization, account)


def test_admin_reads_his_companys_entries_only(shop):
    mine = note(shop.customer_admin, shop.customer)
    note(shop.reseller_admin, shop.reseller)
    rows = rows_of(admin(shop, shop.customer).get(LIST))
    assert mine in rows
    assert {row.account for row in rows} == {shop.customer}


def test_reseller_reads_his_customers_too(shop):
    theirs = note(factories.actor(shop.organization, of=shop.end_customer), shop.end_customer)
    foreign = note(shop.customer_admin, shop.customer)
    response = admin(shop, shop.reseller).get(LIST)
    assert theirs in rows_of(response)
    assert foreign not in rows_of(response)
    assert {row.account_id for row in rows_of(response)} <= {
        shop.reseller.pk, shop.end_customer.pk, shop.affiliate.pk
    }  # fmt: skip
    assert shop.end_customer.name in response.content.decode()
    assert "Account</a>" not in admin(shop, shop.customer).get(LIST).content.decode()


def test_what_is_the_organizations_own_is_not_there(shop):
    for action in ("account.credit", "operation.given_up", "credit.reserved", "never.heard_of", "account.price_list"):
        note(shop.staff, shop.customer, action, reason="Internal")
    page = admin(shop, shop.customer).get(LIST)
    assert {row.action for row in rows_of(page)} == {"account.created"}
    assert "Internal" not in page.content.decode()


def test_addresses_of_own_users_only(shop):
    note(at(shop.staff, "203.0.113.7"), shop.end_customer, reason="Internal")
    note(at(shop.reseller_admin, "203.0.113.8"), shop.end_customer)
    note(at(factories.actor(shop.organization, of=shop.end_customer), "203.0.113.9"), shop.end_customer)
    for account, seen in ((shop.end_customer, {"9"}), (shop.reseller, {"8", "9"})):
        client = admin(shop, account)
        texts = [client.get(LIST).content.decode()]
        texts.append(b"".join(client.get(LIST, {"format": "csv"}).streaming_content).decode())
        for text in texts:
            assert {last for last in "789" if f"203.0.113.{last}" in text} == seen
            assert shop.staff.label not in text
            assert "Internal" not in text
            assert "Customer service" in text


@pytest.mark.parametrize("word", ["203.0.113.7", "Internal"])
def test_search_does_not_find_what_is_not_shown(shop, word):
    note(at(shop.staff, "203.0.113.7"), shop.customer, reason="Internal", after={"notes": "Internal"})
    assert rows_of(admin(shop, shop.customer).get(LIST, {"q": word})) == []


def test_activity_is_for_admins(shop):
    for role in set(StorefrontRole.values) - {"admin"}:
        user = factories.user(shop.organization, of=shop.customer, roles=[role])
        client = admin(shop, shop.customer)
        client.force_login(user, "sso.backends.RealmBackend")
        assert client.get(LIST).status_code == 403
        assert LIST not in client.get(reverse("storefront:profile")).content.decode()
    assert LIST in admin(shop, shop.customer).get(reverse("storefront:profile")).content.decode()


def test_filters_narrow(shop):
    note(shop.staff, shop.customer, "order.cancelled", reason="Sold out")
    mine = note(shop.customer_admin, shop.customer)
    client = admin(shop, shop.customer)
    assert [row.action for row in rows_of(client.get(LIST, {"what": "order.cancelled"}))] == ["order.cancelled"]
    assert rows_of(client.get(LIST, {"by": "customer"})) == [mine]
    assert "Sold out" in client.get(LIST).content.decode()


def test_list_needs_as_many_queries_for_many_rows(shop):
    client = admin(shop, shop.reseller)
    note(shop.reseller_admin, shop.end_customer, before={"city": "Bonn"}, after={"city": "Ulm"})
    few = count_queries(client, LIST)
    for _round in range(5):
        note(factories.actor(shop.organization, of=shop.end_customer), shop.end_customer, after={"city": "Ulm"})
    assert count_queries(client, LIST) == few


def test_order_page_tells_its_history(shop):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    page = reverse("storefront:order_detail", args=[order.public_id])
    text = admin(shop, shop.customer).get(page).content.decode()
    assert "Order placed" in text
    cancelled = audit.record(shop.staff, "order.cancelled", order, reason="Sold out")
    secret = audit.record(shop.staff, "order.executed", order, reason="Pays late")
    text = admin(shop, shop.customer).get(page).content.decode()
    for entry, is_told in ((cancelled, True), (secret, False)):
        assert (entry.reason in text) == is_told
    assert shop.staff.label not in text
