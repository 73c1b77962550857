"""Keys of licences: who sees one, how often, that it stands nowhere else, and sending it again."""

from dataclasses import replace

import pytest

from core.audit import AuditEntry
from core.errors import BusinessError, NotVisible, PermissionRefused
from core.events import Event
from resellers.enums import PurchaseMode
from resellers.models import Account
from resellers.selectors import viewing_actor
from subscriptions.asset_enums import DeliveryNote
from subscriptions.asset_selectors import delivery_addresses
from subscriptions.models import Asset
from subscriptions.services.keys import resend_token, reveal_token
from subscriptions.services.returns import submit_return
from tests import factories
from tests.shop import Shop, make_shop
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
KEY = "W269N-WFGWX-YVC9B-4J6C9-T83GX"


@pytest.fixture
def row(shop: Shop) -> Asset:
    return factories.asset(shop.product, account=shop.customer, key=KEY)


def actions(row: Asset) -> list[str]:
    return list(AuditEntry.objects.filter(object_id=row.public_id).order_by("id").values_list("action", flat=True))


def contact_of(account: Account) -> str:
    return account.contacts.get(is_primary=True).email


def test_key_is_stored_encrypted_and_shown_by_its_tail(row):
    assert KEY not in row.token_cipher
    assert row.masked_token == "•••••-T83GX"


def test_reveal_is_audited_with_who_when_and_from_where(shop, row):
    actor = replace(shop.customer_admin, ip="192.0.2.7")
    assert reveal_token(actor, row) == KEY
    entry = AuditEntry.objects.get(object_id=row.public_id)
    assert (entry.action, entry.actor_user_id, entry.ip) == ("asset.key_revealed", actor.user_id, "192.0.2.7")
    assert KEY not in f"{entry.before}{entry.after}{entry.reason}{entry.object_label}"


@pytest.mark.parametrize("role", [StaffRole.SALES, StaffRole.BILLING, StaffRole.READ_ONLY])
def test_reveal_needs_the_right_in_the_bss(shop, row, role):
    with pytest.raises(PermissionRefused):
        reveal_token(factories.actor(shop.organization, roles=[role.value]), row)
    assert actions(row) == []


@pytest.mark.parametrize("role", [StorefrontRole.SUBSCRIPTIONS_MANAGER, StorefrontRole.CLOUD_ADMINISTRATOR])
def test_reveal_needs_an_admin_in_the_storefront(shop, row, role):
    with pytest.raises(PermissionRefused):
        reveal_token(factories.actor(shop.organization, of=shop.customer, roles=[role.value]), row)
    assert actions(row) == []


def test_reveal_is_for_the_customer_his_reseller_and_support(shop):
    row = factories.asset(shop.product, account=shop.end_customer, key=KEY, purchase_mode=PurchaseMode.END_CUSTOMER)
    support = factories.actor(shop.organization, roles=[StaffRole.SUPPORT.value])
    own = factories.actor(shop.organization, of=shop.end_customer)
    assert [reveal_token(actor, row) for actor in (support, own, shop.reseller_admin)] == [KEY] * 3


def test_foreign_key_is_not_there(shop, row):
    other = factories.account(shop.organization, "reseller")
    for actor in (factories.actor(shop.organization, of=other), shop.reseller_admin, make_shop().staff):
        with pytest.raises(NotVisible):
            reveal_token(actor, row)
        with pytest.raises(NotVisible):
            resend_token(actor, asset=row)
    assert actions(row) == []


def test_nobody_reveals_while_viewing_as(shop, row):
    with pytest.raises(PermissionRefused):
        reveal_token(viewing_actor(shop.staff, shop.customer), row)
    assert actions(row) == []


def test_thirty_reveals_an_hour_then_a_notice_once(shop, row):
    for _number in range(30):
        reveal_token(shop.customer_admin, row)
    for _number in range(2):
        with pytest.raises(BusinessError) as refused:
            reveal_token(shop.customer_admin, row)
        assert (refused.value.code, refused.value.message) == ("reveal_limit", "Too many reveals; try later.")
    assert actions(row) == ["asset.key_revealed"] * 30 + ["asset.reveal_limit"]
    (event,) = Event.objects.filter(name="asset.reveal_limit")
    assert event.payload["who"] == shop.customer_admin.label
    assert reveal_token(factories.actor(shop.organization, of=shop.customer), row) == KEY


def test_pending_licence_has_nothing_to_show(shop):
    row = factories.asset(shop.product, account=shop.customer, key="")
    with pytest.raises(BusinessError) as refused:
        reveal_token(shop.customer_admin, row)
    assert refused.value.code == "token_missing"


def test_resend_goes_to_the_contact_at_most_five_times_a_day(shop, row):
    for _number in range(5):
        resend_token(shop.customer_admin, asset=row)
    with pytest.raises(BusinessError) as refused:
        resend_token(shop.customer_admin, asset=row)
    assert refused.value.code == "resend_limit"
    row.refresh_from_db()
    assert row.delivery_note == DeliveryNote.QUEUED
    assert [event.payload["to"] for event in Event.objects.filter(name="asset.resent")] == [
        contact_of(shop.customer)
    ] * 5
    assert not any(KEY in str(event.payload) for event in Event.objects.all())


def test_resend_takes_addresses_of_the_account_only(shop, row):
    user = factories.user(shop.organization, of=shop.customer)
    resend_token(shop.customer_admin, asset=row, email=user.email.upper())
    for address in ("somebody@elsewhere.test", contact_of(shop.reseller)):
        with pytest.raises(BusinessError) as refused:
            resend_token(shop.customer_admin, asset=row, email=address)
        assert (refused.value.code, refused.value.field) == ("address_foreign", "email")
    assert [event.payload["to"] for event in Event.objects.filter(name="asset.resent")] == [user.email]


@pytest.mark.parametrize(
    ("mode", "mails", "reader"),
    [
        (PurchaseMode.END_CUSTOMER, True, "end_customer"),
        (PurchaseMode.END_CUSTOMER, False, "reseller"),
        (PurchaseMode.AFFILIATE, True, "reseller"),
        (PurchaseMode.PERSONAL_USE, True, "reseller"),
    ],
)
def test_mail_goes_to_whom_the_reseller_wants(shop, mode, mails, reader):
    Account.objects.filter(pk=shop.reseller.pk).update(mail_licences=mails)
    of = {PurchaseMode.END_CUSTOMER: shop.end_customer, PurchaseMode.AFFILIATE: shop.affiliate}.get(mode, shop.reseller)
    made = factories.asset(shop.product, account=of, purchase_mode=mode)
    row = Asset.objects.select_related("account", "bill_to").get(pk=made.pk)
    assert delivery_addresses(row)[0] == contact_of(getattr(shop, reader))


def test_key_in_a_comment_is_masked(shop, row):
    typed = f"It was {KEY.lower().replace('-', ' ')}, or {KEY}."
    request = submit_return(shop.customer_admin, asset=row, comment=typed)
    assert request.comment == "It was •••••-T83GX, or •••••-T83GX."
    assert AuditEntry.objects.get(action="asset_return.submitted").reason == request.comment
