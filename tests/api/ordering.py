"""How a program orders, for tests: a shop whose product asks nothing, drafts, items, answers."""

from typing import Any

from api.resources.characteristics import asking_instance, fields_of
from catalog.models import AddOnRelation, Plan, Product, ProductType
from orders.models import Order
from resellers.models import Account
from subscriptions.models import Subscription
from tests import factories
from tests.api.caller import Program
from tests.api.contract import check
from tests.shop import Shop

ORDERS = "/api/orders"
ITEMS = "/api/orders/{orderId}/items"
CHARACTERISTICS = "/api/orders/{orderId}/items/{itemId}/characteristics"
CHECKOUT = "/api/orders/{orderId}/checkout"
STATUS = "/api/orders/{orderId}/execute/status"
ANSWERS = {
    "domain_prefix": "programtenant",
    "username": "admin",
    "agreement_first_name": "Ada",
    "agreement_last_name": "Byron",
    "agreement_email": "ada@account.test",
    "agreement_phone": "+49 30 1234567",
    "agreement_date": "2026-01-15",
    "agreement_accepted": "true",
}


def ask_nothing(shop: Shop) -> None:
    """The shop's product is provisioned without the vendor knowing the customer, so checkout executes at once."""
    ProductType.objects.filter(pk=shop.product.product_type_id).update(requires_account=False)


def begin(program: Program, account: Account, **more: Any) -> str:
    """A new draft of the program; its id."""
    answer = program.post(ORDERS, {"accountId": account.pk} | more)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def add(program: Program, order: str, **body: Any) -> Any:
    """The answer to a new item."""
    return program.post(f"{ORDERS}/{order}/items", body)


def added(program: Program, order: str, product: Product, quantity: int = 10, **more: Any) -> str:
    """A new item; its id."""
    answer = add(program, order, productId=str(product.public_id), quantity=quantity, **more)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def filled(program: Program, account: Account, product: Product, quantity: int = 10) -> str:
    """A draft with one item."""
    order = begin(program, account)
    added(program, order, product, quantity)
    return order


def answer_all(program: Program, order: str, item: str, **more: str) -> None:
    """Answer what the vendor asks about an item, by the names of the questions."""
    path = f"{ORDERS}/{order}/items/{item}/characteristics"
    groups = check(program.get(path), CHARACTERISTICS)["groups"]
    known = {row["name"]: row["id"] for group in groups for row in group["characteristics"]}
    names = names_of(order)
    wanted = {name: value for name, value in (ANSWERS | more).items() if names.get(name) in known}
    body = [{"id": known[names[name]], "value": value} for name, value in wanted.items()]
    answer = program.call("PUT", path, body)
    assert answer.status_code == 200, answer.content
    check(answer, CHARACTERISTICS, method="put")


def names_of(order: str) -> dict[str, str]:
    """How the questions of an order's first instance are called, by their own id."""
    row = Order.objects.get(public_id=order)
    instance = next(found for line in row.lines.all() if (found := asking_instance(line)) is not None)
    return {field.id: str(field.name) for field in fields_of(row.account, instance)}


def checkout(program: Program, order: str, **headers: str) -> Any:
    """The answer to the checkout."""
    return program.post(f"{ORDERS}/{order}/checkout", **headers)


def refused(program: Program, order: str) -> str:
    """The code with which the checkout is refused."""
    answer = checkout(program, order)
    assert answer.status_code == 400, (answer.status_code, answer.content)
    return str(check(answer, CHECKOUT, method="post")["code"])


def progress(program: Program, order: str) -> dict[str, Any]:
    """How far the order is."""
    body: dict[str, Any] = check(program.get(f"{ORDERS}/{order}/execute/status"), STATUS)
    return body


def addon_of(shop: Shop) -> Product:
    """An add-on of the shop's product with a plan of the same rhythm."""
    made = factories.product(shop.instance, is_addon=True, cost="1.00")
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=made)
    return made


def dearer(shop: Shop, cost: str) -> None:
    """The vendor's cost of the shop's product, from which every price follows, becomes another."""
    shop.plan.costs.update(cost=cost)


def services(account: Account) -> list[Subscription]:
    """What an account has, the oldest first."""
    return list(Subscription.objects.filter(account=account).order_by("pk"))


def plan_of(product: Product) -> Plan:
    """The product's only plan."""
    return product.plans.get()
