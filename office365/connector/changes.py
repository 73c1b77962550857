"""Changing, suspending, reactivating and cancelling a subscription (``partner-center.md`` 2.5, 9.1)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import ConnectorBase, refused, refused_as, result_of
from office365.connector.items import ROTATED, catalogue_item
from office365.connector.orders import preconditions, read_subscription
from office365.connector.patch import Patch, refusal
from office365.connector.purchase import Purchase
from office365.schemas.subscriptions import Subscription
from provisioning.ports import AddOnLine, Context, ErrorKind, Outcome, Result, Schedule, ServiceRequest, VendorError

SCHEDULE = "scheduledNextTermInstructions"
GONE = frozenset({"deleted", "expired", "disabled"})


class ChangeVerbs(ConnectorBase):
    """Verbs that change a subscription; each may be called again until it answers DONE or REFUSED."""

    def change(self, ctx: Context, request: ServiceRequest) -> Result:
        """Bring the subscription to the wanted state: quantity, auto-renewal, schedule for the renewal, add-ons.

        An add-on line with quantity 0 is cancelled at Microsoft; add-ons that are not in the request stay untouched,
        for they were not sold by us. A refusal after a part was carried out says so and carries the data as it is then.
        """
        return Change(self.client(ctx), request).run()

    def suspend(self, ctx: Context, request: ServiceRequest) -> Result:
        """Suspend at Microsoft; the term goes on being billed."""
        return self._status(ctx, request, "suspended", lambda row: row.status == "suspended")

    def activate(self, ctx: Context, request: ServiceRequest) -> Result:
        """Reactivate a suspended subscription."""
        return self._status(ctx, request, "active", lambda row: row.status == "active")

    def cancel(self, ctx: Context, request: ServiceRequest) -> Result:
        """Cancel: new commerce within Microsoft's window (later REFUSED ``window_closed``), legacy by suspension."""
        client = self.client(ctx)
        try:
            row = read_subscription(client, request)
        except VendorError as error:
            if error.code == "subscription_gone":
                return Result(Outcome.DONE, external_id=request.external_id, data={"status": "cancelled"})
            return result_of(error)
        wanted = "deleted" if row.is_new_commerce else "suspended"
        return self._status(
            ctx,
            request,
            wanted,
            lambda item: item.status in GONE or (wanted == "suspended" and item.status == wanted),
        )

    def _status(
        self, ctx: Context, request: ServiceRequest, wanted: str, is_done: Callable[[Subscription], bool]
    ) -> Result:
        client = self.client(ctx)
        patch: Patch | None = None
        try:
            patch = Patch(client, request, f"status_{wanted}")
            result = patch.apply({"status": wanted}, is_done)
        except VendorError as error:
            return refusal(error, patch.row if patch else None, ctx.now())
        if result is not None:
            return result
        return Result(Outcome.DONE, external_id=request.external_id, data=mapping.subscription_data(patch.row))


