"""Back ordering: what a Professional reseller sells is ordered at the distributor (``channel.md`` 5.3).

The reseller's operation asks, and asks again until there is an answer; each question looks first at what stands. The
first creates the managed copy, the order and the tie in one transaction under the operation's id, so that it happens
once however often a worker is killed.
"""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import BusinessError
from orders.enums import OrderStatus
from orders.models import Order, OrderLine
from orders.services.direct import Line, place_direct
from provisioning.context import context_for
from provisioning.ports import AccountData, Outcome, Result, ServiceRequest
from provisioning.registry import connector_for
from provisioning.services import desk
from resellers.enums import PurchaseMode
from subscriptions.enums import OperationState, SubscriptionStatus, Verb
from subscriptions.models import Operation, Subscription
from tenants.enums import Origin, TenantStatus
from tenants.models import ManagedAccount, ManagedSubscription
from tenants.services.sides import (
    Sides,
    answer,
    managed_copy,
    own_subscription,
    refused,
    source_plan,
    tie_of,
    unreleased,
    waiting,
)

ENDED = (SubscriptionStatus.CANCELLED,)


def closed(sides: Sides) -> Result | None:
    """Why nothing new is ordered now, or None."""
    if sides.tenant.status != TenantStatus.ACTIVE:
        return refused("tenant_suspended")
    return None if sides.tenant.back_ordering else refused("back_ordering_off")


def create(sides: Sides, operation_id: uuid.UUID, request: ServiceRequest) -> Result:
    """Order the service at the distributor, once, and tell what became of it."""
    own = own_subscription(sides, request.subscription_id)
    tie = tie_of(sides, own)
    managed = managed_of(tie) if tie else None
    try:
        if tie is None or _has_ended(tie, managed):
            again = tie is not None and tie.order is not None and tie.order.idempotency_key == operation_id
            if not again:
                stop = closed(sides)
                if stop is not None:
                    return stop
                tie = _place(sides, operation_id, own, request, tie)
        elif managed is not None and managed.status == SubscriptionStatus.FAILED:
            _try_again(sides, operation_id, managed)
    except BusinessError as error:
        return answer(error)
    return _told(sides, tie, request)


def _has_ended(tie: ManagedSubscription, managed: Subscription | None) -> bool:
    """Whether what was ordered came to nothing, so that a new try orders anew."""
    if managed is not None:
        return managed.status in ENDED
    return tie.order is not None and tie.order.status == OrderStatus.CANCELLED


@transaction.atomic
def _place(
    sides: Sides, operation_id: uuid.UUID, own: Subscription, request: ServiceRequest, tie: ManagedSubscription | None
) -> ManagedSubscription:
    customer = managed_copy(sides, own.account)
    _demand_partner(sides, customer)
    order = place_direct(
        sides.actor,
        account=customer.managed,
        base=_line(sides, own, own.plan.pk, request.quantity),
        addons=_addon_lines(sides, own),
        key=operation_id,
        purchase_mode=customer.relationship,
        service_details=_details(sides, customer, request),
    )
    values = {"order": order, "managed": _service_of(order)}
    if tie is not None:
        ManagedSubscription.objects.filter(pk=tie.pk).update(**values)
        tie.refresh_from_db()
        return tie
    return ManagedSubscription.objects.create(
        organization_id=sides.tenant.organization_id,
        tenant=sides.tenant,
        customer=customer,
        own=own,
        origin=Origin.BACK_ORDER,
        **values,
    )


def _demand_partner(sides: Sides, customer: ManagedAccount) -> None:
    """Where the vendor wants the reseller's MPN ID of an end customer's service, nothing is ordered without it."""
    if customer.relationship != PurchaseMode.END_CUSTOMER:
        return
    known = sides.link_at_source(sides.tenant.account)
    if known is not None and known.mpn_id:
        return
    connector = connector_for(sides.source.application.code)
    asked = AccountData(id="", name=customer.managed.name, external_id="-", purchase_mode=PurchaseMode.END_CUSTOMER)
    fields = connector.account_options(context_for(sides.source), asked)
    if any(field.id == "mpn_id" for field in fields):
        raise BusinessError("mpn_missing", _("The reseller's MPN ID is missing."))


def _line(sides: Sides, own: Subscription, plan_id: int, quantity: int) -> Line:
    addon = own.addons.filter(plan_id=plan_id).select_related("plan__product__product_type").first()
    copy = own.plan if own.plan.pk == plan_id or addon is None else addon.plan
    plan = source_plan(sides, copy)
    if plan is None:
        raise BusinessError("no_price", _("%(name)s is no longer sold.") % {"name": copy.product.name})
    return Line(plan, quantity, f"{own.account.name} - {plan.product.name}")


