"""A small town of customers whose orders the scenarios place, and what is counted of them afterwards."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import close_old_connections
from django.db.utils import InterfaceError, OperationalError

from cloudbss.demo.twins import call_twins
from cloudbss.ledger import problems
from core import clock, outbox
from core.tenancy import Actor
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.place import place_order
from resellers.models import Account
from subscriptions.enums import OPEN_STATES, OperationState
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.shop import Shop, fill_basket, make_shop
from vendors.services.instances import write_secret

PRODUCT = "CFQ7TTC0LDPB:0001"
LIVE = ("active", "suspended", "pending")
TRIES = 60


@dataclass
class Town:
    """A connected shop, its customers, and the orders that were accepted."""

    shop: Shop
    customers: list[Actor] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)

    def place(self, number: int, quantity: int = 2) -> int:
        """Order by the next customer, as often as it takes with one key; the order's primary key."""
        actor = self.customers[number % len(self.customers)]
        basket = persist(lambda: self.basket(actor, quantity))
        order: Order = persist(lambda: self._order(actor, basket))
        self.accepted.append(order.pk)
        return order.pk

    def basket(self, actor: Actor, quantity: int) -> Basket:
        """A basket of a customer that is ready to be ordered."""
        account = Account.objects.get(pk=actor.account_id or 0)
        options = {"domain_prefix": f"chaos{account.pk}", "username": "admin"}
        return fill_basket(self.shop, actor, quantity=quantity, target=account, options=options)

    @staticmethod
    def _order(actor: Actor, basket: Basket) -> Order:
        done = Order.objects.filter(idempotency_key=basket.checkout_key).first()
        if done is not None:
            return done
        quote = priced_basket(basket).quote
        total = quote.gross if quote else Decimal(0)
        return place_order(actor, basket=basket, key=basket.checkout_key, seen_total=total, terms_accepted=True)


def persist(call: Any) -> Any:
    """Do it until the database answers: what a person does who presses the button again."""
    for _try in range(TRIES):
        try:
            return call()
        except (OperationalError, InterfaceError):
            close_old_connections()
            time.sleep(0.5)
    raise SystemExit("the database does not come back")


def found(customers: int, settings: dict[str, Any], refresh_token: str) -> Town:
    """A distributor with so many customers, connected to the twins."""
    shop = make_shop(settings=settings, code=PRODUCT)
    write_secret(shop.instance, "refresh_token", refresh_token)
    shop.site.host = f"{shop.organization.slug}.localhost"  # A name the web server answers to.
    shop.site.save(update_fields=["host"])
    town = Town(shop)
    for _number in range(customers):
        account = factories.account(shop.organization)
        factories.price_list(shop.organization, to=account)
        town.customers.append(factories.actor(shop.organization, of=account))
    return town


def hurry() -> None:
    """Let time pass faster: the vendor's clock goes on, and what waits for it is looked at now."""
    call_twins("POST", "/_twin/clock", body={"advance": "PT15S"})
    waiting = Operation.objects.filter(state=OperationState.WAITING, not_before__year__lt=9000)
    waiting.filter(claimed_until=None).update(not_before=clock.now())
    outbox.sweep()


def settle(patience: float) -> Iterator[int]:
    """Until nothing is open any more; yields how much still is, about once a second."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        left = persist(lambda: Operation.objects.filter(state__in=OPEN_STATES).count())
        if not left:
            return
        yield left
        persist(hurry)
        time.sleep(1)
    raise SystemExit("operations did not come to rest")


def figures(town: Town) -> dict[str, Any]:
    """What is here and what is at the vendor; ``problems`` is empty if nothing is lost and nothing doubled."""
    state = call_twins("GET", "/_twin/state/partner_center")
    rows = [row for row in state["subscriptions"] if row["status"] in LIVE]
    references = Counter(row["client_reference"] for row in rows)
    known = set(Subscription.objects.exclude(external_id="").values_list("external_id", flat=True))
    desk = Operation.objects.exclude(state__in=[OperationState.DONE, OperationState.GIVEN_UP]).count()
    return {
        "orders": len(set(town.accepted)),
        "active_here": Subscription.objects.filter(status="active").count(),
        "active_at_vendor": len(rows),
        "doubled": sum(count - 1 for count in references.values() if count > 1),
        "orphaned": sum(row["id"] not in known for row in rows),
        "on_the_desk": desk,
        "attempts": max(Operation.objects.values_list("attempts", flat=True), default=0),
        "problems": problems({"partner_center": state}),
    }
