"""The rows of the data set, table by table, as generators of column values. Everything follows from the seed.

Names are invented. Dates lie around ``today`` (midnight UTC of the day of the run), so the data is never out of date.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from bench.load import array

CENT = Decimal("0.01")
TAX = Decimal(19)
FIRST = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Finn", "Greta", "Hugo", "Ida", "Jonas", "Kira", "Leo", "Mira", "Nils")
LAST = ("Abel", "Brandt", "Conrad", "Dietz", "Engel", "Fuchs", "Gross", "Haas", "Jung", "Kern", "Lang", "Maier", "Noll")
TRADES = ("Bakery", "Clinic", "Design", "Energy", "Foods", "Garden", "Hotels", "Legal", "Media", "Print", "Sports")
WOODS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Juniper", "Larch", "Maple", "Oak")
# Status and its share of a hundred; what follows from it: activated, cancelled, known at the vendor.
STATES = (
    ("active", 82),
    ("suspended", 4),
    ("pending_cancel", 4),
    ("cancelled", 6),
    ("failed", 2),
    ("inactive", 2),
)
_STATES = [name for name, share in STATES for _number in range(share)]
LIVED = {"active", "suspended", "pending_cancel", "cancelled"}


@dataclass(frozen=True, slots=True)
class AccountRef:
    """What other tables need of an account."""

    id: int
    public_id: str
    kind: str
    payer_id: int
    name: str


@dataclass(frozen=True, slots=True)
class PlanRef:
    """What other tables need of a plan; ``price`` is per unit and billing cycle in EUR."""

    id: int
    product_id: int
    name: str
    code: str
    term: str
    cycle: str
    price: Decimal


def make_uuid(random: Random) -> str:
    """A UUID that follows from the seed."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def company(number: int) -> str:
    """An invented company name; every number gives another one."""
    return f"{WOODS[number % len(WOODS)]} {TRADES[number // len(WOODS) % len(TRADES)]} {number:06d}"


def account_refs(random: Random, *, first_id: int, accounts: int, resellers: int) -> list[AccountRef]:
    """Resellers first, then in turns of five: two direct customers, three end customers of some reseller."""
    found: list[AccountRef] = []
    for number in range(accounts):
        pk = first_id + number
        kind = "reseller" if number < resellers else "direct" if number % 5 < 2 else "end_customer"
        payer = first_id + random.randrange(resellers) if kind == "end_customer" else pk
        found.append(AccountRef(pk, make_uuid(random), kind, payer, company(number)))
    return found


def accounts(organization_id: int, refs: Sequence[AccountRef]) -> Iterator[dict[str, Any]]:
    """Table of accounts: German addresses, unlimited credit for whoever pays."""
    for ref in refs:
        pays = ref.payer_id == ref.id
        yield {
            "id": ref.id,
            "public_id": ref.public_id,
            "organization_id": organization_id,
            "kind": ref.kind,
            "name": ref.name,
            "accounting_number": f"B-{ref.id}",
            "bill_to_id": None if pays else ref.payer_id,
            "edition": "standard" if ref.kind == "reseller" else "",
            "email": f"office@account{ref.id}.example",
            "phone": "+49 30 2270",
            "address_line1": f"Hauptstrasse {ref.id % 200 + 1}",
            "postal_code": f"{10000 + ref.id % 80000}",
            "city": "Berlin",
            "country": "DE",
            "currency": "EUR",
            "credit_unlimited": pays,
        }


def contacts(organization_id: int, refs: Sequence[AccountRef]) -> Iterator[dict[str, Any]]:
    """One primary contact for each account."""
    for ref in refs:
        yield {
            "organization_id": organization_id,
            "account_id": ref.id,
            "first_name": FIRST[ref.id % len(FIRST)],
            "last_name": LAST[ref.id % len(LAST)],
            "email": f"contact@account{ref.id}.example",
            "phone": "+49 30 2270",
            "is_primary": True,
        }


