"""Attacks on licences: money, keys and quantities, two at once or with a platform that dies in between."""

from decimal import Decimal

import pytest

from billing.models import Charge, ChargeKind, ChargeState
from catalog.models import Plan, ProductType
from core.audit import AuditEntry
from core.errors import BusinessError, PermissionRefused
from core.events import Event
from orders.models import Basket, BasketLine
from orders.services.asset_return import accept_return, return_asset
from orders.services.basket import add_line, adopt_basket, open_basket
from provisioning.ports import Outcome, Result
from provisioning.services import desk, run
from provisioning.services.assets import window_of
from resellers.models import Account
from subscriptions.asset_selectors import addresses_to_choose
from subscriptions.enums import OperationState
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.keys import resend_token
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


class TestKey:
    def test_a_key_in_the_reason_of_giving_up_a_return_is_masked(self, shop, asset, monkeypatch):
        request = return_asset(shop.staff, asset=asset, comment="")
        operation = Operation.objects.get(asset=asset)
        answers(monkeypatch, Result(Outcome.ATTENTION, code="contract"))
        run.run_operation(operation.pk)
        desk.give_up(shop.staff, operation=operation, reason=f"Microsoft does not know {KEY}.")
        for row in (operation, request):
            row.refresh_from_db()
        assert request.reason == "Microsoft does not know •••••-T83GX."
        assert KEY not in operation.message
        assert not [entry for entry in AuditEntry.objects.all() if KEY in entry.reason]
        assert not [event for event in Event.objects.all() if KEY in str(event.payload)]

    def test_an_end_customer_is_not_told_the_addresses_of_his_reseller(self, shop):
        Account.objects.filter(pk=shop.reseller.pk).update(mail_licences=False)
        row = factories.asset(shop.product, account=shop.end_customer, key=KEY, purchase_mode="end_customer")
        own = factories.actor(shop.organization, of=shop.end_customer)
        row = Asset.objects.select_related("account", "bill_to").get(pk=row.pk)
        assert addresses_to_choose(own, row) == []
        assert addresses_to_choose(shop.reseller_admin, row)[0] == shop.reseller.contacts.get(is_primary=True).email
        with pytest.raises(PermissionRefused):
            resend_token(own, asset=row)


def by_units(shop: Shop) -> Plan:
    """The shop's plan, of which every unit is a line of its own."""
    ProductType.objects.update(split_quantity=True)
    return Plan.objects.get(pk=shop.plan.pk)


class TestQuantity:
    @pytest.mark.parametrize("quantity", [0, -1, 51, 10**9])
    def test_odd_numbers_of_licences_are_refused_in_words(self, shop, quantity):
        plan = by_units(shop)
        basket = open_basket(shop.customer_admin, site=shop.site)
        with pytest.raises(BusinessError) as caught:
            add_line(shop.customer_admin, basket=basket, site=shop.site, plan=plan, quantity=quantity)
        assert caught.value.code == "quantity_limit"
        assert not basket.lines.exists()

    def test_two_colleagues_windows_do_not_overfill_a_basket(self, shop):
        plan = by_units(shop)
        basket = open_basket(shop.customer_admin, site=shop.site)
        add = {"basket": basket, "site": shop.site, "plan": plan, "quantity": 30}
        found = at_once(*[lambda: add_line(shop.customer_admin, **add)] * 3)
        assert [item.code for item in found if isinstance(item, BusinessError)] == ["basket_full"] * 2
        assert basket.lines.count() == 30

    def test_signing_in_does_not_overfill_a_basket(self, shop):
        plan = by_units(shop)
        mine = open_basket(shop.customer_admin, site=shop.site)
        add_line(shop.customer_admin, basket=mine, site=shop.site, plan=plan, quantity=40)
        old = Basket.objects.create(organization=shop.organization, site=shop.site)
        for unit in range(100, 130):
            BasketLine.objects.create(organization=shop.organization, basket=old, plan=plan, unit=unit)
        adopt_basket(shop.customer_admin, site=shop.site, visitor_key=str(old.public_id))
        assert mine.lines.count() == 50


@pytest.mark.parametrize("days", [0, "0"])
def test_a_window_of_no_days_is_none(shop, asset, days):
    asset.product.attributes = {"return_window_days": days}
    assert window_of(asset) == 0
