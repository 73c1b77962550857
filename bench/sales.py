"""Orders, subscriptions, charges, operations and audit entries of the data set: one pass, table after table.

Every order has two lines, so ``n`` subscriptions make ``n / 2`` orders. A line, its subscription, its charge and its
operation are of the same random draw: each table draws the same numbers again from a generator with the same seed.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from bench.rows import LIVED, TAX, AccountRef, PlanRef, amounts, make_uuid, moment, state_of

LINES = 2


@dataclass(frozen=True)
class Sales:
    """What the generators share: whose sales, of what, from which key on, and from which seed."""

    organization_id: int
    site_id: int
    instance_id: int
    price_list_id: int
    accounts: Sequence[AccountRef]
    plans: Sequence[PlanRef]
    count: int
    first_order: int
    first_line: int
    first_subscription: int
    today: dt.datetime
    seed: int


@dataclass(frozen=True, slots=True)
class Sold:
    """One line that was sold."""

    number: int
    account: AccountRef
    plan: PlanRef
    quantity: int
    state: str
    days_ago: int
    line_public_id: str
    external_id: str
    net: Decimal
    tax: Decimal
    gross: Decimal

    @property
    def delivery(self) -> str:
        """The line's delivery status."""
        return "delivered" if self.state in LIVED else "failed" if self.state == "failed" else "in_progress"


def sold(sales: Sales) -> Iterator[Sold]:
    """The lines in order; two lines in a row are one order of one account."""
    random = Random(sales.seed)
    account, days_ago = sales.accounts[0], 0
    for number in range(sales.count):
        if number % LINES == 0:
            account = sales.accounts[random.randrange(len(sales.accounts))]
            # Newer orders have higher keys, as in life.
            days_ago = 700 - number * 700 // sales.count
        plan = sales.plans[random.randrange(len(sales.plans))]
        quantity = random.randrange(1, 60)
        net, tax, gross = amounts(plan, quantity)
        state, line_id, external_id = state_of(random), make_uuid(random), make_uuid(random)
        yield Sold(number, account, plan, quantity, state, days_ago, line_id, external_id, net, tax, gross)


def order_number(number: int) -> str:
    """The number of the order that a line belongs to."""
    return f"B{number // LINES + 1:08d}"


def orders(sales: Sales) -> Iterator[dict[str, Any]]:
    """One executed order for every two lines."""
    random = Random(sales.seed + 1)
    first: Sold | None = None
    for line in sold(sales):
        if line.number % LINES == 0:
            first = line
            if line.number + 1 < sales.count:
                continue
        pair = [first, line] if first is not None and first is not line else [line]
        placed = moment(sales.today, days_ago=line.days_ago)
        yield {
            "id": sales.first_order + line.number // LINES,
            "public_id": make_uuid(random),
            "organization_id": sales.organization_id,
            "number": order_number(line.number),
            "status": "executed",
            "account_id": line.account.id,
            "payer_id": line.account.payer_id,
            "buyer_account_id": line.account.payer_id,
            "buyer_label": "Ada Abel",
            "site_id": sales.site_id,
            "purchase_mode": "end_customer" if line.account.kind == "end_customer" else "",
            "price_list_id": sales.price_list_id,
            "currency": "EUR",
            "net": sum((item.net for item in pair), Decimal(0)),
            "tax": sum((item.tax for item in pair), Decimal(0)),
            "gross": sum((item.gross for item in pair), Decimal(0)),
            "billing_address": {"name": line.account.name, "city": "Berlin", "country": "DE"},
            "idempotency_key": make_uuid(random),
            "placed_at": placed,
            "executed_at": placed,
            "created_at": placed,
        }


