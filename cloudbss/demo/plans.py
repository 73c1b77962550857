"""The demo's reseller plans: two products with prices, and Cedar Cloud's Standard storefront at ``/cedar/``."""

from collections.abc import Callable
from decimal import Decimal

from catalog.models import Plan, PriceList, Product
from catalog.services.price_lists import set_price
from catalog.services.products import publish_products
from core import outbox
from core.tenancy import Actor
from orders.selectors import plans_on_offer
from orders.services.plan_order import order_plan
from provisioning.services.plans import set_up_plans
from resellers.models import Account, Site
from resellers.routing import site_of_reseller

PRICES = {"free": Decimal(0), "standard": Decimal(49)}
SUMMARIES = {
    "free": "Your name and look, and a place where your customers see what they have.",
    "standard": "Your customers order by themselves at your prices; you approve what you want to approve.",
}
LOOK = {
    "tagline": "Your cloud, looked after around the corner.",
    "introduction": "Licences, mailboxes and backups for small companies, with people who know you by name.",
    "brand_color": "#1f7a4d",
    "anonymous_access": True,
    "support_email": "hello@cedar.example",
    "support_phone": "+49 89 555 0142",
    "terms": "This is a demonstration. Nothing is sold and nothing is charged.",
    "privacy": "The demonstration stores what you type until its data folder is removed.",
}


def build_plans(operator: Actor, staff: Actor, reseller: Account, say: Callable[[str], None]) -> Site | None:
    """Sell the plans, and open the storefront of ``reseller`` at ``/cedar/`` through an order; once."""
    instance = set_up_plans(operator)
    products = Product.objects.filter(product_type__instance=instance)
    for product in products:
        Product.objects.filter(pk=product.pk, summary="").update(summary=SUMMARIES[product.code])
    publish_products(operator, product_ids=list(products.values_list("public_id", flat=True)))
    for prices in PriceList.objects.filter(organization_id=operator.tenant_id, currency="EUR"):
        _price(operator, prices, instance.pk)
    site = site_of_reseller(reseller.pk)
    if site is not None:
        return site
    say("the reseller's storefront")
    offer = next(item for item in plans_on_offer(reseller) if item.plan.product.code == "standard")
    order_plan(staff, account=reseller, plan=offer.plan, alias="cedar")
    while outbox.run_due():
        pass
    Site.objects.filter(account=reseller).update(**LOOK)
    reseller.refresh_from_db()
    return site_of_reseller(reseller.pk)


def _price(operator: Actor, prices: PriceList, instance_id: int) -> None:
    """A plan's price is the same however it is billed; a year billed at once costs ten months."""
    plans = Plan.objects.filter(product__product_type__instance=instance_id).select_related("product")
    for plan in plans.exclude(prices__price_list=prices):
        months = 10 if plan.billing_cycle == "annual" else 1
        set_price(operator, price_list=prices, plan=plan, rule="fixed", value=PRICES[plan.product.code] * months)
