"""Perpetual licences in the BSS: list, page, ids, keys and what is done with them (``esd.md`` 11)."""

import datetime as dt

import pytest
from django.urls import reverse

from core import clock
from core.jobs import Job
from notifications.models import OutgoingMail
from subscriptions.models import Asset, AssetKey
from subscriptions.services.keys import add_keys
from tests import factories
from tests.bss.staff import rows_of, said, staff_client
from tests.notifications.test_assets import work
from tests.shop import Shop
from tests.storefront.services import HTMX, text_of
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
KEYS = ("NKWF6-TP4MQ-7HXVB-92CDR-GJ8TY", "B7PXD-4QKNM-RV8TC-2WHYF-9JG63")
OWN = "7a1b3c5d-0000-4000-8000-000000000001"
LIST = reverse("bss:asset_list")


@pytest.fixture
def row(shop: Shop) -> Asset:
    return factories.perpetual_asset(shop.product, account=shop.customer)


def url(row: Asset, name: str = "detail") -> str:
    return reverse(f"bss:asset_{name}", args=[row.public_id])


def test_check_20_the_perpetual_id_is_a_column_a_filter_a_search_and_in_the_file(shop, row):
    known = factories.perpetual_asset(shop.product, account=shop.customer, perpetual_id=OWN)
    factories.asset(shop.product, account=shop.customer)
    client = staff_client(shop.organization)
    assert OWN in client.get(LIST).content.decode()
    assert rows_of(client.get(LIST, {"perpetual_id": OWN[:8]})) == [known]
    assert rows_of(client.get(LIST, {"q": OWN})) == [known]
    assert set(rows_of(client.get(LIST, {"perpetual": "yes"}))) == {row, known}
    response = client.get(LIST, {"format": "csv"})
    body = (b"".join(response) if response.streaming else response.content).decode()
    for words in ("Perpetual ID", OWN, "Order ID Alias", known.vendor_order_alias, known.vendor_order_id):
        assert words in body


def test_the_page_tells_the_ids_that_are_known(shop, row):
    client = staff_client(shop.organization)
    page = text_of(client.get(url(row)))
    for words in (
        "Microsoft Perpetual License Details",
        "not yet assigned by Microsoft",
        row.vendor_order_id,
        row.vendor_order_alias,
        shop.product.code,
        "Is Returnable",
        "Check again",
        "No key has been entered.",
    ):
        assert words in page
    Asset.objects.filter(pk=row.pk).update(perpetual_id=OWN)
    assert OWN in text_of(client.get(url(row)))
    other = factories.asset(shop.product, account=shop.customer)
    assert "Perpetual" not in text_of(client.get(url(other)))


def test_check_again_reads_in_the_background(shop, row):
    client = staff_client(shop.organization)
    assert client.post(url(row, "refresh")).status_code == 302
    assert Job.objects.filter(title__contains=row.name).count() == 1


def test_keys_are_entered_shown_masked_and_sent(shop, row, mailoutbox):
    client = staff_client(shop.organization)
    form = client.get(url(row, "add_keys"))
    assert "portal only" in text_of(form)
    response = client.post(url(row, "add_keys"), {"keys": f"{KEYS[0]}\r\n\r\n{KEYS[1]}\r\n"}, follow=True)
    assert said(response) == ["2 keys are stored."]
    page = client.get(url(row)).content.decode()
    assert ("•••••-GJ8TY" in page, KEYS[0] in page) == (True, False)
    shown = client.post(url(row, "key"), headers=HTMX).content.decode()
    assert (KEYS[0] in shown, KEYS[1] in shown) == (True, True)
    assert OutgoingMail.objects.count() == 0
    address = row.account.contacts.get(is_primary=True).email
    assert client.post(url(row, "resend"), {"email": address}).status_code == 302
    (mail,) = work()
    assert (mail.template, KEYS[0] in mail.text + mail.html) == ("perpetual_ready", False)


def test_a_refused_key_is_said_at_its_field(shop, row):
    response = staff_client(shop.organization).post(url(row, "add_keys"), {"keys": "K" * 65})
    assert "Key 1 is not between 6 and 64 signs long." in text_of(response)
    assert not AssetKey.objects.exists()


def test_who_only_looks_enters_no_keys(shop, row):
    client = staff_client(shop.organization, StaffRole.READ_ONLY)
    assert client.post(url(row, "add_keys"), {"keys": KEYS[0]}).status_code == 403
    assert "Add keys" not in text_of(client.get(url(row)))


def test_the_overview_names_what_waits_for_keys(shop, row):
    old = factories.perpetual_asset(
        shop.product, account=shop.customer, activated_at=clock.now() - dt.timedelta(days=2)
    )
    client = staff_client(shop.organization)
    widget = next(item for item in client.get(reverse("bss:dashboard")).context["busy"] if item.name == "keys")
    assert (widget.title, widget.count, widget.lines[0].url) == ("Keys to enter", 1, url(old, "add_keys"))
    assert rows_of(client.get(widget.url)) == [old]
    add_keys(shop.staff, asset=old, keys=KEYS)
    assert rows_of(client.get(widget.url)) == []


def test_cancelling_says_that_it_is_the_whole(shop, row):
    assert "can only be returned as a whole" in text_of(staff_client(shop.organization).get(url(row, "cancel")))