def subscriptions(sales: Sales) -> Iterator[dict[str, Any]]:
    """One subscription for each line."""
    for line in sold(sales):
        began = moment(sales.today, days_ago=line.days_ago)
        lived = line.state in LIVED
        yield {
            "id": sales.first_subscription + line.number,
            "organization_id": sales.organization_id,
            "name": line.plan.name,
            "account_id": line.account.id,
            "bill_to_id": line.account.payer_id,
            "purchase_mode": "end_customer" if line.account.kind == "end_customer" else "",
            "instance_id": sales.instance_id,
            "product_id": line.plan.product_id,
            "plan_id": line.plan.id,
            "term": line.plan.term,
            "billing_cycle": line.plan.cycle,
            "quantity": line.quantity,
            "unit_price": line.plan.price,
            "currency": "EUR",
            "status": line.state,
            "sync_status": "synchronized" if lived else "failed" if line.state == "failed" else "unsynchronised",
            "external_id": line.external_id if lived else "",
            "order_number": order_number(line.number),
            "starts_at": began if lived else None,
            "first_activated_at": began if lived else None,
            "term_ends_at": moment(sales.today, days_ago=-1 - line.number % 365) if lived else None,
            "cancelled_at": sales.today if line.state == "cancelled" else None,
            "created_at": began,
        }


def order_lines(sales: Sales) -> Iterator[dict[str, Any]]:
    """The lines themselves."""
    for line in sold(sales):
        yield {
            "id": sales.first_line + line.number,
            "public_id": line.line_public_id,
            "organization_id": sales.organization_id,
            "order_id": sales.first_order + line.number // LINES,
            "position": line.number % LINES + 1,
            "plan_id": line.plan.id,
            "product_name": line.plan.name,
            "product_code": line.plan.code,
            "term": line.plan.term,
            "billing_cycle": line.plan.cycle,
            "quantity": line.quantity,
            "unit_price": line.plan.price,
            "net": line.net,
            "tax_percent": TAX,
            "tax": line.tax,
            "gross": line.gross,
            "trace": [f"{line.quantity} x {line.plan.price} EUR = {line.net} EUR"],
            "delivery_status": line.delivery,
            "subscription_id": sales.first_subscription + line.number,
        }


def charges(sales: Sales) -> Iterator[dict[str, Any]]:
    """One charge for each line: due, released or still reserved."""
    states = {"delivered": "due", "failed": "released", "in_progress": "reserved"}
    for line in sold(sales):
        yield {
            "organization_id": sales.organization_id,
            "payer_id": line.account.payer_id,
            "account_id": line.account.id,
            "subscription_id": sales.first_subscription + line.number,
            "source": f"order-line:{line.line_public_id}",
            "order_number": order_number(line.number),
            "state": states[line.delivery],
            "description": f"{order_number(line.number)}: {line.quantity} x {line.plan.name}"[:400],
            "currency": "EUR",
            "net": line.net,
            "tax_percent": TAX,
            "tax": line.tax,
            "gross": line.gross,
        }


def operations(sales: Sales) -> Iterator[dict[str, Any]]:
    """The finished operation that created each subscription; every fiftieth refused one stands on the desk."""
    for line in sold(sales):
        done = moment(sales.today, days_ago=line.days_ago)
        yield {
            "organization_id": sales.organization_id,
            "verb": "create",
            "state": "done" if line.state in LIVED else "refused" if line.number % 50 == 0 else "given_up",
            "instance_id": sales.instance_id,
            "account_id": line.account.id,
            "subscription_id": sales.first_subscription + line.number,
            "desired": {"quantity": line.quantity},
            "requested_by": "Ada Abel",
            "order_number": order_number(line.number),
            "first_sent_at": done,
            "finished_at": done,
            "not_before": done,
        }


def audit(sales: Sales, *, count: int) -> Iterator[dict[str, Any]]:
    """The log of those orders, as many rows as asked for, over and over again from the first one."""
    made = 0
    while made < count:
        random = Random(sales.seed + 1)
        for line in sold(sales):
            if made >= count:
                return
            made += 1
            yield {
                "organization_id": sales.organization_id,
                "at": moment(sales.today, days_ago=line.days_ago),
                "actor_label": "Ada Abel",
                "actor_kind": "customer",
                "roles": "admin",
                "account_id": line.account.id,
                "ip": "192.0.2.7",
                "action": "order.placed",
                "object_type": "orders.order",
                "object_id": make_uuid(random),
                "object_label": order_number(line.number),
                "after": {"total": str(line.gross)},
            }
