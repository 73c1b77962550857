"""The reseller's MPN ID on subscriptions that run already (``partner-center.md`` 9.1, ``channel.md`` 6.4)."""

from dataclasses import replace

from django.utils.translation import gettext as _

from office365.connector.base import refused, result_of
from office365.connector.changes import GONE, Change, ChangeVerbs
from office365.connector.orders import read_subscription
from office365.schemas.subscriptions import Subscription
from provisioning.ports import Context, Outcome, Result, ServiceRequest, VendorError


class PartnerVerbs(ChangeVerbs):
    """The verb that sets, replaces or clears the MPN ID of a subscription."""

    def uses_partner_id(self, ctx: Context) -> bool:
        """Whether end customers' services carry their reseller's MPN ID here: at an indirect provider; asks nobody."""
        return str(ctx.settings.get("partner_type")) == "indirect"

    def stamp(self, ctx: Context, request: ServiceRequest) -> Result:
        """Bring ``request.partner_id`` (empty: none) to the subscription and its add-ons, and change nothing else.

        What was scheduled for the renewal is sent again, since Microsoft drops it with any change of the term.
        """
        return Stamp(self.client(ctx), request).run()


class Stamp(Change):
    """One MPN ID for a subscription and its add-ons; may be run again until it is done or refused."""

    def _objection(self, row: Subscription) -> Result | None:
        if row.status in GONE:
            return refused("subscription_gone", _("Microsoft has cancelled this subscription."))
        return None

    def _apply(self, row: Subscription) -> Result:
        for step in (self._addons, self._base, self._planned):
            result = step()
            if result is not None:
                return result
        row = self.row or row
        return Result(Outcome.DONE, external_id=row.id, data=self._data(row))

    def _base(self) -> Result | None:
        return self._partner(self.request, "partner")

    def _addons(self) -> Result | None:
        for line in self.request.addons:
            if not line.external_id:
                continue
            request = replace(self.request, external_id=line.external_id, product_code=line.product_code)
            try:
                if read_subscription(self.client, request).status in GONE:
                    continue  # It ended at Microsoft; there is nothing left to stamp.
            except VendorError as error:
                if error.code == "subscription_gone":
                    continue
                return result_of(error)
            result = self._partner(request, f"addon_partner:{line.id}")
            if result is not None:
                return result
        return None

    def _partner(self, request: ServiceRequest, step: str) -> Result | None:
        wanted = self.request.partner_id
        # An empty text clears it: a member that is left out would mean "unchanged".
        return self._patch(request, step, {"partnerId": wanted}, lambda item: item.partner_id == wanted)

    def _planned(self) -> Result | None:
        return None if self.request.schedule is None else self._schedule()
