"""Later changes of a back-ordered service: what the reseller wants is made so at the distributor, step by step.

A request carries the whole wanted state. Each look compares it with what stands there, starts the first thing that
differs, and waits for it; when nothing differs any more the change is done. So it can be repeated at any time.
"""

import uuid
from collections.abc import Callable

from django.utils.translation import gettext as _

from catalog.models import Plan
from core.errors import BusinessError
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import giveback, more
from provisioning.ports import AddOnLine, Outcome, Result, ServiceRequest
from provisioning.services import desk
from subscriptions.enums import Execution, OperationState, SubscriptionStatus, SuspendReason
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.preconditions import facts_of
from subscriptions.services import schedule, switch
from subscriptions.services.changes import pending_schedule
from tenants.services.back_order import closed, data_of, last_operation, managed_of, vendor_id
from tenants.services.sides import Sides, answer, own_subscription, refused, source_plan, tie_of, unreleased, waiting
from vendors.models import SyncStatus

RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PENDING_CANCEL)
Deed = Callable[[], object]


def follow(sides: Sides, operation_id: uuid.UUID, request: ServiceRequest, verb: str) -> Result:
    """Bring the distributor's subscription to what ``request`` wants by ``verb``; refusals come in cleaned words."""
    own = own_subscription(sides, request.subscription_id)
    tie = tie_of(sides, own)
    managed = managed_of(tie) if tie else None
    if managed is None:
        return refused("subscription_missing")
    if facts_of(managed).is_busy or managed.sync_status == SyncStatus.IN_PROGRESS:
        return waiting()
    if managed.sync_status == SyncStatus.FAILED:
        return _set_aside(sides, managed)
    change = Change(sides, operation_id, request, managed)
    order = change.open_order()
    if order is not None and order.status == OrderStatus.SUBMITTED:
        return unreleased()
    if order is not None and order.status == OrderStatus.CANCELLED:
        return refused("order_cancelled")
    deed = change.next_deed(verb)
    if deed is None:
        return Result(Outcome.DONE, external_id=change.external_id(verb), data=change.data(verb))
    try:
        if change.is_more and (stop := closed(sides)) is not None:
            return stop
        deed()
    except BusinessError as error:
        return answer(error)
    return waiting()


def _set_aside(sides: Sides, managed: Subscription) -> Result:
    """The distributor's vendor refused: the reseller reads why, and the distributor's service is free again."""
    last = last_operation(managed)
    if last is None or last.state != OperationState.REFUSED:
        return waiting()
    desk.dismiss(sides.actor, subscription=managed)
    return refused(last.code)


