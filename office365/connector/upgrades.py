"""Moving licences of a subscription to a better product, never twice (``partner-center.md`` 2.6, 9.2).

What must survive a kill is one record in the operation's steps: the transitions that were there before, the body, the
moment it was first sent, the ids Microsoft gave. A request without a known answer is looked up in the subscription's
transitions, in the subscription itself and in the audit records before it is repeated.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import ConnectorBase, refused, refused_as, result_of, waiting
from office365.connector.items import ROTATED, catalogue_item
from office365.connector.orders import awaited, read_subscription
from office365.errors import PartnerCenterError
from office365.errors.transitions import reasons
from office365.schemas.subscriptions import Subscription, Transition, TransitionEligibility
from provisioning.ports import (
    Context,
    ErrorKind,
    Outcome,
    Result,
    ServiceRequest,
    UpgradeOption,
    UpgradeOrder,
    VendorError,
)

REPEAT_WITHIN = dt.timedelta(minutes=10)
LOOK_UNTIL = dt.timedelta(minutes=30)
GIVE_NOTICE_AFTER = dt.timedelta(hours=24)
TOLERANCE = dt.timedelta(minutes=5)
POLLS = (60, 300, 900)
KINDS = ("transition_with_license_transfer", "transition_only")
UPGRADING = "upgrading"
GONE = frozenset({"deleted", "expired", "disabled"})


class UpgradeVerbs(ConnectorBase):
    """Verbs about upgrades of new-commerce subscriptions."""

    def upgrade(self, ctx: Context, request: ServiceRequest) -> Result:
        """Upgrade all licences or a part; to be called again until it answers DONE or REFUSED.

        DONE carries the target's id and data, and ``source``: ``{"status", "quantity"}`` of what is left.
        """
        if request.upgrade is None:
            return refused("upgrade_target_missing", _("Choose the product to upgrade to."))
        try:
            return Upgrade(self.client(ctx), request, request.upgrade).run()
        except VendorError as error:
            return result_of(error)

    def upgrade_options(self, ctx: Context, request: ServiceRequest) -> Sequence[UpgradeOption]:
        """The products Microsoft upgrades this subscription to, each with the reason if it does not do so now."""
        if mapping.is_legacy(request.product_code):
            return ()
        return [
            UpgradeOption(
                product_code=mapping.code_of(row.catalog_item_id),
                name=row.title,
                eligible=bool(_kind_of(row)),
                reason="" if _kind_of(row) else _why_not(row),
            )
            for row in _eligibilities(self.client(ctx), request)
        ]


class Upgrade:
    """One upgrade of one subscription, resumable at any point."""

    def __init__(self, client: PartnerCenter, request: ServiceRequest, order: UpgradeOrder) -> None:
        self.client = client
        self.ctx: Context = client.ctx
        self.request = request
        self.order = order
        self.params = {"customer": request.account.external_id, "subscription": request.external_id}
        self.state: dict[str, Any] = dict(self.ctx.steps.get("upgrade") or {})

    def run(self) -> Result:
        """Upgrade, or go on where the last run stopped."""
        if self.state.get("accepted"):
            return self._follow()
        if self.state.get("sent_at"):
            found = self._find_out()
            if found is not None:
                return found
        return self._begin()

    # --- Asking for it ---

    def _begin(self) -> Result:
        row = read_subscription(self.client, self.request)
        objection = self._objection(row)
        if objection is not None:
            return objection
        for is_last in (False, True):
            kind = self._eligible_kind()
            if isinstance(kind, Result):
                return kind
            known = [_key(item) for item in self._transitions()]
            self._put({"known": known, "from_quantity": row.quantity or 0, "body": self._body(row, kind)})
            try:
                return self._send()
            except VendorError as error:
                # The availability changed between reading and sending: it is read anew, once.
                if is_last or error.code not in ROTATED:
                    raise
        raise AssertionError("unreachable: the last round returns or raises")

    def _objection(self, row: Subscription) -> Result | None:
        if not row.is_new_commerce or mapping.is_legacy(self.order.product_code):
            return refused(
                "upgrade_legacy",
                _(
                    "Microsoft upgrades subscriptions of the old licence offers in Partner Center only. Order the new "
                    "product and let this one end."
                ),
            )
        if row.status == "suspended":
            return refused_as("subscription_suspended")
        if row.status in GONE:
            return refused_as("subscription_gone")
        if not mapping.same_item(self.request.product_code, row.offer_id):
            return refused(
                "product_changed",
                _("At Microsoft this subscription is of another product. Compare it with Partner Center."),
            )
        if not 1 <= self.order.quantity <= (row.quantity or 0):
            return refused(
                "upgrade_quantity",
                ngettext(
                    "At Microsoft the subscription has %(quantity)s licence. Upgrade that many or fewer.",
                    "At Microsoft the subscription has %(quantity)s licences. Upgrade that many or fewer.",
                    row.quantity or 0,
                )
                % {"quantity": row.quantity or 0},
            )
        return None

    def _eligible_kind(self) -> str | Result:
        """The kind of transition to ask for, with the users' licences if possible; a refusal if there is none."""
        for row in _eligibilities(self.client, self.request):
            if mapping.same_item(self.order.product_code, row.catalog_item_id):
                kind = _kind_of(row)
                return kind or refused(
                    "upgrade_not_eligible",
                    _("Microsoft does not upgrade this subscription to %(name)s now.") % {"name": row.title}
                    + " "
                    + _why_not(row),
                )
        return refused(
            "upgrade_not_offered",
            _("Microsoft does not upgrade this subscription to the chosen product. Choose another target."),
        )

    def _body(self, row: Subscription, kind: str) -> dict[str, Any]:
        item = catalogue_item(
            self.client,
            self.request,
            code=self.order.product_code,
            name=str(_("the target of the upgrade")),
            term=self.order.term,
            cycle=self.order.billing_cycle,
        )
        return {
            "fromCatalogItemId": row.offer_id,
            "fromSubscriptionId": row.id,
            "toCatalogItemId": item,
            "quantity": self.order.quantity,
            "termDuration": self.order.term,
            "billingCycle": self.order.billing_cycle,
            "transitionType": kind,
        }

    def _send(self) -> Result:
        """Send the first time, or again with the same id; what had no effect for sure leaves nothing to look up."""
        is_first = not self.state.get("sent_at")
        if is_first:
            self._put({**self.state, "sent_at": self.ctx.now().isoformat()})
        try:
            self.client.write(
                "create_transition",
                "upgrade:create_transition",
                params=self.params,
                body=self.state["body"],
                save=self._save,
            )
        except VendorError as error:
            is_open = error.kind is ErrorKind.UNKNOWN or error.code == "in_progress"
            if is_first and not is_open:
                self._put({})
            elif error.kind is ErrorKind.REFUSED:
                # The first request may be the very reason why the second is refused.
                self._put({**self.state, "is_refused": True})
                return self._unconfirmed()
            raise
        return self._follow()

    def _save(self, answer: object) -> None:
        # An answer without a body tells of no id: what became of it is looked up.
        if isinstance(answer, Transition):
            self._accept(answer)

    def _accept(self, row: Transition) -> None:
        self._put(
            {
                **self.state,
                "accepted": True,
                "operation": row.operation_id,
                "target": row.to_subscription_id,
            }
        )

    # --- Finding out what became of it ---

    def _find_out(self) -> Result | None:
        """Look for a request without an answer; ``None`` once it is proven that nothing was upgraded."""
        found = self._own(self._transitions())
        if found is not None:
            self._accept(found)
            return self._follow()
        age = self.ctx.now() - self._sent()
        if self._has_moved() or self._is_audited():
            return self._unconfirmed()
        if age < REPEAT_WITHIN and not self.state.get("is_refused"):
            # The same MS-RequestId: Microsoft answers what it answered before, or begins for the first time.
            return self._send()
        if age < LOOK_UNTIL:
            return self._unconfirmed()
        self.client.renumber("upgrade:create_transition")
        self._put({})
        return None

    def _own(self, rows: Sequence[Transition]) -> Transition | None:
        """Our transition: one that was not there before, with the ids we were given, or else with our target."""
        new = [row for row in rows if _key(row) not in self.state.get("known", [])]
        return next((row for row in new if self._is_own(row)), None)

    def _is_own(self, row: Transition) -> bool:
        operation, target = str(self.state.get("operation") or ""), str(self.state.get("target") or "")
        if operation and row.operation_id:
            return row.operation_id.lower() == operation.lower()
        if target and row.to_subscription_id:
            return row.to_subscription_id.lower() == target.lower()
        return self._fits(row)

    def _fits(self, row: Transition) -> bool:
        began = [event.timestamp for event in row.events if event.timestamp is not None]
        return (
            mapping.same_item(self.order.product_code, row.to_catalog_item_id)
            and row.quantity in (None, self.order.quantity)
            and (not began or min(began) >= self.request.created_at - TOLERANCE)
        )

    def _has_moved(self) -> bool:
        """Whether the source has lost licences since, which is what an upgrade does to it."""
        try:
            row = read_subscription(self.client, self.request)
        except PartnerCenterError as error:
            if error.code == "subscription_gone":
                return True
            raise
        return row.status in GONE or (row.quantity or 0) < int(self.state.get("from_quantity", 0))

    def _is_audited(self) -> bool:
        start = (self._sent() - TOLERANCE).date().isoformat()
        rows = self.client.collect("list_audit_records", query={"startDate": start})
        operation = str(self.ctx.operation_id)
        return any(
            row.original_correlation_id.lower() == operation and row.operation_status != "failed" for row in rows.items
        )

    def _unconfirmed(self) -> Result:
        if self.ctx.now() - self._sent() > GIVE_NOTICE_AFTER:
            return self._overdue()
        return waiting("unconfirmed", _("Not confirmed yet; we are checking."), 60, flag=UPGRADING)

    # --- Following it ---

    def _follow(self) -> Result:
        """Wait for the conversion's end; then the target's data, and what is left of the source."""
        if not self.state.get("accepted"):
            return self._unconfirmed()
        found = self._own(self._transitions())
        if found is None:
            return self._wait()
        events = {str(event.status): event for event in found.events if event.name.lower() in ("", "conversion")}
        if "failed" in events:
            self._put({})
            text = reasons(events["failed"].errors)
            return refused("upgrade_failed", _("Microsoft could not carry out the upgrade.") + " " + text)
        if "completed" not in events:
            return self._wait()
        target = self._target(found)
        return self._wait() if target is None or target.status != "active" else self._done(target)

    def _target(self, found: Transition) -> Subscription | None:
        """The subscription the licences are in now; ``None`` while Microsoft does not show it."""
        key = found.to_subscription_id or str(self.state.get("target") or "")
        rows: Sequence[Subscription] = self.client.collect("list_subscriptions", params=self.params).items
        if key:
            return next((row for row in rows if row.id.lower() == key.lower()), None)
        since = self._sent() - TOLERANCE
        fresh = [
            row
            for row in rows
            if mapping.same_item(self.order.product_code, row.offer_id)
            and row.status == "active"
            and row.created_at is not None
            and row.created_at >= since
            and row.quantity == self.order.quantity
        ]
        return fresh[0] if len(fresh) == 1 else None

    def _done(self, target: Subscription) -> Result:
        source: dict[str, Any] = {"status": "cancelled", "quantity": 0}
        try:
            row = read_subscription(self.client, self.request)
        except PartnerCenterError as error:
            if error.code != "subscription_gone":
                raise
        else:
            told = mapping.subscription_data(row)
            source = {"status": told["status"], "quantity": 0 if row.status in GONE else told["quantity"]}
        data = {**mapping.subscription_data(target), "source": source}
        return Result(Outcome.DONE, external_id=target.id, data=data)

    def _wait(self) -> Result:
        if self.ctx.now() - self._sent() > GIVE_NOTICE_AFTER:
            return self._overdue()
        polls = int(self.state.get("polls", 0))
        self._put({**self.state, "polls": polls + 1})
        message = _("Microsoft is moving the licences to the new product; this takes half an hour or longer.")
        return waiting("upgrade_pending", message, POLLS[min(polls, len(POLLS) - 1)], flag=UPGRADING)

    def _overdue(self) -> Result:
        return Result(
            Outcome.ATTENTION,
            code="upgrade_overdue",
            message=_(
                "Microsoft was asked for the upgrade a day ago and has not finished it. Look at the subscription in "
                "Partner Center, contact partner support, and retry here once it is done."
            ),
            flag=UPGRADING,
        )

    # --- Small things ---

    def _transitions(self) -> Sequence[Transition]:
        """The transitions; none if the subscription is gone after we asked, for it may have gone with the upgrade."""
        try:
            with awaited(self.client, self.request):
                rows: Sequence[Transition] = self.client.collect("list_transitions", params=self.params).items
        except PartnerCenterError as error:
            if error.code != "subscription_gone" or not self.state.get("sent_at"):
                raise
            return ()
        own = self.request.external_id.lower()
        return [row for row in rows if row.from_subscription_id.lower() in ("", own)]

    def _sent(self) -> dt.datetime:
        return dt.datetime.fromisoformat(str(self.state["sent_at"]))

    def _put(self, state: Mapping[str, Any]) -> None:
        self.state = dict(state)
        self.ctx.steps.put("upgrade", self.state)


def _eligibilities(client: PartnerCenter, request: ServiceRequest) -> Sequence[TransitionEligibility]:
    with awaited(client, request):
        rows: Sequence[TransitionEligibility] = client.collect(
            "list_transition_eligibilities",
            params={"customer": request.account.external_id, "subscription": request.external_id},
            query={"eligibilityType": "immediate"},
        ).items
    return rows


def _kind_of(row: TransitionEligibility) -> str:
    """The best kind of transition that is possible; empty if none is."""
    possible = {str(item.transition_type) for item in row.eligibilities if item.is_eligible}
    return next((kind for kind in KINDS if kind in possible), "")


def _why_not(row: TransitionEligibility) -> str:
    return reasons(error for item in row.eligibilities for error in item.errors)


def _key(row: Transition) -> str:
    """What tells one transition of a subscription from another; its first event if Microsoft leaves out the ids."""
    if row.operation_id or row.to_subscription_id:
        return (row.operation_id or row.to_subscription_id).lower()
    began = [event.timestamp.isoformat() for event in row.events if event.timestamp is not None]
    return f"{row.to_catalog_item_id}@{min(began, default='')}".lower()
