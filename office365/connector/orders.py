"""Ordering, looking up and reading back (``partner-center.md`` 8, 9; ``office365.md`` 3, 5)."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.agreements import AgreementVerbs, is_agreement_signed
from office365.connector.base import refused, result_of
from office365.connector.purchase import Purchase
from office365.errors import BY_NAME, PartnerCenterError, describe
from office365.schemas.subscriptions import Subscription
from provisioning.ports import (
    CheckResult,
    Context,
    ErrorKind,
    Outcome,
    Result,
    ServiceRequest,
    VendorError,
)

READ_LAG = dt.timedelta(minutes=15)  # Microsoft shows what was written up to so much later.
CONSOLE = "https://partner.microsoft.com/commerce/customers"


class OrderVerbs(AgreementVerbs):
    """Verbs that order, and those that tell how things stand."""

    def precheck(self, ctx: Context, request: ServiceRequest) -> CheckResult:
        """Whether the order would pass as far as can be asked without ordering."""
        client = self.client(ctx)
        # An acceptance that comes with the request is confirmed at Microsoft when the order is executed.
        result = preconditions(client, request, agreement_given=request.account.agreement is not None)
        if result is not None:
            return CheckResult(False, result.code, result.message)
        try:
            Purchase(client, request, "precheck").resolve()
        except PartnerCenterError as error:
            if error.kind is not ErrorKind.REFUSED:
                raise
            return CheckResult(False, error.code, error.message, error.field_errors)
        return CheckResult(True)

    def create(self, ctx: Context, request: ServiceRequest) -> Result:
        """Order the service; to be called again until it answers DONE or REFUSED, it never orders twice.

        DONE means that Microsoft shows the subscription as active. A time-out raises ``VendorError(UNKNOWN)``; the
        next call looks the order up before it does anything else.
        """
        return self.bought(ctx, Purchase(self.client(ctx), request))

    def bought(self, ctx: Context, purchase: Purchase) -> Result:
        """What comes of a purchase; before anything of it was sent, what must be true is looked at."""
        client, request = purchase.client, purchase.request
        if not purchase.state:
            given = request.account.agreement is not None
            result = self._accepted(ctx, client, request) or preconditions(client, request, agreement_given=given)
            if result is not None:
                return result
        return purchase.run()

    def _accepted(self, ctx: Context, client: PartnerCenter, request: ServiceRequest) -> Result | None:
        """Confirm the acceptance that came with the request, if Microsoft has none; ``None`` if all is well."""
        account = request.account
        if account.agreement is None or not account.external_id or is_agreement_signed(client, account.external_id):
            return None
        answer = self.agreement_accept(ctx, account)
        return None if answer.outcome is Outcome.DONE else answer

    def lookup(self, ctx: Context, request: ServiceRequest) -> Result:
        """What became of this operation's order: DONE, WAITING, REFUSED, or UNKNOWN with code ``not_sent``."""
        return Purchase(self.client(ctx), request).look_up()

    def read_state(self, ctx: Context, request: ServiceRequest) -> Result:
        """The service as Microsoft has it now: DONE with the data, or REFUSED ``subscription_gone``.

        Beside the data of any result it tells of the add-ons we sold: ``addons_state`` maps our line id to
        ``{"external_id", "quantity", "status", "cancel_until", "refundable"}``.
        """
        client = self.client(ctx)
        sold = [line for line in request.addons if line.external_id]
        try:
            row = read_subscription(client, request)
            rows = read_addons(client, request, row.id) if sold else []
        except VendorError as error:
            return result_of(error)
        data = mapping.subscription_data(row, {line.id: line.external_id for line in sold})
        return Result(Outcome.DONE, external_id=row.id, data={**data, "addons_state": mapping.addons_state(rows, sold)})

    def console_link(self, external_id: str) -> str:
        """Where staff see the customer in Partner Center; ``external_id`` is the tenant id."""
        return f"{CONSOLE}/{external_id}/subscriptions" if external_id else CONSOLE


def preconditions(client: PartnerCenter, request: ServiceRequest, *, agreement_given: bool = False) -> Result | None:
    """What must be true before anything is ordered; ``None`` if all is."""
    customer = request.account.external_id
    if not customer:
        return refused("account_unknown", _("The customer is not yet set up at Microsoft. Synchronize the account."))
    if request.quantity < 1:
        return refused("quantity_limit", _("Order at least one licence."))
    try:
        if not agreement_given and not is_agreement_signed(client, customer):
            topic = BY_NAME["agreement_missing"]
            return refused(topic.code, describe(topic))
        return _vetting(client, customer)
    except VendorError as error:
        return result_of(error)


def _vetting(client: PartnerCenter, customer: str) -> Result | None:
    try:
        status = client.call("get_validation_status", params={"customer": customer}, query={"type": "account"}).status
    except PartnerCenterError as error:
        if error.http_status == 404:
            # No status is no objection: Microsoft vets only some customers.
            return None
        raise
    if status == "under_review":
        topic = BY_NAME["customer_under_review"]
        raise PartnerCenterError(
            ErrorKind.WAITING,
            describe(topic),
            code=topic.code,
            flag=topic.flag,
            retry_after=dt.timedelta(seconds=topic.retry_seconds),
        )
    if status == "not_allowed":
        topic = BY_NAME["customer_not_approved"]
        return refused(topic.code, describe(topic))
    return None


@contextmanager
def awaited(client: PartnerCenter, request: ServiceRequest) -> Iterator[None]:
    """A subscription that a read does not show may only be late, so it is waited for before it is believed gone."""
    try:
        yield
    except PartnerCenterError as error:
        if error.code != "subscription_gone" or client.ctx.now() - request.created_at > READ_LAG:
            raise
        raise PartnerCenterError(
            ErrorKind.WAITING, error.message, code="subscription_late", retry_after=dt.timedelta(minutes=1)
        ) from error


def read_subscription(client: PartnerCenter, request: ServiceRequest) -> Subscription:
    """The subscription of a request, as it is now."""
    with awaited(client, request):
        row: Subscription = client.call(
            "get_subscription",
            params={"customer": request.account.external_id, "subscription": request.external_id},
        )
    return row


def read_addons(client: PartnerCenter, request: ServiceRequest, parent: str) -> Sequence[Subscription]:
    """The subscriptions of the customer that are add-ons of ``parent``."""
    rows: Sequence[Subscription] = client.collect(
        "list_subscriptions", params={"customer": request.account.external_id}
    ).items
    return [row for row in rows if row.parent_subscription_id.lower() == parent.lower()]