class Change:
    """One wanted state beside the state that stands."""

    def __init__(self, sides: Sides, operation_id: uuid.UUID, request: ServiceRequest, managed: Subscription) -> None:
        self.sides = sides
        self.operation_id = operation_id
        self.request = request
        self.managed = managed
        self.is_more = False

    def _key(self, what: str) -> uuid.UUID:
        return uuid.uuid5(self.operation_id, what)

    def open_order(self) -> Order | None:
        """The last order of this very change at the distributor, if it placed one."""
        keys = [self._key(what) for what in ("quantity", "upgrade", *(line.id for line in self.request.addons))]
        rows = Order.objects.filter(organization_id=self.managed.organization_id, idempotency_key__in=keys)
        return rows.order_by("-id").first()

    def next_deed(self, verb: str) -> Deed | None:
        """What has to be done next, or None if everything is as wanted."""
        finders = {"suspend": self._suspend, "activate": self._activate, "cancel": self._cancel}
        finders["upgrade"] = self._upgrade
        return finders.get(verb, self._change)()

    def _suspend(self) -> Deed | None:
        if self.managed.status not in RUNNING:
            return None
        reason = _("Asked for by %(name)s") % {"name": self.sides.tenant.name}
        return lambda: switch.suspend(
            self.sides.actor, subscription=self.managed, reason=reason, by=SuspendReason.CUSTOMER
        )

    def _activate(self) -> Deed | None:
        if self.managed.status != SubscriptionStatus.SUSPENDED:
            return None
        self.is_more = True
        return lambda: switch.activate(self.sides.actor, subscription=self.managed)

    def _cancel(self) -> Deed | None:
        if self.managed.status == SubscriptionStatus.CANCELLED:
            return None
        reason = _("Asked for by %(name)s") % {"name": self.sides.tenant.name}
        return lambda: giveback.cancel(
            self.sides.actor, subscription=self.managed, execution=Execution.NOW, reason=reason
        )

    def _change(self) -> Deed | None:
        request, managed, actor = self.request, self.managed, self.sides.actor
        if managed.status == SubscriptionStatus.PENDING_CANCEL and request.auto_renew:
            return lambda: switch.revoke_cancel(actor, subscription=managed)
        if request.quantity > managed.quantity:
            return self._more()
        if request.quantity < managed.quantity:
            return lambda: giveback.reduce(actor, subscription=managed, quantity=request.quantity)
        return self._addons() or self._renewal()

    def _more(self) -> Deed:
        self.is_more = True

        def buy() -> object:
            quantity = self.request.quantity
            total = more.wish_licences(self.managed, quantity=quantity).preview.amount.gross
            key = self._key("quantity")
            return more.buy_licences(
                self.sides.actor, subscription=self.managed, quantity=quantity, key=key, seen_total=total
            )

        return buy

    def _addons(self) -> Deed | None:
        """The first add-on whose number differs."""
        rows = self.managed.addons.filter(status=SubscriptionStatus.ACTIVE).select_related("product", "plan")
        here = {row.product.code: row for row in rows.order_by("pk")}
        for line in self.request.addons:
            known = here.get(line.product_code)
            number = known.quantity if known else 0
            if line.quantity > number:
                return self._more_of(line, line.quantity - number)
            if known is not None and line.quantity < number:
                return self._less_of(known, line.quantity)
        return None

    def _more_of(self, line: AddOnLine, quantity: int) -> Deed:
        self.is_more = True

        def buy() -> object:
            plan = self._plan_of(line.product_code, line.term, self.managed.billing_cycle)
            total = more.wish_addon(self.managed, plan=plan, quantity=quantity).preview.amount.gross
            key = self._key(line.id)
            return more.buy_addon(
                self.sides.actor,
                subscription=self.managed,
                plan=plan,
                quantity=quantity,
                key=key,
                seen_total=total,
            )

        return buy

    def _less_of(self, addon: SubscriptionAddOn, quantity: int) -> Deed:
        return lambda: giveback.reduce_addon(
            self.sides.actor, subscription=self.managed, addon=addon, quantity=quantity
        )

    def _plan_of(self, code: str, term: str, cycle: str) -> Plan:
        rows = Plan.objects.filter(product__product_type__instance=self.sides.source, product__code=code, term=term)
        plan = rows.filter(billing_cycle=cycle).select_related("product").first()
        if plan is None:
            raise BusinessError("no_price", _("This is no longer sold."))
        return plan

    def _renewal(self) -> Deed | None:
        """Automatic renewal, and what is scheduled for it."""
        request, managed, actor = self.request, self.managed, self.sides.actor
        found, wanted = pending_schedule(managed), request.schedule
        if wanted is None and found is not None:
            return lambda: schedule.revoke_schedule(actor, subscription=managed)
        if request.auto_renew != managed.auto_renew and managed.status == SubscriptionStatus.ACTIVE:
            return lambda: switch.set_auto_renew(actor, subscription=managed, auto_renew=request.auto_renew)
        if wanted is None:
            return None
        own = own_subscription(self.sides, request.subscription_id)
        mine = pending_schedule(own)
        plan = source_plan(self.sides, mine.plan) if mine else None
        if plan is None:
            return None
        if found is not None and (found.plan_id, found.quantity) != (plan.pk, wanted.quantity):
            return lambda: schedule.revoke_schedule(actor, subscription=managed)
        if found is not None:
            return None
        return lambda: schedule.schedule_change(actor, subscription=managed, quantity=wanted.quantity, plan=plan)

    def _upgrade(self) -> Deed | None:
        wanted = self.request.upgrade
        if wanted is None or self._upgraded() is not None:
            return None
        self.is_more = True

        def order() -> object:
            plan = self._plan_of(wanted.product_code, self.managed.term, self.managed.billing_cycle)
            total = more.wish_upgrade(self.managed, plan=plan, quantity=wanted.quantity).preview.amount.gross
            key = self._key("upgrade")
            return more.upgrade(
                self.sides.actor,
                subscription=self.managed,
                plan=plan,
                quantity=wanted.quantity,
                key=key,
                seen_total=total,
            )

        return order

    def _upgraded(self) -> Subscription | None:
        """The service an upgrade of this change led to: the same one, or for a part a new one."""
        wanted, order = self.request.upgrade, self.open_order()
        if wanted is None or order is None:
            return None
        if self.managed.product.code == wanted.product_code:
            return self.managed
        rows = Subscription.objects.filter(account=self.managed.account, product__code=wanted.product_code)
        return rows.filter(order_number=order.number).select_related("product").first()

    def external_id(self, verb: str) -> str:
        """The vendor's id that the change ends with."""
        target = self._upgraded() if verb == "upgrade" else None
        return vendor_id(target or self.managed)

    def data(self, verb: str) -> dict[str, object]:
        """What a connector tells of the service after it."""
        target = self._upgraded() if verb == "upgrade" else None
        data = data_of(target or self.managed, self.request)
        if target is not None:
            data["source"] = {"status": "active", "quantity": self.managed.quantity}
        return data
