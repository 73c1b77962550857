"""Microsoft ESD: three countries' catalogues refreshed, and licences from the order to the key, by worker process.

The catalogues are read by a process of their own (``bench/refresh.py``), so that its peak memory is theirs. Licences
are ordered through ``place_order`` and bought by solo workers on the ``vendors`` queue; the mails that follow have a
queue of their own and nobody who works on it here. The limit of four purchases at a time stays, the one of 60 calls a
minute does not (``bench/settings.py``).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.client import Series
from bench.dataset import make_organization, operator
from bench.orders import forget_messages
from bench.provisioning import NOOPS, QUEUE, NotDone, noops_per_second, send, wait_while
from bench.size import Plan
from bench.stack import BASE, Stack
from billing.models import TaxRate
from catalog.models import Plan as CatalogPlan
from catalog.models import PriceList, PriceListAssignment
from catalog.services.products import publish_products
from cloudbss.demo.esd import open_instance
from cloudbss.demo.twins import call_twins
from core.tenancy import Actor
from orders.models import Basket
from orders.selectors import priced_basket
from orders.services.basket import add_line, open_basket, set_billing_address, set_target
from orders.services.place import place_order
from resellers.enums import AccountKind
from resellers.models import Account, Membership, Organization, Site
from resellers.selectors import actor_for
from resellers.services.accounts import billing_address, create_account
from subscriptions.asset_enums import AssetStatus
from subscriptions.enums import OPEN_STATES, OperationState
from subscriptions.models import Asset, Operation
from users.models import User
from vendors.models import Instance

COUNTRIES = {"GR": ("el-GR", "EUR"), "DE": ("de-DE", "EUR"), "US": ("en-US", "USD")}
BASIC = 9  # About so many products are seeded in each country; the rest is filled.
CHANGES = 100
SOLD = "GEN-{:06}"
DELAYS = (0.0, 0.2)


@dataclass
class Counter:
    """A distributor with an instance for each country, and his customers in Greece, each with one user."""

    organization: Organization
    site: Site
    instances: dict[str, Instance]
    buyers: list[Actor]


def open_counter(customers: int) -> Counter:
    """Make the distributor, his instances against the twin, and so many customers."""
    organization, site, _staff = make_organization("esd")
    actor = operator(organization)
    TaxRate.objects.create(organization=organization, country="GR", percent=Decimal(24))
    instances = {
        country: open_instance(actor, country=country, language=language, currency=currency)
        for country, (language, currency) in COUNTRIES.items()
    }
    buyers = [make_buyer(organization, site, number) for number in range(customers)]
    return Counter(organization, site, instances, buyers)


def make_buyer(organization: Organization, site: Site, number: int) -> Actor:
    """A customer in Greece with unlimited credit, and the actor of his administrator."""
    values = {
        "name": f"Olive House {number}",
        "email": f"office{number}@olive.example",
        "phone": "+30 210 2270",
        "address_line1": "Ermou 1",
        "city": "Athina",
        "postal_code": "10563",
        "country": "GR",
    }
    account = create_account(operator(organization), kind=AccountKind.DIRECT, values=values, organization=organization)
    Account.objects.filter(pk=account.pk).update(credit_unlimited=True)
    prices = PriceList.objects.get(organization=organization, is_default=True)
    PriceListAssignment.objects.create(organization=organization, account=account, price_list=prices)
    user = User.objects.create_user(
        organization.public_id, f"user{number}@olive.example", None, first_name="Ada", last_name="Abel"
    )
    Membership.objects.create(organization=organization, user=user, account=account, roles=["admin"])
    return actor_for(user, site, as_staff=False)


# --- Catalogue ---


def fill(products: int) -> None:
    """Let each country of the twin sell so many products; a day ago, so that they are no changes of today."""
    call_twins("POST", "/_twin/clock", body={"advance": "-P1D"})
    for country in COUNTRIES:
        call_twins("POST", "/_twin/cis/catalog", body={"country": country, "fill": products})
    call_twins("POST", "/_twin/clock", body={"advance": "P1D"})


def change(count: int) -> None:
    """Change so many products of each country: names and prices by halves, and every tenth is sold no more."""
    for country in COUNTRIES:
        changes: list[dict[str, Any]] = []
        for number in range(1, count + 1):
            sku = SOLD.format(number)
            if number % 10 == 0:
                changes.append({"sku": sku, "op": "discontinue"})
            elif number % 2:
                changes.append({"sku": sku, "op": "rename", "name": f"Renamed {number}"})
            else:
                changes.append({"sku": sku, "op": "price", "amount": f"{100 + number}.00"})
        call_twins("POST", "/_twin/cis/catalog", body={"country": country, "changes": changes})


def refresh(stack: Stack, mode: str, instances: Sequence[Instance]) -> list[dict[str, Any]]:
    """Definition runs in a fresh process; raises RuntimeError with the end of what it said if it fails."""
    ids = [str(row.public_id) for row in instances]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.refresh", mode, *ids],
        cwd=BASE,
        env=os.environ | stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the definition run failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def catalogue(counter: Counter, stack: Stack, plan: Plan) -> dict[str, Any]:
    """First run, the same again, and a hundred changes, of each country; one process for each kind of run."""
    fill(plan.esd_products)
    found: dict[str, Any] = {}
    rows = list(counter.instances.values())
    for name, mode in (("first", "full"), ("again", "full"), ("a hundred changes", "changes")):
        if mode == "changes":
            change(CHANGES)
        for country, figures in zip(counter.instances, refresh(stack, mode, rows), strict=True):
            if mode == "changes":
                figures["products_per_second"] = round(CHANGES / figures["seconds"])
            found[f"{name}, {country}"] = figures
    first = [found[f"first, {country}"] for country in counter.instances]
    found["peak memory"] = {
        "idle_mib": round(first[0]["idle_kib"] / 1024),
        "one_instance_mib": round(first[0]["peak_kib"] / 1024),
        "three_instances_mib": round(first[-1]["peak_kib"] / 1024),
        "three_over_one": round(first[-1]["peak_kib"] / first[0]["peak_kib"], 2),
    }
    return found


# --- Licences ---


def sold_plan(counter: Counter, number: int) -> CatalogPlan:
    """A product that Greece sells and that no change has touched, on sale."""
    row = CatalogPlan.objects.select_related("product__product_type__instance").get(
        product__product_type__instance=counter.instances["GR"],
        product__attributes__sku=SOLD.format(CHANGES + 1 + number),
    )
    if not row.product.is_published:
        publish_products(operator(counter.organization), product_ids=[row.product.public_id])
        row.product.refresh_from_db()
    return row


def fill_basket(counter: Counter, actor: Actor, plan: CatalogPlan, licences: int) -> tuple[Basket, Decimal]:
    """A basket of so many licences that is ready to be ordered, with its total."""
    account = Account.objects.get(pk=actor.account_id or 0)
    basket = set_target(actor, basket=open_basket(actor, site=counter.site), mode="", account=account)
    add_line(actor, basket=basket, site=counter.site, plan=plan, quantity=licences)
    basket = set_billing_address(actor, basket=basket, address=billing_address(account))
    details = {"state": "ok", "options": {}, "account": str(account.public_id)}
    basket.service_details = {str(counter.instances["GR"].public_id): details}
    basket.save(update_fields=["service_details"])
    basket = Basket.objects.select_related("user", "target_account__bill_to", "site", "buyer_account").get(pk=basket.pk)
    quoted = priced_basket(basket).quote
    return basket, quoted.gross if quoted else Decimal(0)


def statements(counter: Counter, licences: int) -> int:
    """How many statements an order of so many licences takes, from the service's begin to its commit."""
    actor = counter.buyers[0]
    basket, total = fill_basket(counter, actor, sold_plan(counter, 0), licences)
    with CaptureQueriesContext(connection) as captured:
        place_order(actor, basket=basket, key=basket.checkout_key, seen_total=total, terms_accepted=True)
    return len(captured)