def _addon_lines(sides: Sides, own: Subscription) -> list[Line]:
    rows = own.addons.exclude(status=SubscriptionStatus.CANCELLED).order_by("pk")
    return [_line(sides, own, row.plan_id, row.quantity) for row in rows]


def _details(sides: Sides, customer: ManagedAccount, request: ServiceRequest) -> dict[str, Any]:
    """What the vendor asked at the reseller's checkout, for the distributor's instance."""
    agreement = request.account.agreement
    details: dict[str, Any] = {
        "state": "ok",
        "account": str(customer.managed.public_id),
        "options": dict(request.account.options),
    }
    if agreement is not None:
        details["agreement"] = {
            "first_name": agreement.first_name,
            "last_name": agreement.last_name,
            "email": agreement.email,
            "phone": agreement.phone,
            "date_agreed": agreement.date_agreed.isoformat(),
        }
    return {str(sides.source.public_id): details}


def _service_of(order: Order) -> Subscription | None:
    line = OrderLine.objects.filter(order=order, parent=None).select_related("subscription").first()
    return line.subscription if line else None


def managed_of(tie: ManagedSubscription) -> Subscription | None:
    """The distributor's subscription; of an order that waited it is noted here once it was executed."""
    if tie.managed_id is None and tie.order is not None:
        found = _service_of(tie.order)
        if found is not None:
            ManagedSubscription.objects.filter(pk=tie.pk, managed=None).update(managed=found)
            tie.managed = found
    if tie.managed_id is None:
        return None
    rows = Subscription.objects.select_related("account", "bill_to", "plan", "product__product_type", "instance")
    return rows.select_related("organization").get(pk=tie.managed_id)


def last_operation(managed: Subscription) -> Operation | None:
    """What was asked of the vendor last."""
    return Operation.objects.filter(subscription=managed).order_by("-id").first()


def _try_again(sides: Sides, operation_id: uuid.UUID, managed: Subscription) -> None:
    """The reseller tries a refused service again: the distributor's refused operation is retried, once for each try.

    The try is told apart by who asked: the operation of ours that the present try made, if it was refused too, is not
    made again by looking at it.
    """
    last = last_operation(managed)
    mark = str(operation_id)
    if last is None or last.verb != Verb.CREATE or last.state != OperationState.REFUSED:
        return
    if last.desired.get("asked_by", last_order_key(managed)) == mark:
        return
    with transaction.atomic():
        fresh = desk.retry(sides.actor, operation=last)
        Operation.objects.filter(pk=fresh.pk).update(desired=fresh.desired | {"asked_by": mark})


def last_order_key(managed: Subscription) -> str:
    """The id of the operation that ordered a service first."""
    line = managed.order_lines.select_related("order").order_by("pk").first()
    return str(line.order.idempotency_key) if line else ""


def _told(sides: Sides, tie: ManagedSubscription | None, request: ServiceRequest) -> Result:
    managed = managed_of(tie) if tie else None
    if tie is None:
        return waiting()
    if managed is None:
        if Order.objects.filter(pk=tie.order_id or 0, status=OrderStatus.CANCELLED).exists():
            return refused("order_cancelled")
        return unreleased()
    if managed.status == SubscriptionStatus.FAILED:
        last = last_operation(managed)
        return refused(last.code if last else "")
    if managed.status == SubscriptionStatus.CANCELLED:
        return refused("order_cancelled")
    if managed.status == SubscriptionStatus.INACTIVE:
        return waiting()
    return Result(Outcome.DONE, external_id=vendor_id(managed), data=data_of(managed, request))


def vendor_id(managed: Subscription) -> str:
    """The vendor's id of the service, which the reseller sees too; ours if the vendor has none."""
    return managed.external_id or str(managed.public_id)


_STATES = {
    SubscriptionStatus.CANCELLED.value: "cancelled",
    SubscriptionStatus.SUSPENDED.value: "suspended",
}


def data_of(managed: Subscription, request: ServiceRequest) -> dict[str, Any]:
    """The distributor's service as a connector tells of it; ids of add-ons by the reseller's lines."""
    addons = {row.product.code: row for row in managed.addons.select_related("product").order_by("pk")}
    return {
        "status": _STATES.get(managed.status, "active"),
        "quantity": managed.quantity,
        "starts_at": _iso(managed.starts_at),
        "ends_at": _iso(managed.term_ends_at),
        "cancel_until": _iso(managed.cancel_until),
        "refundable": managed.refundable,
        "auto_renew": managed.auto_renew,
        "product_code": managed.product.code,
        "term": managed.term,
        "billing_cycle": request.billing_cycle,
        "addons": {
            line.id: addons[line.product_code].external_id for line in request.addons if line.product_code in addons
        },
    }


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
