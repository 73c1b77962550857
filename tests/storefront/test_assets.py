"""Licences in the storefront: list, page, key, cancellation, mail and refresh; whose they are and who may what."""

import datetime as dt

import pytest
from django.urls import reverse

from core import clock
from core.audit import AuditEntry
from core.jobs import Job
from resellers.enums import PurchaseMode
from subscriptions.asset_enums import AssetStatus, DeliveryNote, ReturnStatus, TokenStatus
from subscriptions.enums import RequestStatus
from subscriptions.models import Asset, AssetReturn
from tests import factories
from tests.bss.staff import count_queries, rows_of
from tests.shop import Shop
from tests.storefront.services import HTMX, browser, text_of
from users.permissions import StorefrontRole
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db
KEY = "W269N-WFGWX-YVC9B-4J6C9-T83GX"


@pytest.fixture
def row(shop: Shop) -> Asset:
    return factories.asset(shop.product, account=shop.customer, key=KEY)


def url(row: Asset, name: str = "detail") -> str:
    return reverse(f"storefront:asset_{name}", args=[row.public_id])


def test_list_shows_own_licences_and_a_resellers_customers(shop, row):
    sold = factories.asset(shop.product, account=shop.end_customer, purchase_mode=PurchaseMode.END_CUSTOMER)
    factories.asset(shop.product, account=factories.account(shop.organization))
    page = reverse("storefront:asset_list")
    assert rows_of(browser(shop, shop.customer).get(page)) == [row]
    assert rows_of(browser(shop, shop.reseller).get(page)) == [sold]
    assert rows_of(browser(shop, shop.end_customer).get(page)) == [sold]
    assert browser(shop, shop.customer, StorefrontRole.BUYER.value).get(page).status_code == 403


def test_list_needs_as_many_statements_for_many_rows(shop, row):
    client = browser(shop, shop.customer)
    few = count_queries(client, reverse("storefront:asset_list"))
    for _number in range(3):
        factories.asset(shop.product, account=shop.customer)
    assert count_queries(client, reverse("storefront:asset_list")) == few


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_files_have_no_key_not_even_its_end(shop, row, kind):
    response = browser(shop, shop.customer).get(reverse("storefront:asset_list"), {"format": kind})
    body = b"".join(response) if response.streaming else response.content
    assert response.status_code == 200
    assert (KEY.encode() in body, b"T83GX" in body) == (False, False)


def test_page_masks_the_key_and_shows_no_word_of_the_staff(shop, row):
    Asset.objects.filter(pk=row.pk).update(warning="Odd at the vendor", sync_note="their words")
    text = browser(shop, shop.customer).get(url(row)).content.decode()
    assert ("•••••-T83GX" in text, KEY in text, "Show the key" in text) == (True, False, True)
    for secret in ("Odd at the vendor", "their words", row.external_id, row.transaction_id):
        assert secret not in text
    link = 'href="https://vendor.test/get" target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer"'
    assert link in text


def test_reveal_answers_in_place_and_is_kept_nowhere(shop, row):
    client = browser(shop, shop.customer)
    part = client.post(url(row, "key"), headers=HTMX)
    whole = client.post(url(row, "key"))
    assert (part.status_code, whole.status_code) == (200, 200)
    assert (KEY in part.content.decode(), "<html" in part.content.decode()) == (True, False)
    assert (KEY in whole.content.decode(), "<html" in whole.content.decode()) == (True, True)
    assert ("no-store" in part["Cache-Control"], "no-store" in whole["Cache-Control"]) == (True, True)
    assert KEY not in client.get(url(row)).content.decode()
    assert client.get(url(row, "key")).url == url(row)
    assert AuditEntry.objects.filter(object_id=row.public_id, action="asset.key_revealed").count() == 2
    assert not any(KEY in f"{entry.after}{entry.reason}" for entry in AuditEntry.objects.all())


def test_reveal_after_the_limit_says_so_in_place(shop, row):
    client = browser(shop, shop.customer)
    for _number in range(30):
        client.post(url(row, "key"), headers=HTMX)
    refused = client.post(url(row, "key"), headers=HTMX)
    whole = client.post(url(row, "key"))
    # htmx puts no refusal in place unless it is answered as a part like any other.
    assert (refused.status_code, whole.status_code) == (200, 400)
    for answer in (refused, whole):
        assert ("Too many reveals; try later." in text_of(answer), KEY in answer.content.decode()) == (True, False)


def test_key_is_for_admins(shop, row):
    client = browser(shop, shop.customer, StorefrontRole.SUBSCRIPTIONS_MANAGER.value)
    assert "Show the key" not in client.get(url(row)).content.decode()
    assert client.post(url(row, "key")).status_code == 403
    assert not AuditEntry.objects.filter(object_id=row.public_id).exists()


