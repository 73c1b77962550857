"""A distributor that sells reseller plans, for tests."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.models import Plan, Price, PriceList, Product
from core.tenancy import Actor, system_actor
from orders.models import Basket, Order
from orders.services.basket import add_line, open_basket, set_billing_address, set_service_details, set_target
from provisioning.services.plans import set_up_plans
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account, Organization, Site
from resellers.services.accounts import billing_address
from tests import factories
from tests.shop import place
from users.permissions import BSS_PERMS
from vendors.models import Instance

PRICES = {"free": Decimal(0), "standard": Decimal(49)}


@dataclass
class PlanShop:
    """A distributor, his plans, and a Basic reseller who may buy them."""

    organization: Organization
    site: Site
    instance: Instance
    reseller: Account
    admin: Actor

    def plan(self, code: str, term: str = "P1M") -> Plan:
        """A plan's monthly way to buy it."""
        return Plan.objects.get(
            product__code=code, product__organization=self.organization, term=term, billing_cycle="monthly"
        )

    def another_reseller(self, **values: object) -> Account:
        """One more Basic reseller with the same prices."""
        made = factories.account(self.organization, AccountKind.RESELLER, **values)
        assign(self.organization, made)
        return made


def assign(organization: Organization, account: Account) -> PriceList:
    """A price list with both plans."""
    prices = factories.price_list(organization, to=account)
    for plan in Plan.objects.filter(product__organization=organization, product__code__in=PRICES):
        Price.objects.create(
            organization=organization, price_list=prices, plan=plan, rule="fixed", value=PRICES[plan.product.code]
        )
    return prices


def make_plan_shop() -> PlanShop:
    """Build it."""
    organization = factories.organization()
    base = system_actor(organization.pk)
    operator = Actor(kind=base.kind, organization_id=organization.pk, label="set-up", perms=frozenset(BSS_PERMS))
    instance = set_up_plans(operator)
    Product.objects.filter(product_type__instance=instance).update(is_published=True)
    reseller = factories.account(organization, AccountKind.RESELLER, name="Cedar Cloud")
    assign(organization, reseller)
    return PlanShop(
        organization, factories.site_of(organization), instance, reseller, factories.actor(organization, of=reseller)
    )


def fill_plan(shop: PlanShop, code: str = "standard", *, alias: str = "cedar", actor: Actor | None = None) -> Basket:
    """A basket with a plan that only has to be placed."""
    who = actor or shop.admin
    account = Account.objects.get(pk=who.account_id or 0)
    basket = open_basket(who, site=shop.site)
    basket = set_target(who, basket=basket, mode=PurchaseMode.PERSONAL_USE, account=account)
    add_line(who, basket=basket, site=shop.site, plan=shop.plan(code), quantity=1)
    set_billing_address(who, basket=basket, address=billing_address(account))
    details = {"state": "ok", "account": str(account.public_id), "options": {"alias": alias} if alias else {}}
    set_service_details(who, basket=basket, instance_id=str(shop.instance.public_id), details=details)
    basket.refresh_from_db()
    return basket


def order_plan_of(shop: PlanShop, code: str = "standard", **values: object) -> Order:
    """An order of a plan by the reseller."""
    who = values.get("actor") or shop.admin
    return place(who, fill_plan(shop, code, **values))  # type: ignore[arg-type]
