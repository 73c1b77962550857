"""Attacks by little that becomes much: a table that unpacks, uploads without end; and a page with a row gone."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from core.errors import BusinessError
from core.prepared import PreparedRead
from orders import service_values
from subscriptions.models import Subscription
from tests.api.conftest import made_shop  # noqa: F401 - the fixture
from tests.attack.browser import user_of
from tests.bss.running import running
from tests.shop import Shop
from ui import sheet_reader
from ui.sheet_reader import read_table

pytestmark = pytest.mark.django_db


def test_a_workbook_of_endless_words(monkeypatch: pytest.MonkeyPatch):
    """Packed it is small; what it says is kept for an hour, so there is an end to that too."""
    monkeypatch.setattr(sheet_reader, "MAX_TEXT", 100_000)
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["product code", "listed"])
    for number in range(60):
        sheet.append([f"{number}" + "x" * 1900, "yes"])
    packed = io.BytesIO()
    book.save(packed)
    assert len(packed.getvalue()) < 20_000
    with pytest.raises(BusinessError) as error:
        read_table(packed.getvalue())
    assert error.value.code == "file_too_large"


def test_one_table_of_a_person_is_kept(shop: Shop):
    """Uploading again and again fills nothing: the last table is the one that waits for its confirmation."""
    browser: Client = user_of(shop, shop.reseller)[1]
    url = reverse("storefront:shop_import")
    text = f"product code,name\n{shop.product.code},Mine\n".encode()

    def upload() -> Any:
        return browser.post(url, {"file": SimpleUploadedFile("table.csv", text)})

    first, second = upload(), upload()
    given = {"seen": second.context["found"].digest}
    assert browser.post(url, given | {"token": first.context["token"]})["Location"] == url
    assert browser.post(url, given | {"token": second.context["token"]})["Location"] != url


def test_a_row_gone_while_a_page_is_read_ends_no_walk(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """Who follows next is not told the list is over because one row went away between two statements."""
    rows = [running(shop) for _number in range(3)]
    read, once = PreparedRead(service_values.shown_services, ("public_id",)), []
    whole = PreparedRead.read

    def torn(self: PreparedRead, keys: Any) -> Any:
        wanted = list(keys)
        if not once:
            once.append(Subscription.objects.filter(pk=rows[0].pk).update(organization=shop.organization))
            return whole(self, wanted[1:])
        return whole(self, wanted)

    monkeypatch.setattr(PreparedRead, "read", torn)
    found = read.page(Subscription.objects.order_by("pk"), slice(0, 2))
    assert [row["pk"] for row in found] == [rows[0].pk, rows[1].pk]
