"""An order that a vendor refused in part, as a program sees it."""

import pytest
from django.db import transaction

from orders.services import settle
from subscriptions.enums import OperationState
from subscriptions.models import Operation
from tests.api.caller import Program
from tests.api.contract import check
from tests.api.ordering import ORDERS, ask_nothing, checkout, filled, progress
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_what_the_vendor_refused_of_an_order_is_said(shop: Shop, reseller: Program, distributor: Program):
    ask_nothing(shop)
    order = filled(reseller, shop.end_customer, shop.product)
    assert checkout(reseller, order).status_code == 202
    before = reseller.get(f"{ORDERS}/{order}").json()["updatedAt"]
    operation = Operation.objects.get()
    Operation.objects.filter(pk=operation.pk).update(
        state=OperationState.REFUSED, code="7700", message="Tenant 42 of Contoso has no credit"
    )
    with transaction.atomic():
        settle.fail(operation, reason="no credit")
    shown = check(reseller.get(f"{ORDERS}/{order}"), f"{ORDERS}/{{orderId}}", reseller=True)
    assert shown["status"] == {"id": 4, "name": "Partially failed", "type": "Executed"}
    assert shown["updatedAt"] > before
    for name, number in (("Partially failed", 1), ("Executed", 0)):
        found = reseller.get(f"{ORDERS}?$filter=statusName eq '{name}'").json()
        assert found["paging"]["totalRecords"] == number
    told, told_staff = progress(reseller, order), progress(distributor, order)
    assert (told["status"], told["error"]["code"], told_staff["error"]["code"]) == (
        "Executed",
        "vendor_refused",
        "7700",
    )
    assert "Contoso" not in told["error"]["message"]
    assert "Contoso" in told_staff["error"]["message"]