def place(counter: Counter, orders: int, licences: int) -> tuple[list[int], Series]:
    """Place orders by the customers in turn; their operations, unknown to the broker, and each order's seconds."""
    last = Operation.objects.order_by("-pk").first()
    series = Series()
    for number in range(orders):
        actor = counter.buyers[number % len(counter.buyers)]
        basket, total = fill_basket(counter, actor, sold_plan(counter, number), licences)
        began = time.perf_counter()
        place_order(actor, basket=basket, key=basket.checkout_key, seen_total=total, terms_accepted=True)
        series.times.append(time.perf_counter() - began)
    forget_messages()
    made = Operation.objects.filter(pk__gt=last.pk if last else 0).order_by("pk")
    return list(made.values_list("pk", flat=True)), series


def check(operations: Sequence[int]) -> None:
    """Raises :class:`NotDone` unless each has made exactly one active licence with a key and an id of its own."""
    wrong = Operation.objects.filter(pk__in=operations).exclude(state=OperationState.DONE).first()
    if wrong is not None:
        raise NotDone(f"{wrong} ended as {wrong.state}: {wrong.code} {wrong.message}")
    made = Asset.objects.filter(operations__in=operations, status=AssetStatus.ACTIVE).exclude(token_tail="")
    if made.values("external_id").distinct().count() != len(operations):
        raise NotDone(f"not every one of {len(operations)} operations made a licence of its own")


