"""Check 4 of ``channel.md``: an affiliate order for a product that is not Microsoft's executes, and is provisioned."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from billing.models import Charge
from catalog.models import ProductType
from orders.enums import OrderStatus
from orders.models import Order
from orders.services.basket import add_line, open_basket, set_billing_address, set_service_details, set_target
from provisioning.ports import AccountData, Context, Field, Outcome, Result, ServiceRequest
from resellers.enums import PurchaseMode
from resellers.models import Account
from resellers.services.accounts import billing_address
from subscriptions.models import Operation, Subscription
from tests.drain import drain
from tests.shop import Shop, make_shop, place
from vendors.models import Application, ConsentState, Instance, InstanceState

pytestmark = pytest.mark.django_db
CODE = "northern_backup"


class NorthernBackup:
    """A vendor of backups: no consent, no partner ids, one call for a service."""

    code = CODE
    name = "Northern Backup"
    verbs = frozenset({"describe_settings", "account_sync", "create", "lookup", "read_state", "cancel"})
    bought: ClassVar[list[ServiceRequest]] = []

    def describe_settings(self) -> list[Field]:
        """There is nothing to set up."""
        return []

    def account_options(self, ctx: Context, account: AccountData) -> list[Field]:
        """Nothing is asked."""
        return []

    def account_sync(self, ctx: Context, account: AccountData) -> Result:
        """Each account is a customer of the vendor's."""
        return Result(Outcome.DONE, external_id=f"backup-{account.id}", data={})

    def create(self, ctx: Context, request: ServiceRequest) -> Result:
        """Sold at once."""
        self.bought.append(request)
        return self.lookup(ctx, request)

    def lookup(self, ctx: Context, request: ServiceRequest) -> Result:
        """It runs if it was bought."""
        if request.subscription_id not in {row.subscription_id for row in self.bought}:
            return Result(Outcome.REFUSED, code="subscription_gone", message="not bought")
        data: Mapping[str, Any] = {"status": "active", "quantity": request.quantity, "auto_renew": request.auto_renew}
        return Result(Outcome.DONE, external_id=f"plan-{request.subscription_id}", data=dict(data))

    read_state = lookup

    def cancel(self, ctx: Context, request: ServiceRequest) -> Result:
        """Ended."""
        return Result(Outcome.DONE, external_id=request.subscription_id, data={"status": "cancelled"})


@pytest.fixture
def shop(settings: Any) -> Shop:
    """A shop whose only product is Northern Backup's."""
    settings.CONNECTORS = settings.CONNECTORS | {CODE: f"{__name__}.NorthernBackup"}
    NorthernBackup.bought.clear()
    made = make_shop()
    vendor, _made = Application.objects.get_or_create(code=CODE, defaults={"name": "Northern Backup"})
    Instance.objects.filter(pk=made.instance.pk).update(
        application=vendor, state=InstanceState.ACTIVE, consent=ConsentState.GIVEN
    )
    ProductType.objects.update(name="Backup", external_id="backup")
    made.instance.refresh_from_db()
    made.product.refresh_from_db()
    return made


def order_for(shop: Shop, mode: str, account: Account) -> Order:
    """Three licences, as the reseller orders them for an account."""
    actor = shop.reseller_admin
    basket = set_target(actor, basket=open_basket(actor, site=shop.site), mode=mode, account=account)
    add_line(actor, basket=basket, site=shop.site, plan=shop.plan, quantity=3)
    basket = set_billing_address(actor, basket=basket, address=billing_address(account))
    details = {"state": "ok", "account": str(account.public_id), "options": {}}
    set_service_details(actor, basket=basket, instance_id=str(shop.instance.public_id), details=details)
    basket.refresh_from_db()
    return place(actor, basket)


@pytest.mark.parametrize("mode", [PurchaseMode.AFFILIATE, PurchaseMode.PERSONAL_USE, PurchaseMode.END_CUSTOMER])
def test_order_for_another_vendors_product_executes_in_every_mode(shop, mode):
    accounts = {
        PurchaseMode.AFFILIATE: shop.affiliate,
        PurchaseMode.PERSONAL_USE: shop.reseller,
        PurchaseMode.END_CUSTOMER: shop.end_customer,
    }
    account = accounts[mode]
    order = order_for(shop, mode, account)
    drain()
    order.refresh_from_db()
    assert (order.status, order.purchase_mode, order.payer) == (OrderStatus.EXECUTED, mode, shop.reseller)
    row = Subscription.objects.get(order_number=order.number)
    assert (row.status, row.account, row.bill_to, row.purchase_mode) == ("active", account, shop.reseller, mode)
    assert (row.external_id, row.mpn_id) == (f"plan-{row.public_id}", "")
    assert set(Operation.objects.values_list("state", flat=True)) == {"done"}
    assert Charge.objects.get().account == account
    [asked] = NorthernBackup.bought
    assert (asked.quantity, asked.product_code) == (3, shop.product.code)