def users(realm: str, refs: Sequence[AccountRef], *, first_id: int, password: str) -> Iterator[dict[str, Any]]:
    """One user for each of these accounts, with the same unusable or hashed ``password``."""
    for number, ref in enumerate(refs):
        email = f"user{ref.id}@account{ref.id}.example"
        yield {
            "id": first_id + number,
            "realm": realm,
            "email": email,
            "username": f"{email}|{realm}",
            "first_name": FIRST[ref.id % len(FIRST)],
            "last_name": LAST[ref.id % len(LAST)],
            "password": password,
        }


def memberships(organization_id: int, refs: Sequence[AccountRef], *, first_user: int) -> Iterator[dict[str, Any]]:
    """Each of those users as Admin of his account."""
    for number, ref in enumerate(refs):
        yield {
            "organization_id": organization_id,
            "user_id": first_user + number,
            "account_id": ref.id,
            "roles": array(["admin"]),
        }


def products(
    organization_id: int, *, first_id: int, count: int, type_id: int, categories: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Published products on the shelves in turns."""
    for number in range(count):
        yield {
            "id": first_id + number,
            "organization_id": organization_id,
            "product_type_id": type_id,
            "category_id": categories[number % len(categories)],
            "code": f"BENCH{number:07d}:0001",
            "name": f"{WOODS[number % len(WOODS)]} Suite {number:06d}",
            "vendor_name": f"{WOODS[number % len(WOODS)]} Suite {number:06d}",
            "summary": "Mail, files and meetings for a team, with everything that keeps them safe.",
            "description": "A service of the measurements. " * 6,
            "family": "microsoft_365",
            "unit": "licence",
            "max_quantity": 300,
            "is_published": True,
            "is_featured": number % 40 == 0,
        }


PLANS = (("P1M", "monthly"), ("P1Y", "monthly"), ("P1Y", "annual"))


def plans(organization_id: int, *, first_id: int, first_product: int, products: int) -> Iterator[dict[str, Any]]:
    """Three plans for each product."""
    for number in range(products * len(PLANS)):
        term, cycle = PLANS[number % len(PLANS)]
        yield {
            "id": first_id + number,
            "organization_id": organization_id,
            "product_id": first_product + number // len(PLANS),
            "term": term,
            "billing_cycle": cycle,
        }


def costs(organization_id: int, *, first_plan: int, plans: int) -> Iterator[dict[str, Any]]:
    """The vendor's price of each plan in EUR."""
    for number in range(plans):
        cost = Decimal(4 + number % 50)
        yield {
            "organization_id": organization_id,
            "plan_id": first_plan + number,
            "currency": "EUR",
            "cost": cost,
            "retail": cost * 2,
            "source": "bench",
        }


def assignments(organization_id: int, refs: Sequence[AccountRef], list_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """A price list for each account that pays, in turns."""
    for ref in refs:
        if ref.payer_id == ref.id:
            yield {
                "organization_id": organization_id,
                "account_id": ref.id,
                "price_list_id": list_ids[ref.id % len(list_ids)],
            }


def links(
    random: Random, organization_id: int, instance_id: int, refs: Sequence[AccountRef]
) -> Iterator[dict[str, Any]]:
    """Every account is known at the vendor already, under an id of its own."""
    for ref in refs:
        yield {
            "organization_id": organization_id,
            "account_id": ref.id,
            "instance_id": instance_id,
            "external_id": make_uuid(random),
            "state": "synchronized",
        }


def amounts(plan: PlanRef, quantity: int) -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and gross of a line."""
    net = (plan.price * quantity).quantize(CENT)
    tax = (net * TAX / 100).quantize(CENT)
    return net, tax, net + tax


def state_of(random: Random) -> str:
    """A status by its share."""
    return _STATES[random.randrange(len(_STATES))]


def moment(today: dt.datetime, *, days_ago: int) -> dt.datetime:
    """So many days before the run."""
    return today - dt.timedelta(days=days_ago)
