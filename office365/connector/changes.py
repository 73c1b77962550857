"""Changing, suspending, reactivating and cancelling a subscription (``partner-center.md`` 2.5, 9.1)."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import ConnectorBase, refused, result_of, waiting
from office365.connector.orders import preconditions, read_addons, read_subscription
from office365.connector.purchase import Purchase
from office365.schemas.subscriptions import Subscription
from provisioning.ports import (
    AddOnLine,
    Context,
    Outcome,
    Result,
    ServiceRequest,
    VendorError,
)

GIVE_UP_AFTER = dt.timedelta(minutes=15)
POLL_SOON, POLL_LATER = 5, 60
GONE = frozenset({"deleted", "expired", "disabled"})


class ChangeVerbs(ConnectorBase):
    """Verbs that change a subscription; each may be called again until it answers DONE or REFUSED."""

    def change(self, ctx: Context, request: ServiceRequest) -> Result:
        """Bring the subscription to the wanted state: quantity, auto-renewal, term at renewal, add-ons."""
        client = self.client(ctx)
        try:
            return Change(client, request).run()
        except VendorError as error:
            return result_of(error)

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
        try:
            patch = Patch(client, request, f"status_{wanted}")
            result = patch.apply({"status": wanted}, is_done)
            if result is not None:
                return result
            return Result(Outcome.DONE, external_id=request.external_id, data=mapping.subscription_data(patch.row))
        except VendorError as error:
            return result_of(error)


class Patch:
    """One wanted change of one subscription: read, send the whole resource with it, read again."""

    def __init__(self, client: PartnerCenter, request: ServiceRequest, step: str) -> None:
        self.client = client
        self.ctx = client.ctx
        self.request = request
        self.step = step
        self.row = read_subscription(client, request)

    def apply(self, changes: Mapping[str, Any], is_done: Callable[[Subscription], bool]) -> Result | None:
        """``None`` once Microsoft shows the change; WAITING while it works; REFUSED if it ignored it for 15 min."""
        if is_done(self.row):
            return None
        name = f"patch:{self.step}"
        wanted = mapping.plain_json(changes)
        kept = self.ctx.steps.get(name) or {}
        if kept.get("sent_at") and kept.get("changes") == wanted:
            return self._look_later(dt.datetime.fromisoformat(str(kept["sent_at"])))
        self._send(changes)
        self.ctx.steps.put(name, {"sent_at": self.ctx.now().isoformat(), "changes": wanted})
        self.row = read_subscription(self.client, self.request)
        if is_done(self.row):
            return None
        return waiting("change_pending", _("Microsoft is working on the change."), POLL_SOON)

    def _look_later(self, sent: dt.datetime) -> Result:
        if self.ctx.now() - sent < GIVE_UP_AFTER:
            return waiting("change_pending", _("Microsoft is working on the change."), POLL_LATER)
        self.ctx.steps.put(f"patch:{self.step}", {})
        return refused("change_ignored", _("Microsoft took the change and did not carry it out. Try again later."))

    def _send(self, changes: Mapping[str, Any]) -> None:
        before = {key: mapping.lookup_raw(self.row, key) for key in changes}
        for is_last in (False, True):
            try:
                self.client.write(
                    "update_subscription",
                    self.step,
                    params={
                        "customer": self.request.account.external_id,
                        "subscription": self.request.external_id,
                    },
                    body=mapping.changed_resource(self.row, changes),
                    etag=self.row.etag,
                )
                return
            except VendorError as error:
                if error.code != "changed_meanwhile" or is_last:
                    raise
                self.row = read_subscription(self.client, self.request)
                if {key: mapping.lookup_raw(self.row, key) for key in changes} != before:
                    # Somebody changed the very same field: his change is not overwritten silently.
                    raise


class Change:
    """All differences between a subscription and its wanted state, one after the other."""

    def __init__(self, client: PartnerCenter, request: ServiceRequest) -> None:
        self.client = client
        self.ctx = client.ctx
        self.request = request

    def run(self) -> Result:
        """Apply what differs; the first part that is not done yet ends the run."""
        row = read_subscription(self.client, self.request)
        if not mapping.same_item(self.request.product_code, row.offer_id):
            return refused(
                "upgrade_not_supported",
                _("Changing the product at Microsoft is not possible here; use an upgrade there."),
            )
        if row.status == "suspended":
            return refused("subscription_suspended", _("The subscription is suspended. Reactivate it first."))
        if row.status in GONE:
            return refused("subscription_gone", _("The subscription was cancelled at Microsoft."))
        schedule = self._kept_schedule(row)
        for step in (self._quantity, self._auto_renew, lambda item: self._reschedule(item, schedule)):
            result = step(row)
            if result is not None:
                return result
            row = read_subscription(self.client, self.request)
        return self._addons(row)

    def _kept_schedule(self, row: Subscription) -> Mapping[str, Any]:
        """The schedule as it was before the change: any mid-term change deletes it, so it is sent again."""
        kept = self.ctx.steps.get("schedule")
        if kept is None:
            kept = {"instructions": mapping.plain_json(mapping.lookup_raw(row, "scheduledNextTermInstructions"))}
            self.ctx.steps.put("schedule", kept)
        instructions: Mapping[str, Any] = kept.get("instructions") or {}
        return instructions

    def _quantity(self, row: Subscription) -> Result | None:
        wanted = self.request.quantity
        if row.quantity == wanted:
            return None
        return Patch(self.client, self.request, "quantity").apply(
            {"quantity": wanted}, lambda item: item.quantity == wanted
        )

    def _auto_renew(self, row: Subscription) -> Result | None:
        wanted = self.request.auto_renew
        if row.auto_renew_enabled is None or row.auto_renew_enabled == wanted or row.is_trial:
            return None
        return Patch(self.client, self.request, "auto_renew").apply(
            {"autoRenewEnabled": wanted}, lambda item: item.auto_renew_enabled == wanted
        )

    def _reschedule(self, row: Subscription, schedule: Mapping[str, Any]) -> Result | None:
        if not schedule or not self.request.auto_renew or row.scheduled_instructions is not None:
            return None
        return Patch(self.client, self.request, "schedule").apply(
            {"scheduledNextTermInstructions": schedule}, lambda item: item.scheduled_instructions is not None
        )

    def _addons(self, row: Subscription) -> Result:
        rows = read_addons(self.client, self.request, row.id)
        known = mapping.addon_ids(rows, row.id, self.request.addons)
        known |= {line.id: line.external_id for line in self.request.addons if line.external_id}
        for line in self.request.addons:
            result = self._addon(line, known, row)
            if result is not None:
                return result
        for item in rows:
            if item.id not in known.values() and item.status == "active":
                result = self._drop(item)
                if result is not None:
                    return result
        return Result(Outcome.DONE, external_id=row.id, data=mapping.subscription_data(row, known))

    def _addon(self, line: AddOnLine, known: dict[str, str], row: Subscription) -> Result | None:
        if line.id in known:
            request = replace(self.request, external_id=known[line.id], product_code=line.product_code)
            return Patch(self.client, request, f"addon_quantity:{line.id}").apply(
                {"quantity": line.quantity}, lambda item: item.quantity == line.quantity
            )
        request = replace(
            self.request,
            product_code=line.product_code,
            product_name=line.name,
            quantity=line.quantity,
            term=line.term or self.request.term,
            billing_cycle=line.billing_cycle or self.request.billing_cycle,
            external_id="",
            addons=(),
            parent_external_id=row.id,
        )
        purchase = Purchase(self.client, request, f"addon:{line.id}")
        result = (None if purchase.state else preconditions(self.client, request)) or purchase.run()
        if result.outcome is not Outcome.DONE:
            return result
        known[line.id] = result.external_id
        return None

    def _drop(self, item: Subscription) -> Result | None:
        request = replace(self.request, external_id=item.id)
        return Patch(self.client, request, f"addon_drop:{item.id}").apply(
            {"status": "deleted"}, lambda row: row.status in GONE
        )
