"""The licence, and the end of a Professional reseller's organization: closed, then erased after 90 days."""

import datetime as dt

import pytest
from django.test import Client

from core import clock
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict
from notifications.models import OutgoingMail
from resellers.models import Account, Contact, Membership, Site
from sso.services.people import invite_user
from tenants.models import ProfessionalTenant
from tenants.services import erase, state
from tenants.services.transfer import move_account
from tests import factories
from tests.shop import Shop, make_shop
from tests.tenants.professional import Professional, make, own_of
from users.models import User
from users.permissions import StorefrontRole
from vendors.models import Instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def pro(shop) -> Professional:
    return make(shop)


def licence(shop: Shop, pro: Professional, value: str) -> None:
    state.set_options(shop.staff, tenant=pro.tenant, values={"licence": value})


def status_of(client: Client, path: str) -> int:
    return client.get(path).status_code


def test_basic_closes_the_storefront_and_leaves_the_bss(shop, pro):
    client = Client(headers={"host": pro.tenant.host})
    assert status_of(client, "/products/") == 302
    licence(shop, pro, "basic")
    shut = client.get("/products/")
    assert (shut.status_code, "This store is closed" in shut.content.decode()) == (410, True)
    assert client.get("/")["Location"] == "/bss/"
    assert "/accounts/login/" in client.get("/bss/")["Location"]
    assert (status_of(client, "/accounts/login/"), status_of(client, "/brand.css")) == (200, 200)
    assert pro.site.status == "live"
    licence(shop, pro, "premium")
    assert status_of(client, "/products/") == 302


def test_a_new_one_with_basic_has_no_storefront(shop):
    assert not make(shop, licence="basic").site.has_storefront


def test_licence_is_one_of_two(shop, pro):
    with pytest.raises(BusinessError) as refused:
        licence(shop, pro, "gold")
    assert (refused.value.code, refused.value.field) == ("licence_unknown", "licence")
    assert ProfessionalTenant.objects.get().licence == "premium"


def test_nothing_is_erased_before_the_90_days_and_all_of_it_after(shop, pro, still_clock):
    account = factories.account(pro.own, name="Elm Bakery", email="office@elm.test", tax_id="DE1")
    Contact.objects.create(organization=pro.own, account=account, first_name="Nia", last_name="Oak", email="n@elm.test")
    factories.user(pro.own, of=account, email="nia@elm.test")
    Instance.objects.filter(organization=pro.own).update(settings_cipher="")
    state.mark_deleted(shop.staff, tenant=pro.tenant, reason="has left us")
    others = (Account.objects.exclude(organization=pro.own), Contact.objects.exclude(organization=pro.own))
    before = [list(rows.order_by("pk").values()) for rows in others]
    start = clock.now()
    still_clock(start + dt.timedelta(days=89))
    assert erase.erase_due() == 0
    assert Account.objects.get(pk=account.pk).email == "office@elm.test"
    still_clock(start + dt.timedelta(days=90))
    assert (erase.erase_due(), erase.erase_due()) == (1, 0)
    account.refresh_from_db()
    assert (account.name, account.email, account.tax_id) == (f"#{account.pk}", "", "")
    assert set(Contact.objects.filter(organization=pro.own).values_list("first_name", "email")) == {("-", "")}
    people = User.objects.filter(realm=pro.own.public_id)
    assert people.count() == 2
    assert {(row.is_active, row.first_name, row.email.endswith("@erased.invalid")) for row in people} == {
        (False, "", True)
    }
    mails = OutgoingMail.objects.filter(organization=pro.own)
    assert {(row.subject, row.html) for row in mails} == {("-", "")}
    site = Site.objects.get(organization=pro.own)
    assert (site.status, site.name, site.host) == ("deleted", "-", "")
    row = ProfessionalTenant.objects.get()
    assert (row.erased_at, row.admin_email) == (clock.now(), "")
    assert AuditEntry.objects.filter(action="professional.erased").count() == 1
    assert [list(rows.order_by("pk").values()) for rows in others] == before


def test_one_that_is_active_is_never_erased(shop, pro, still_clock):
    still_clock(clock.now() + dt.timedelta(days=1000))
    assert erase.erase_due() == 0
    assert Membership.objects.filter(organization=pro.own, user__is_active=True).count() == 1


def test_nobody_is_invited_to_a_managed_copy(shop, pro):
    move_account(shop.staff, pro.tenant, shop.end_customer)
    shop.end_customer.refresh_from_db()
    who = {"email": "new@elm.test", "first_name": "N", "last_name": "O", "roles": [StorefrontRole.ADMIN.value]}
    with pytest.raises(Conflict) as refused:
        invite_user(shop.staff, account=shop.end_customer, **who)
    assert refused.value.code == "managed_by_reseller"
    assert not User.objects.filter(email="new@elm.test").exists()
    assert invite_user(pro.staff, account=own_of(shop.end_customer), **who) is not None