def test_foreign_licence_is_not_there(shop, row):
    other = browser(shop, factories.account(shop.organization, "reseller"))
    for client in (other, browser(shop, shop.reseller)):
        for name in ("detail", "key", "refresh", "resend", "cancel", "withdraw"):
            assert client.get(url(row, name)).status_code == 404
            if name != "detail":
                assert client.post(url(row, name), {"comment": ""}).status_code == 404
    assert (AssetReturn.objects.count(), Job.objects.count()) == (0, 0)


def test_cancellation_is_asked_for_and_withdrawn(shop, row):
    client = browser(shop, shop.customer)
    assert client.post(url(row, "cancel"), {"comment": "Bought twice"}).url == url(row)
    page = text_of(client.get(url(row)))
    assert ("Cancellation requested: your provider decides" in page, "Bought twice" in page) == (True, True)
    assert "A cancellation is already requested." in text_of(client.post(url(row, "cancel"), {"comment": ""}))
    assert client.post(url(row, "withdraw")).url == url(row)
    assert AssetReturn.objects.get().status == RequestStatus.WITHDRAWN
    assert "Withdraw" not in text_of(client.get(url(row))).replace("withdrawn", "")
    assert client.post(url(row, "withdraw")).status_code == 400


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"token_status": TokenStatus.REDEEMED}, "This licence has been used and cannot be returned."),
        ({"is_returnable": False}, "Microsoft does not take this licence back."),
        ({"returnable_until": dt.datetime(2026, 1, 5, tzinfo=dt.UTC)}, "The return period ended on Jan. 5, 2026."),
        (
            {"status": AssetStatus.PENDING, "token_tail": ""},
            "Wait until the licence is ready, or ask for the order line to be given up.",
        ),
    ],
)
def test_why_a_licence_cannot_be_returned(shop, row, values, words):
    Asset.objects.filter(pk=row.pk).update(**values)
    client = browser(shop, shop.customer)
    assert words in text_of(client.get(url(row)))
    refused = client.post(url(row, "cancel"), {"comment": ""})
    assert (refused.status_code, words in text_of(refused)) == (400, True)
    assert not AssetReturn.objects.exists()


def test_end_customers_user_sees_but_does_not_act(shop):
    row = factories.asset(shop.product, account=shop.end_customer, key=KEY, purchase_mode=PurchaseMode.END_CUSTOMER)
    client = browser(shop, shop.end_customer)
    page = client.get(url(row)).content.decode()
    assert ("Show the key" in page, "Cancel the licence" in page) == (True, False)
    assert [client.post(url(row, name)).status_code for name in ("cancel", "resend", "refresh")] == [403] * 3
    assert client.post(url(row, "key")).status_code == 200


def test_mail_is_sent_again_to_known_addresses_only(shop, row):
    Asset.objects.filter(pk=row.pk).update(delivery_note=DeliveryNote.FAILED)
    client = browser(shop, shop.customer)
    assert "Mail not delivered" in text_of(client.get(url(row)))
    address = shop.customer.contacts.get().email
    assert client.post(url(row, "resend"), {"email": "else@where.test"}).status_code == 400
    assert client.post(url(row, "resend"), {"email": address}).url == url(row)
    row.refresh_from_db()
    assert row.delivery_note == DeliveryNote.QUEUED


def test_status_is_read_once_a_minute(shop, row):
    client = browser(shop, shop.customer)
    part = client.post(url(row, "refresh"), headers=HTMX)
    assert "Being read at the vendor" in text_of(part)
    assert [job.unique_key for job in Job.objects.all()] == [f"provisioning.refresh_asset:{row.public_id}"]
    Job.objects.update(state="done")
    Asset.objects.filter(pk=row.pk).update(vendor_read_at=clock.now())
    assert client.post(url(row, "refresh")).url == url(row)
    assert "less than a minute ago" in text_of(client.get(url(row)))
    assert Job.objects.count() == 1
    assert client.get(url(row, "refresh"), headers=HTMX)["HX-Trigger-After-Settle"] == "asset-read"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "pending", "sync_status": SyncStatus.FAILED}, "Being checked by the provider."),
        ({"status": "pending", "sync_status": SyncStatus.UNSYNCHRONISED}, "Not confirmed yet; we are checking."),
        ({"token_status": TokenStatus.REDEEMED}, "This licence is in use."),
        (
            {
                "status": AssetStatus.CANCELLED,
                "token_status": TokenStatus.RETURN_ACCEPTED,
                "return_status": ReturnStatus.SUCCESSFUL,
            },
            "This licence is returned.",
        ),
        ({"status": AssetStatus.CANCELLED, "token_status": ""}, "This licence was given up."),
    ],
)
def test_what_goes_on_is_said(shop, row, values, words):
    Asset.objects.filter(pk=row.pk).update(**values)
    assert words in text_of(browser(shop, shop.customer).get(url(row)))


def test_page_needs_as_many_statements_with_many_requests(shop, row):
    client = browser(shop, shop.customer)
    few = count_queries(client, url(row))
    for _number in range(3):
        client.post(url(row, "cancel"), {"comment": ""})
        client.post(url(row, "withdraw"))
    assert count_queries(client, url(row)) <= few + 1
