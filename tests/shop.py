"""A small distributor that is ready to sell, for tests of orders and provisioning."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from catalog.models import Plan, Product
from core.tenancy import Actor
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.basket import add_line, open_basket, set_billing_address, set_service_details, set_target
from orders.services.place import place_order
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account, Organization, Site
from resellers.services.accounts import billing_address
from tests import factories
from vendors.models import Instance


@dataclass
class Shop:
    """Distributor, site, a direct customer, a reseller with one end customer and one affiliate, one product."""

    organization: Organization
    site: Site
    instance: Instance
    product: Product
    customer: Account
    reseller: Account
    end_customer: Account
    affiliate: Account
    staff: Actor
    customer_admin: Actor
    reseller_admin: Actor

    @property
    def plan(self) -> Plan:
        """The product's only plan: 12.00 EUR a month and unit to everybody."""
        return self.product.plans.get()


def make_shop(*, settings: dict[str, Any] | None = None, code: str = "", **credit: Decimal) -> Shop:
    """Build a shop; ``settings`` are the Microsoft instance's."""
    organization = factories.organization()
    instance = factories.instance(organization, settings=settings)
    product = factories.product(instance, code=code)
    customer = factories.account(organization, credit_limit=credit.get("customer", Decimal(100000)))
    reseller = factories.account(
        organization, AccountKind.RESELLER, credit_limit=credit.get("reseller", Decimal(100000))
    )
    for account in (customer, reseller):
        factories.price_list(organization, to=account)
    return Shop(
        organization=organization,
        site=factories.site_of(organization),
        instance=instance,
        product=product,
        customer=customer,
        reseller=reseller,
        end_customer=factories.account(organization, AccountKind.END_CUSTOMER, bill_to=reseller),
        affiliate=factories.account(organization, AccountKind.AFFILIATE, bill_to=reseller),
        staff=factories.actor(organization),
        customer_admin=factories.actor(organization, of=customer),
        reseller_admin=factories.actor(organization, of=reseller),
    )


def fill_basket(
    shop: Shop,
    actor: Actor,
    *,
    quantity: int = 5,
    mode: str = "",
    target: Account | None = None,
    options: dict[str, Any] | None = None,
    mpn_id: str = "",
) -> Basket:
    """A basket that is ready to be ordered: line, target, address and service details."""
    basket = open_basket(actor, site=shop.site)
    account = target or (shop.reseller if actor.account_id == shop.reseller.pk else shop.customer)
    if actor.account_id == shop.reseller.pk and not mode:
        mode = PurchaseMode.PERSONAL_USE
    basket = set_target(actor, basket=basket, mode=mode, account=account)
    add_line(actor, basket=basket, site=shop.site, plan=shop.plan, quantity=quantity)
    basket = set_billing_address(actor, basket=basket, address=billing_address(account))
    details = {
        "state": "ok",
        "account": str(account.public_id),
        "options": options or {"domain_prefix": f"tenant{account.pk}", "username": "admin"},
        "agreement": {
            "first_name": "Ada",
            "last_name": "Byron",
            "email": "ada@account.test",
            "phone": "+49 30 1234567",
            "date_agreed": "2026-01-15",
        },
    }
    if mpn_id:
        details |= {"mpn_id": mpn_id, "reseller_tenant_id": ""}
    set_service_details(actor, basket=basket, instance_id=str(shop.instance.public_id), details=details)
    basket.refresh_from_db()
    return basket


def place(actor: Actor, basket: Basket, *, key: UUID | None = None, total: Decimal | None = None) -> Order:
    """Place the basket's order at the price it shows."""
    quote = priced_basket(basket).quote
    seen = total if total is not None else quote.gross if quote else Decimal(0)
    return place_order(
        actor, basket=basket, key=key or basket.checkout_key, seen_total=seen, terms_accepted=True, browser="test"
    )
