"""Steps of an order by an employee, for tests."""

from typing import Any

from django.test import Client
from django.urls import reverse

from billing.models import Charge
from catalog.models import AddOnRelation, Product
from orders.models import Basket, Order
from resellers.models import Account
from resellers.services.accounts import billing_address
from subscriptions.models import Subscription
from tests import factories
from tests.shop import Shop

NEW = reverse("bss:order_new")
ANSWERS = {
    "domain_prefix": "staffordered",
    "username": "admin",
    "agreement_first_name": "Ada",
    "agreement_last_name": "Byron",
    "agreement_email": "ada@account.test",
    "agreement_accepted": "on",
    "agreement_date": "2026-01-15",
}


def url(account: Account, step: str = "", *more: object) -> str:
    return reverse(f"bss:account_order{step}", args=[account.public_id, *more])


def add(client: Client, shop: Shop, account: Account, quantity: int = 5) -> Any:
    return client.post(url(account, "_add"), {"plan": shop.plan.public_id, "quantity": quantity}, follow=True)


def ready(client: Client, shop: Shop, account: Account, quantity: int = 5) -> Basket:
    """An order that only has to be placed: lines, address and details are there."""
    add(client, shop, account, quantity)
    assert client.post(url(account, "_billing"), billing_address(account.bill_to or account)).status_code == 302
    row = Basket.objects.get(by_staff=True, target_account=account)
    options = {"domain_prefix": "known", "username": "admin"}
    good = {"state": "ok", "account": str(account.public_id), "options": options}
    row.service_details = {str(shop.instance.public_id): good}
    row.save()
    return row


def confirmed(client: Client, account: Account, **changes: Any) -> dict[str, Any]:
    """What the form of the review sends, with the customer's acceptance confirmed."""
    form = client.get(url(account, "_review")).context["form"]
    values = {name: form[name].value() for name in ("key", "total", "terms_version")}
    return values | {"terms": "on", "then": "execute"} | changes


def with_addon(shop: Shop, parent: Product) -> Product:
    """An add-on that may be bought with ``parent``."""
    made = factories.product(shop.instance, is_addon=True)
    AddOnRelation.objects.create(organization=shop.organization, parent=parent, addon=made)
    return made


def nothing_ordered() -> bool:
    return not (Order.objects.exists() or Charge.objects.exists() or Subscription.objects.exists())
