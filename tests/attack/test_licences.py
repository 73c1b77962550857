"""Attacks on licences: money, keys and quantities, two at once or with a platform that dies in between."""

from decimal import Decimal

import pytest

from billing.models import Charge, ChargeKind, ChargeState
from core.errors import BusinessError
from orders.services.asset_return import accept_return, return_asset
from provisioning.ports import Outcome, Result
from provisioning.services import desk, run
from subscriptions.enums import OperationState
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.returns import submit_return, withdraw_return
from tests import factories
from tests.attack.test_races import at_once
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "W269N-WFGWX-YVC9B-4J6C9-T83GX"


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def asset(shop: Shop) -> Asset:
    """A licence that was charged."""
    return charged(shop)


def charged(shop: Shop, gross: str = "149.00", **values) -> Asset:
    row = factories.asset(shop.product, account=shop.customer, key=KEY, **values)
    amount = Decimal(gross)
    Charge.objects.create(
        organization=shop.organization,
        payer=row.bill_to,
        account=row.account,
        asset=row,
        source=f"test:{row.public_id}",
        state=ChargeState.DUE,
        description=row.name,
        currency="EUR",
        net=amount,
        gross=amount,
    )
    return row


def credits() -> list[Decimal]:
    return list(Charge.objects.filter(kind=ChargeKind.CREDIT).values_list("gross", flat=True))


def answers(monkeypatch, result: Result) -> None:
    """What the vendor says from now on."""
    monkeypatch.setattr(run, "execute", lambda row: result)


TAKEN_BACK = Result(Outcome.DONE, data={"token_status": "return_accepted", "return_status": "successful"})


class TestMoney:
    def test_an_answer_that_was_kept_is_settled_by_a_retry(self, shop, asset, monkeypatch):
        request = return_asset(shop.staff, asset=asset, comment="")
        operation = Operation.objects.get(asset=asset)
        answers(monkeypatch, TAKEN_BACK)
        Asset.objects.update(token_status="redeemed")
        run.run_operation(operation.pk)
        operation.refresh_from_db()
        assert (operation.state, credits()) == (OperationState.ATTENTION, [])
        Asset.objects.update(token_status="activated")
        desk.retry(shop.staff, operation=operation)
        run.run_operation(operation.pk)
        for row in (operation, asset, request):
            row.refresh_from_db()
        assert (operation.state, asset.status, request.status) == (OperationState.DONE, "cancelled", "completed")
        assert credits() == [Decimal("-149.00")]

    def test_marked_as_done_by_staff_completes_the_request(self, shop, asset, monkeypatch):
        request = return_asset(shop.staff, asset=asset, comment="")
        operation = Operation.objects.get(asset=asset)
        answers(monkeypatch, Result(Outcome.ATTENTION, code="contract", message="?"))
        run.run_operation(operation.pk)
        desk.mark_done(shop.staff, operation=operation, external_id=asset.external_id, reason="seen there")
        request.refresh_from_db()
        assert (request.status, credits()) == ("completed", [Decimal("-149.00")])

    def test_a_refused_purchase_is_given_up_or_tried_again_not_both(self, shop, monkeypatch):
        row = factories.asset(shop.product, account=shop.customer, key="")
        operation = Operation.objects.create(
            organization=shop.organization, verb="asset_create", state="refused", asset=row,
            instance=row.instance, account=row.account,
        )  # fmt: skip
        Asset.objects.filter(pk=row.pk).update(sync_status="failed")
        desk.retry(shop.staff, operation=operation)
        with pytest.raises(BusinessError):
            desk.give_up(shop.staff, operation=operation, reason="nobody wants it")
        row.refresh_from_db()
        assert row.status == "pending"

    def test_given_up_and_tried_again_at_once_is_one_of_both(self, shop):
        row = factories.asset(shop.product, account=shop.customer, key="", sync_status="failed")
        operation = Operation.objects.create(
            organization=shop.organization, verb="asset_create", state="refused", asset=row,
            instance=row.instance, account=row.account,
        )  # fmt: skip
        found = at_once(
            lambda: desk.retry(shop.staff, operation=operation),
            lambda: desk.give_up(shop.staff, operation=operation, reason="nobody wants it"),
        )
        assert len([item for item in found if isinstance(item, BusinessError)]) == 1
        row.refresh_from_db()
        assert Operation.objects.filter(retry_of=operation).exists() == (row.status == "pending")

    def test_two_employees_return_it_at_once(self, shop, asset):
        found = at_once(*[lambda: return_asset(shop.staff, asset=asset, comment="")] * 3)
        assert len([item for item in found if isinstance(item, BusinessError)]) == 2
        assert (AssetReturn.objects.count(), Operation.objects.count()) == (1, 1)

    def test_accepted_and_withdrawn_at_once_is_one_of_both(self, shop, asset):
        request = submit_return(shop.customer_admin, asset=asset)
        found = at_once(
            lambda: accept_return(shop.staff, request=AssetReturn.objects.get(pk=request.pk)),
            lambda: accept_return(shop.staff, request=AssetReturn.objects.get(pk=request.pk)),
            lambda: withdraw_return(shop.customer_admin, request=AssetReturn.objects.get(pk=request.pk)),
        )
        assert len([item for item in found if isinstance(item, BusinessError)]) == 2
        request.refresh_from_db()
        assert Operation.objects.count() == (1 if request.status == "accepted" else 0)

    def test_a_free_licence_is_returned_without_a_credit(self, shop, monkeypatch):
        asset = charged(shop, "0")
        return_asset(shop.staff, asset=asset, comment="")
        answers(monkeypatch, TAKEN_BACK)
        run.run_operation(Operation.objects.get(asset=asset).pk)
        asset.refresh_from_db()
        assert (asset.return_status, credits()) == ("successful", [])
