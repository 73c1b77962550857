"""A Standard reseller with a shop of his own and an end customer, for tests of the two legs of a sale.

The figures are distinctive: the distributor's purchase price is 77.77 EUR (the vendor's 64.81), the customer pays 99.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog.models import Listing, PriceList, PriceListAssignment, Product
from core.tenancy import Actor
from orders.legs import shown_basket
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.basket import add_line, open_basket, set_billing_address, set_service_details
from orders.services.place import place_order
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Site
from resellers.services.accounts import billing_address
from tests import factories
from tests.catalog.selling import listing, rule
from tests.shop import Shop, make_shop

COST, SELL = Decimal("77.77"), Decimal("99.00")
HIS, THEIRS = "Cedar Office", "Zircon Suite"


@dataclass
class World:
    """The shop of the distributor with, in it, a reseller's own."""

    shop: Shop
    site: Site
    customer: Account
    buyer: Actor
    decider: Actor
    other: Account
    prices: PriceList
    extra: dict[str, Any] = field(default_factory=dict)


def make_world(*, settings: dict[str, Any] | None = None, code: str = "", **credit: Decimal) -> World:
    """Build it; ``settings`` are the Microsoft instance's."""
    shop = make_shop(settings=settings, code=code, **credit)
    shop.organization.name = "Obsidian Distribution"
    shop.organization.save()
    Site.objects.filter(organization=shop.organization).update(name="Obsidian Distribution")
    Account.objects.filter(pk=shop.reseller.pk).update(name="Cedar Cloud", email="office@cedar.test")
    shop.reseller.refresh_from_db()
    site = factories.reseller_site(shop.reseller, Edition.STANDARD)
    prices = PriceListAssignment.objects.get(account=shop.reseller).price_list
    PriceList.objects.filter(pk=prices.pk).update(default_value=Decimal(0), name="Obsidian wholesale")
    shop.product.plans.get().costs.update(cost=COST, retail=Decimal(120))
    listing(shop.reseller, shop.product)
    rule(shop.reseller, "fixed", "99.00", plan=shop.plan)
    customer = shop.end_customer
    Account.objects.filter(pk=customer.pk).update(name="Elm Bakery")
    for row in (shop.reseller, customer):
        row.refresh_from_db()
    customer = Account.objects.select_related("bill_to").get(pk=customer.pk)
    other = factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=shop.reseller, name="Fir Florist")
    buyer, decider = actor_of(shop, customer), actor_of(shop, shop.reseller)
    return World(shop, site, customer, buyer, decider, other, prices)


def actor_of(shop: Shop, account: Account, *roles: str) -> Actor:
    """A fresh user of an account, an Admin unless roles are named."""
    return factories.actor(shop.organization, of=account, roles=list(roles) or None)


def basket_of(world: World, actor: Actor | None = None, *, quantity: int = 5) -> Basket:
    """A customer's basket that is ready to be ordered."""
    actor = actor or world.buyer
    basket = open_basket(actor, site=world.site)
    add_line(actor, basket=basket, site=world.site, plan=world.shop.plan, quantity=quantity)
    return ready(world, actor, basket)


def ready(world: World, actor: Actor, basket: Basket) -> Basket:
    """Address and service details of a basket."""
    account = basket.target_account
    assert account is not None
    basket = set_billing_address(actor, basket=basket, address=billing_address(account))
    details = {
        "state": "ok",
        "account": str(account.public_id),
        "options": {"domain_prefix": f"tenant{account.pk}", "username": "admin"},
        "agreement": {
            "first_name": "Ada",
            "last_name": "Byron",
            "email": "ada@account.test",
            "phone": "+49 30 1234567",
            "date_agreed": "2026-01-15",
        },
    }
    set_service_details(actor, basket=basket, instance_id=str(world.shop.instance.public_id), details=details)
    return Basket.objects.get(pk=basket.pk)


def order_of(world: World, actor: Actor | None = None, *, quantity: int = 5) -> Order:
    """What the customer orders, at the price that he sees."""
    actor = actor or world.buyer
    return place_own(actor, basket_of(world, actor, quantity=quantity))


def place_own(actor: Actor, basket: Basket) -> Order:
    """Place a basket at the total its owner reads."""
    shown = shown_basket(actor, priced_basket(basket)).quote
    assert shown is not None
    return place_order(
        actor, basket=basket, key=basket.checkout_key, seen_total=shown.gross, terms_accepted=True, browser="test"
    )


def make_named_world() -> World:
    """A world whose product the distributor calls ``THEIRS`` and the reseller's shop ``HIS``."""
    made = make_world()
    Product.objects.filter(pk=made.shop.product.pk).update(name=THEIRS, description="", summary="")
    Listing.objects.update(name=HIS, sort_name=HIS)
    made.shop.product.refresh_from_db()
    return made