def delay(seconds: float) -> None:
    """Let the twin wait so long before every answer of ESD."""
    call_twins("DELETE", "/_twin/faults")
    if seconds:
        fault = {"vendor": "cis", "operation": "*", "kind": "delay", "seconds": seconds, "times": 10_000_000}
        call_twins("POST", "/_twin/faults", body=fault)


def provision(operations: Sequence[int], seconds: float) -> dict[str, Any]:
    """Let the present workers buy them, the vendor answering after ``seconds``."""
    delay(seconds)
    before = call_twins("GET", "/_twin/journal?limit=1")["last"]
    began = time.perf_counter()
    send(operations)
    wait_while(operations, OPEN_STATES)
    taken = time.perf_counter() - began
    check(operations)
    delay(0)
    calls = call_twins("GET", "/_twin/journal?limit=1")["last"] - before
    return {
        "licences_per_second": round(len(operations) / taken, 2),
        "licences": len(operations),
        "vendor_calls_each": round(calls / len(operations), 2),
    }


def licences(counter: Counter, stack: Stack, plan: Plan) -> dict[str, Any]:
    """Orders placed, then provisioned by each number of workers with each delay, beside a task that does nothing."""
    each = plan.esd_licences
    operations, series = place(counter, plan.esd_orders, each)
    if len(operations) != plan.esd_orders * each:
        raise NotDone(f"{len(operations)} operations of {plan.esd_orders} orders of {each}")
    series.rates.append(len(series.times) / sum(series.times))
    found: dict[str, Any] = {
        f"order of {each} placed": {
            "seconds": round(sum(series.times) / len(series.times), 3),
            "orders": plan.esd_orders,
            "statements": statements(counter, each),
            "statements_of_one": statements(counter, 1),
        }
    }
    forget_messages()
    # The same share for each number of workers, most of it with the fast vendor.
    share = len(operations) // len(plan.workers)
    for number, workers in enumerate(plan.workers):
        mine = operations[number * share : (number + 1) * share]
        parts = {DELAYS[0]: mine[: share * 4 // 5], DELAYS[1]: mine[share * 4 // 5 :]}
        with stack.workers(workers, queues=QUEUE):
            floor = noops_per_second(NOOPS)
            found[f"no-op, {workers} workers"] = {"per_second": round(floor, 1)}
            for seconds, part in parts.items():
                figures = provision(part, seconds)
                figures["of_no_op"] = round(figures["licences_per_second"] / floor, 4)
                found[f"vendor at {seconds * 1000:.0f} ms, {workers} workers"] = figures
    return found


def measure(stack: Stack, plan: Plan) -> dict[str, Any]:
    """The catalogue first, since the licences are of its products."""
    counter = open_counter(plan.esd_orders)
    return {"catalogue": catalogue(counter, stack, plan), "licences": licences(counter, stack, plan)}
