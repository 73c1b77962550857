"""Perpetual licences in the storefront: list, page, ids, keys and the request to give them back (``esd.md`` 11)."""

import pytest
from django.urls import reverse

from subscriptions.models import Asset, AssetReturn
from subscriptions.services.assets import finish_return
from subscriptions.services.keys import add_keys
from tests import factories
from tests.bss.staff import rows_of
from tests.shop import Shop
from tests.storefront.services import HTMX, browser, text_of
from users.permissions import StorefrontRole

pytestmark = pytest.mark.django_db
KEYS = ("NKWF6-TP4MQ-7HXVB-92CDR-GJ8TY", "B7PXD-4QKNM-RV8TC-2WHYF-9JG63")
OWN = "7a1b3c5d-0000-4000-8000-000000000001"
LIST = reverse("storefront:asset_list")


@pytest.fixture
def row(shop: Shop) -> Asset:
    return factories.perpetual_asset(shop.product, account=shop.customer)


def url(row: Asset, name: str = "detail") -> str:
    return reverse(f"storefront:asset_{name}", args=[row.public_id])


def test_check_20_the_perpetual_id_is_a_column_and_a_filter(shop, row):
    known = factories.perpetual_asset(shop.product, account=shop.customer, perpetual_id=OWN)
    client = browser(shop, shop.customer)
    assert OWN in client.get(LIST).content.decode()
    assert rows_of(client.get(LIST, {"perpetual_id": OWN})) == [known]
    response = client.get(LIST, {"format": "csv"})
    assert OWN.encode() in (b"".join(response) if response.streaming else response.content)


def test_the_page_tells_ids_quantity_and_keys(shop, row):
    client = browser(shop, shop.customer)
    page = text_of(client.get(url(row)))
    for words in ("not yet assigned by Microsoft", row.vendor_order_id, "Check again", "Keys appear here if"):
        assert words in page
    assert "Token status" not in page
    Asset.objects.filter(pk=row.pk).update(perpetual_id=OWN)
    add_keys(shop.staff, asset=row, keys=KEYS)
    page = text_of(client.get(url(row)))
    assert (OWN in page, "•••••-GJ8TY" in page, KEYS[0] in page) == (True, True, False)
    shown = client.post(url(row, "key"), headers=HTMX).content.decode()
    assert (KEYS[0] in shown, KEYS[1] in shown) == (True, True)


def test_only_an_admin_shows_the_keys(shop, row):
    add_keys(shop.staff, asset=row, keys=KEYS)
    client = browser(shop, shop.customer, StorefrontRole.SUBSCRIPTIONS_MANAGER.value)
    assert client.post(url(row, "key")).status_code == 403
    assert "An Admin of your company can show the whole keys." in text_of(client.get(url(row)))


def test_a_return_is_asked_for_as_a_whole(shop, row):
    client = browser(shop, shop.customer)
    assert "can only be returned as a whole" in text_of(client.get(url(row, "cancel")))
    assert client.post(url(row, "cancel"), {"comment": "Not needed"}).status_code == 302
    assert AssetReturn.objects.get(asset=row).status == "submitted"


def test_after_a_return_no_key_is_shown(shop, row):
    add_keys(shop.staff, asset=row, keys=KEYS)
    finish_return(shop.staff, row, {})
    client = browser(shop, shop.customer)
    page = text_of(client.get(url(row)))
    assert ("deactivated" in page, "Show the keys" in page) == (True, False)
    assert KEYS[0] not in client.post(url(row, "key"), headers=HTMX).content.decode()
