"""An active subscription at the Partner Center twin, for tests of its later life."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from billing.models import Charge
from cloudbss.ledger import problems
from core import clock
from core.tenancy import Actor
from orders.models import Order
from orders.services import more
from subscriptions.models import Operation, Subscription
from tests.drain import drain
from tests.shop import Shop, fill_basket, make_shop, place
from tests.twins import Twins
from vendors.services.instances import write_secret

BUSINESS_STANDARD = "CFQ7TTC0LDPB:0001"


def connected_shop(twins: Twins, code: str = BUSINESS_STANDARD) -> Shop:
    """A shop whose instance is connected to the twin, with consent given."""
    made = make_shop(settings=twins.instance_settings(), code=code)
    write_secret(made.instance, "refresh_token", twins.credentials()["refresh_token"])
    return made


def active(shop: Shop, twins: Twins, *, quantity: int = 5, actor: Actor | None = None, **values: Any) -> Subscription:
    """A subscription that the twin has provisioned."""
    who = actor or shop.customer_admin
    order = place(who, fill_basket(shop, who, quantity=quantity, **values))
    drain(twins)
    return Subscription.objects.get(order_number=order.number)


def fresh(row: Subscription) -> Subscription:
    """The row as it is stored now, with what the services look at."""
    rows = Subscription.objects.select_related("account", "bill_to", "plan", "product__product_type", "organization")
    return rows.get(pk=row.pk)


def buy(actor: Actor, row: Subscription, quantity: int) -> Order:
    """Order licences up to ``quantity`` at the price that is shown."""
    wish = more.wish_licences(fresh(row), quantity=quantity)
    return more.buy_licences(
        actor, subscription=row, quantity=quantity, key=uuid.uuid4(), seen_total=wish.preview.amount.gross
    )


def at_vendor(twins: Twins, row: Subscription) -> dict[str, Any]:
    """The subscription as the vendor has it."""
    return next(found for found in twins.state()["subscriptions"] if found["id"] == row.external_id)


def ledger(row: Subscription) -> list[Decimal]:
    """The net amounts that are due for it, in the order they were posted."""
    return [charge.net for charge in Charge.objects.filter(subscription=row, state="due").order_by("id")]


def move(twins: Twins, span: dt.timedelta) -> None:
    """Move both clocks."""
    clock.advance(span)
    twins.advance(f"PT{int(span.total_seconds())}S")


def last_operation(row: Subscription) -> Operation:
    """What was asked of the vendor last."""
    return Operation.objects.filter(subscription=row).order_by("-id")[0]


def assert_all_holds(twins: Twins) -> None:
    """Nothing is lost and nothing doubled, here and at the vendor."""
    assert ledger_problems(twins) == []


def ledger_problems(twins: Twins) -> list[str]:
    """What does not hold."""
    return problems({"partner_center": twins.state(), "cis": twins.state("cis")})
