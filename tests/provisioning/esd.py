"""A shop that sells ESD licences of the CIS twin in Greece, for tests of their life."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.models import Plan, Product
from cloudbss.demo.esd import open_instance, run_now
from core.tenancy import Actor
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.basket import add_line, open_basket, set_billing_address, set_target
from provisioning.services.setup import start_definition
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account, Organization, Site
from resellers.services.accounts import billing_address
from subscriptions.models import Asset
from tests import factories
from tests.shop import place
from tests.twins import Twins
from vendors.models import Instance

OFFICE = "T5D-06798"
NOT_RETURNABLE = "4YR-00354"
FOURTEEN_DAYS = "QQ2-01897"


@dataclass
class EsdShop:
    """Distributor, site, a Greek customer, a Greek reseller with an end customer, the instance with its products."""

    organization: Organization
    site: Site
    instance: Instance
    customer: Account
    reseller: Account
    end_customer: Account
    staff: Actor
    customer_admin: Actor
    reseller_admin: Actor

    def product(self, sku: str = OFFICE, instance: Instance | None = None) -> Product:
        """The product of a SKU, on sale."""
        rows = Product.objects.filter(product_type__instance=instance or self.instance, attributes__sku=sku)
        rows.update(is_published=True)
        return rows.get()

    def plan(self, sku: str = OFFICE, instance: Instance | None = None) -> Plan:
        """The product's only plan."""
        return self.product(sku, instance).plans.get()


def make_esd_shop(*, credit: Decimal = Decimal(100000), **values: Any) -> EsdShop:
    """Build the shop; the instance is active and its catalogue is read."""
    organization = factories.organization()
    staff = factories.actor(organization)
    instance = open_instance(staff, country="GR", language=values.get("language", "en-US"), currency="EUR")
    run_now(start_definition(staff, instance=instance))
    greek = {"country": "GR", "credit_limit": credit}
    customer = factories.account(organization, **greek)
    reseller = factories.account(organization, AccountKind.RESELLER, **greek)
    prices = {"default_rule": "discount", "default_value": Decimal(0)}
    for account in (customer, reseller):
        factories.price_list(organization, to=account, **prices)
    return EsdShop(
        organization=organization,
        site=factories.site_of(organization),
        instance=instance,
        customer=customer,
        reseller=reseller,
        end_customer=factories.account(organization, AccountKind.END_CUSTOMER, bill_to=reseller, country="GR"),
        staff=staff,
        customer_admin=factories.actor(organization, of=customer),
        reseller_admin=factories.actor(organization, of=reseller),
    )


def fill(
    shop: EsdShop, actor: Actor, plan: Plan, *, quantity: int = 1, mode: str = "", target: Account | None = None
) -> Basket:
    """A basket that is ready to be ordered."""
    basket = open_basket(actor, site=shop.site)
    is_reseller = actor.account_id == shop.reseller.pk
    account = target or (shop.reseller if is_reseller else shop.customer)
    mode = mode or (PurchaseMode.PERSONAL_USE if is_reseller else "")
    basket = set_target(actor, basket=basket, mode=mode, account=account)
    add_line(actor, basket=basket, site=shop.site, plan=plan, quantity=quantity)
    basket = set_billing_address(actor, basket=basket, address=billing_address(account.bill_to or account))
    basket.refresh_from_db()
    return basket


def order(shop: EsdShop, actor: Actor | None = None, *, sku: str = OFFICE, quantity: int = 1, **values: Any) -> Order:
    """An order of licences; nothing is provisioned yet."""
    who = actor or shop.customer_admin
    return place(who, fill(shop, who, shop.plan(sku), quantity=quantity, **values))


def assets_of(order: Order) -> list[Asset]:
    """The assets of an order, in the order of its lines."""
    return list(Asset.objects.filter(order_number=order.number, organization=order.organization_id).order_by("pk"))


def licences(twins: Twins) -> list[dict[str, Any]]:
    """What exists at the twin."""
    return list(twins.state("cis")["licences"])


def total(basket: Basket) -> Decimal:
    """What the basket costs."""
    quote = priced_basket(basket).quote
    return quote.gross if quote else Decimal(0)
