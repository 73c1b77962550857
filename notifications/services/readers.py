"""Who reads a mail about an order: the order of an event, its reader, and the one mail to him."""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.urls import reverse

from catalog.models import Listing
from clients.models import PROGRAM_DOMAIN
from core.events import Event
from core.tenancy import TenantQuerySet, system_actor
from notifications.services.compose import absolute, queue_mail
from orders.legs import customers_order
from orders.models import Order
from resellers.enums import AccountKind
from resellers.models import Account, Contact
from subscriptions.legs import customers_view
from subscriptions.models import Asset, Subscription

SYSTEM = system_actor(label="mail")
Service = TypeVar("Service", Subscription, Asset)


def _orders(event: Event) -> TenantQuerySet[Order]:
    rows = Order.objects.visible_to(system_actor(event.organization_id))
    return rows.select_related("buyer", "account", "payer", "site")


def order_of(event: Event) -> Order | None:
    """The order that an event names, with its lines."""
    rows = Order.objects.visible_to(system_actor(event.organization_id)).select_related(
        "buyer", "account", "payer", "site"
    )
    return rows.prefetch_related("lines__plan").get_visible(SYSTEM, event.payload.get("order"))


@dataclass(frozen=True)
class Reader:
    """Whom a mail goes to, and in which language."""

    email: str
    language: str
    first_name: str


def reader_of(order: Order) -> Reader | None:
    """Who ordered; for an employee's or a program's order the primary contact of the account that is billed."""
    if order.buyer is None:
        return None
    if order.buyer_account_id is not None and not order.buyer.email.endswith(PROGRAM_DOMAIN):
        return Reader(order.buyer.email, order.buyer.language, order.buyer.get_short_name())
    contacts = Contact.objects.filter(account_id=order.payer_id).order_by("-is_primary", "pk")
    person = contacts.first()
    language = order.organization.language
    if person is not None:
        return Reader(person.email, language, person.first_name)
    return Reader(order.payer.email, language, "") if order.payer.email else None


def to_buyer(event: Event, template: str, order: Order | None, extra: dict[str, Any]) -> None:
    """One mail to the customer who ordered, or for whom an employee did."""
    reader = reader_of(order) if order is not None else None
    if order is None or reader is None:
        return
    if is_end_customers(order):
        order = with_pictures(customers_order(order))
        extra = {name: for_customer(value) for name, value in extra.items()}
    queue_mail(
        template,
        organization=event.organization,
        site=order.site,
        recipient=reader.email,
        language=reader.language,
        account=order.account,
        dedupe_key=f"{event.public_id}:buyer",
        context={
            "order": order,
            "first_name": reader.first_name,
            "order_url": absolute(reverse("storefront:order_detail", args=[order.public_id]), order.site),
            **extra,
        },
    )


def with_pictures(order: Order) -> Order:
    """An order as its customer reads it, each line with the address of the reseller's own picture of the product."""
    lines = list(order.lines.all())
    rows = Listing.objects.filter(
        account=order.account.bill_to_id, product__in=[line.plan.product_id for line in lines]
    )
    pictures = dict(rows.exclude(picture="").order_by().values_list("product_id", "picture"))
    for line in lines:
        name = pictures.get(line.plan.product_id)
        path = reverse("storefront:product_picture", args=[name]) if name else ""
        line.picture_url = absolute(path, order.site) if path else ""  # type: ignore[attr-defined]
    return order


def for_customer(value: Any) -> Any:
    """A service as an end customer reads it, anything else as it is."""
    if isinstance(value, Subscription):
        return customers_view(value)
    return customers_view(value) if isinstance(value, Asset) else value


def for_account(row: Service, account: Account | None) -> Service:
    """A service as the people of ``account`` read it: an end customer's own by the names and prices of his reseller."""
    is_own = account is not None and account.pk == row.account_id and account.kind == AccountKind.END_CUSTOMER
    return customers_view(row) if is_own else row


def is_end_customers(order: Order) -> bool:
    """Whether somebody ordered for himself what another one pays for: he reads his own leg."""
    return order.buyer_account_id == order.account_id and order.payer_id != order.account_id


def order_by_number(event: Event) -> Order | None:
    """The order whose number an event carries."""
    number = event.payload.get("order_number") or ""
    rows = Order.objects.visible_to(system_actor(event.organization_id)).select_related(
        "buyer", "account", "payer", "site"
    )
    return rows.filter(number=number).first() if number else None