class Change:
    """All differences between a subscription and its wanted state, one after the other.

    What is given back on add-ons comes first and what is bought last, since an add-on may never have more seats than
    its base. The schedule comes after every change of the base: each of those deletes it at Microsoft.
    """

    def __init__(self, client: PartnerCenter, request: ServiceRequest) -> None:
        self.client = client
        self.ctx = client.ctx
        self.request = request
        self.row: Subscription | None = None
        self.known = {line.id: line.external_id for line in request.addons if line.external_id and line.quantity}
        self.is_changed = bool(self.ctx.steps.get("change_began"))

    def run(self) -> Result:
        """Apply what differs; the first part that is not done yet ends the run."""
        try:
            self.row = read_subscription(self.client, self.request)
            result = self._objection(self.row) or self._apply(self.row)
        except VendorError as error:
            result = refusal(error, self.row, self.ctx.now())
        if result.outcome is Outcome.REFUSED and self.is_changed and self.row is not None:
            rest = _("Other parts of this change were already carried out at Microsoft.")
            message = f"{result.message} {rest}"
            return replace(result, message=message, data={**self._data(self.row), **result.data})
        return result

    def _apply(self, row: Subscription) -> Result:
        for step in (self._give_back_addons, self._quantity, self._auto_renew, self._schedule, self._buy_addons):
            result = step()
            if result is not None:
                return result
        row = self.row or row
        return Result(Outcome.DONE, external_id=row.id, data=self._data(row))

    def _data(self, row: Subscription) -> dict[str, Any]:
        return mapping.subscription_data(row, self.known)

    def _objection(self, row: Subscription) -> Result | None:
        """Why nothing at all may be sent; ``None`` if all is well."""
        request = self.request
        if not mapping.same_item(request.product_code, row.offer_id):
            return refused(
                "product_changed",
                _("At Microsoft this subscription is of another product. Use an upgrade to change the product."),
            )
        if row.status == "suspended":
            return refused_as("subscription_suspended")
        if row.status in GONE:
            return refused_as("subscription_gone")
        if request.schedule is None:
            return None
        if not request.auto_renew:
            return refused(
                "schedule_needs_renewal",
                _("A change at the renewal needs automatic renewal. Turn it on, or do without the change."),
            )
        if row.is_trial or mapping.is_legacy(request.product_code) or mapping.is_legacy(request.schedule.product_code):
            return refused(
                "schedule_not_supported",
                _("Microsoft cannot schedule a change for this kind of subscription. Change it after its renewal."),
            )
        return None

    def _patch(
        self,
        request: ServiceRequest,
        step: str,
        wanted: Mapping[str, Any],
        is_done: Callable[[Subscription], bool],
        make: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Result | None:
        """One change of the base or of an add-on; a refusal is explained by the dates of that very subscription."""
        patch = Patch(self.client, request, step, self.row if request is self.request else None)
        was_done = is_done(patch.row)
        try:
            result = patch.apply(wanted, is_done, make)
        except VendorError as error:
            if error.kind is ErrorKind.UNKNOWN:
                self._note_change()
            if error.code in ROTATED and make is not None:
                raise
            return refusal(error, patch.row, self.ctx.now())
        finally:
            if request is self.request:
                self.row = patch.row
        if result is None and not was_done:
            self._note_change()
        return result

    def _note_change(self) -> None:
        if not self.is_changed:
            self.ctx.steps.put("change_began", {"at": self.ctx.now().isoformat()})
        self.is_changed = True

    # --- The base ---

    def _quantity(self) -> Result | None:
        wanted = self.request.quantity
        return self._patch(self.request, "quantity", {"quantity": wanted}, lambda item: item.quantity == wanted)

    def _auto_renew(self) -> Result | None:
        wanted = self.request.auto_renew

        def is_done(item: Subscription) -> bool:
            return item.auto_renew_enabled in (None, wanted) or bool(item.is_trial)

        return self._patch(self.request, "auto_renew", {"autoRenewEnabled": wanted}, is_done)

    def _schedule(self) -> Result | None:
        """Set, replace or remove what is to happen at the renewal; sent again if an earlier part deleted it."""
        plan = self.request.schedule

        def is_done(item: Subscription) -> bool:
            return bool(item.is_trial) or mapping.same_schedule(mapping.schedule_of(item), plan)

        if plan is None:
            return self._patch(self.request, "schedule", {SCHEDULE: None}, is_done)
        for is_last in (False, True):
            try:
                wanted = {SCHEDULE: asdict(plan)}
                return self._patch(self.request, "schedule", wanted, is_done, lambda: self._instructions(plan))
            except VendorError as error:
                # The availability changed between reading and sending: it is read anew, once.
                if is_last or error.code not in ROTATED:
                    raise
        raise AssertionError("unreachable: the last round returns or raises")

    def _instructions(self, plan: Schedule) -> Mapping[str, Any]:
        item = catalogue_item(
            self.client,
            self.request,
            code=plan.product_code,
            name=str(_("the product of the renewal")),
            term=plan.term,
            cycle=plan.billing_cycle,
        )
        return {SCHEDULE: mapping.schedule_body(plan, item)}

    # --- Add-ons ---

    def _give_back_addons(self) -> Result | None:
        for line in self.request.addons:
            if line.external_id:
                result = self._fewer(line)
                if result is not None:
                    return result
        return None

    def _fewer(self, line: AddOnLine) -> Result | None:
        request = replace(self.request, external_id=line.external_id, product_code=line.product_code)
        if not line.quantity:
            return self._patch(request, f"addon_drop:{line.id}", {"status": "deleted"}, lambda row: row.status in GONE)
        row = read_subscription(self.client, request)
        if row.status in GONE:
            return refused(
                "addon_gone",
                _("Microsoft has cancelled the add-on %(name)s. Cancel it here as well and order it anew.")
                % {"name": line.name},
            )
        return self._addon_quantity(request, line) if line.quantity < (row.quantity or 0) else None

    def _addon_quantity(self, request: ServiceRequest, line: AddOnLine) -> Result | None:
        wanted = line.quantity
        step = f"addon_quantity:{line.id}"
        return self._patch(request, step, {"quantity": wanted}, lambda row: row.quantity == wanted)

    def _buy_addons(self) -> Result | None:
        for line in self.request.addons:
            if not line.quantity:
                continue
            if line.external_id:
                request = replace(self.request, external_id=line.external_id, product_code=line.product_code)
                result = self._addon_quantity(request, line)
            else:
                result = self._buy(line)
            if result is not None:
                return result
        return None

    def _buy(self, line: AddOnLine) -> Result | None:
        request = replace(
            self.request,
            product_code=line.product_code,
            product_name=line.name,
            quantity=line.quantity,
            term=line.term or self.request.term,
            billing_cycle=line.billing_cycle or self.request.billing_cycle,
            external_id="",
            addons=(),
            parent_external_id=self.request.external_id,
        )
        purchase = Purchase(self.client, request, f"addon:{line.id}")
        result = (None if purchase.state else preconditions(self.client, request)) or purchase.run()
        if result.outcome is not Outcome.DONE:
            return result
        self.known[line.id] = result.external_id
        self._note_change()
        return None
