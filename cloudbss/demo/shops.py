"""The demo reseller's shop: most products listed, a margin of 20 % ending in .99, and a few narrower rules."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from catalog.models import Category, Listing, Product, Rounding, SellingKind, SellingRule
from catalog.selectors import price_list_of, sold_products
from catalog.services.listings import list_products, save_listing
from catalog.services.selling import RuleDraft, save_policy, save_rule
from catalog.services.shop_upkeep import keep_shops
from core.tenancy import Actor
from resellers.models import Account

# Of so many products one stays unlisted, so that there is something to do.
LEFT_OUT = 9


def build_shop(operator: Actor, reseller: Account, customer: Account, say: Callable[[str], None]) -> None:
    """Fill the shop of ``reseller``, once; ``customer`` gets a rule of his own."""
    prices = price_list_of(reseller)
    if prices is None or Listing.objects.filter(account=reseller).exists():
        return
    say("the reseller's shop")
    actor = replace(operator, account_id=reseller.pk)
    if not SellingRule.objects.filter(account=reseller).exists():
        values = {"rounding": Rounding.END_99.value, "floor": Decimal(10)}
        save_policy(actor, reseller=reseller, values=values)
        _rules(actor, reseller, customer)
    products = list(sold_products(actor, prices).order_by("name", "pk"))
    chosen = [row for number, row in enumerate(products) if number % LEFT_OUT]
    list_products(actor, reseller=reseller, products=chosen)
    if chosen:
        _words(actor, reseller, chosen[0])
    keep_shops()


def _rules(actor: Actor, reseller: Account, customer: Account) -> None:
    accepted = ("under_floor", "typing")
    drafts = [RuleDraft(SellingKind.MARGIN, Decimal(20)), RuleDraft(SellingKind.MARGIN, Decimal(15), customer=customer)]
    category = Category.objects.filter(organization=reseller.organization_id).order_by("position", "pk").first()
    if category is not None:
        drafts.append(RuleDraft(SellingKind.MARKUP, Decimal(30), category=category))
    for draft in drafts:
        save_rule(actor, reseller=reseller, draft=draft, accepted=accepted)


def _words(actor: Actor, reseller: Account, product: Product) -> None:
    values = {"summary": "Recommended by Cedar Cloud, with set-up in a day.", "position": 1}
    save_listing(actor, reseller=reseller, product=product, values=values)
