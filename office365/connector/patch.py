"""One change of one subscription at Microsoft, safe to repeat, and its refusals with Microsoft's dates."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import refused, result_of, waiting
from office365.connector.orders import read_subscription
from office365.schemas.subscriptions import Subscription
from provisioning.ports import Result, ServiceRequest, VendorError

GIVE_UP_AFTER = dt.timedelta(minutes=15)
POLL_SOON, POLL_LATER = 5, 60


class Patch:
    """One wanted change of one subscription: read, send the whole resource with it, read again.

    ``row`` is the subscription if it was read just now; ``step`` names the change within its operation.
    """

    def __init__(
        self, client: PartnerCenter, request: ServiceRequest, step: str, row: Subscription | None = None
    ) -> None:
        self.client = client
        self.ctx = client.ctx
        self.request = request
        self.step = step
        self.row = row or read_subscription(client, request)

    def apply(
        self,
        wanted: Mapping[str, Any],
        is_done: Callable[[Subscription], bool],
        make: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Result | None:
        """``None`` once Microsoft shows the change; WAITING while it works; REFUSED if it ignored it for 15 min.

        ``make`` gives the fields to send where they are more than what is ``wanted``, such as ids that change.
        """
        name = f"patch:{self.step}"
        kept = self.ctx.steps.get(name) or {}
        if is_done(self.row):
            if kept:
                # What was sent has arrived: should it be undone later, it is sent anew and not waited for.
                self.ctx.steps.put(name, {})
            return None
        mark = mapping.plain_json(wanted)
        if kept.get("sent_at") and kept.get("changes") == mark:
            return self._look_later(dt.datetime.fromisoformat(str(kept["sent_at"])))
        self._send(make() if make else wanted)
        self.ctx.steps.put(name, {"sent_at": self.ctx.now().isoformat(), "changes": mark})
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


def refusal(error: VendorError, row: Subscription | None, now: dt.datetime) -> Result:
    """A refused change in words, with the dates of Microsoft's windows where they are the reason.

    Anything but a refusal is raised on.
    """
    result = result_of(error)
    text = ""
    if row is not None and error.code == "window_closed":
        until = mapping.cancel_until(row)
        text = _("The window ended on %(date)s.") % {"date": moment_text(until)} if until else ""
    elif row is not None and error.code == "decrease_not_allowed":
        text = give_back_text(row, now)
    return replace(result, message=f"{result.message} {text}".strip())


def give_back_text(row: Subscription, now: dt.datetime) -> str:
    """How many licences Microsoft still takes back, and until when; empty if it does not tell."""
    detail = row.refundable_quantity
    if detail is None:
        return ""
    rows = [item for item in detail.details if item.quantity and item.allowed_until and item.allowed_until > now]
    if not rows:
        return str(_("Microsoft takes back no licence of this subscription before the renewal."))
    parts = [
        _("%(quantity)s until %(date)s") % {"quantity": item.quantity, "date": moment_text(item.allowed_until)}
        for item in sorted(rows, key=lambda item: item.allowed_until or now)
    ]
    return str(_("Licences that Microsoft still takes back: %(list)s.") % {"list": "; ".join(parts)})


def moment_text(moment: dt.datetime | None) -> str:
    """A moment in words of the reader's language, in UTC."""
    if moment is None:
        return ""
    return f"{date_format(moment.astimezone(dt.UTC), 'DATETIME_FORMAT', use_l10n=True)} UTC"
