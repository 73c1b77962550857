"""The connector "Back ordering": what a Professional reseller sells is provided by his distributor, in this process.

It speaks the vendors' port towards the reseller's organization and the services of orders and subscriptions towards the
distributor's. What the distributor's vendor asks at checkout is asked here too, and answered by his connector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from core.errors import BusinessError
from provisioning.context import context_for
from provisioning.ports import (
    AccountData,
    Address,
    CheckResult,
    Connector,
    Context,
    ErrorKind,
    Field,
    Outcome,
    Result,
    ServiceRequest,
    VendorError,
)
from provisioning.registry import connector_for
from resellers.models import Account
from tenants.models import ManagedAccount
from tenants.services import back_change, back_order
from tenants.services.sides import Sides, answer, managed_copy, own_subscription, refused, sides_of, tie_of
from vendors.inherited import BACK_ORDERING


class BackOrderingConnector:
    """An inherited instance: its vendor is the distributor."""

    code = BACK_ORDERING
    name = "Back ordering"
    verbs = frozenset(
        {
            "account_options", "account_sync", "check_domain", "check_address", "agreement_status",
            "relationship_status", "relationship_link", "create", "change", "suspend", "activate", "cancel", "upgrade",
            "read_state",
        }
    )  # fmt: skip

    def describe_settings(self) -> Sequence[Field]:
        """Nobody sets anything: the catalogue update makes the instance."""
        return ()

    # What the distributor's vendor asks and checks.

    def account_options(self, ctx: Context, account: AccountData) -> Sequence[Field]:
        """What the vendor behind the distributor wants to know of a customer; but no MPN ID, which the reseller has."""
        source, theirs = self._source(ctx), self._theirs(ctx, account)
        fields: Sequence[Field] = source[0].account_options(source[1], theirs)
        return [field for field in fields if field.id != "mpn_id"]

    def check_domain(self, ctx: Context, values: Mapping[str, Any]) -> CheckResult:
        """Whether the vendor has the prefix free."""
        return self._asked(ctx, "check_domain", values)

    def check_address(self, ctx: Context, address: Address) -> CheckResult:
        """Whether the vendor accepts the address."""
        return self._asked(ctx, "check_address", address)

    def agreement_status(self, ctx: Context, account: AccountData) -> CheckResult:
        """Whether the vendor knows of the customer agreement."""
        return self._asked(ctx, "agreement_status", self._theirs(ctx, account))

    def relationship_status(self, ctx: Context, account: AccountData) -> Result:
        """Whether an existing customer of the vendor has accepted the invitation."""
        connector, source = self._source(ctx)
        if "relationship_status" not in connector.verbs:
            return Result(Outcome.DONE)
        result: Result = connector.relationship_status(source, self._theirs(ctx, account))
        return result

    def relationship_link(self, ctx: Context, account: AccountData) -> str:
        """The invitation an existing customer of the vendor has to accept."""
        connector, source = self._source(ctx)
        return str(connector.relationship_link(source, self._theirs(ctx, account)))

    # What is ordered and changed.

    def account_sync(self, ctx: Context, account: AccountData) -> Result:
        """Make or find the managed copy; the vendor is told of the customer with his first order."""
        sides = self._sides(ctx)
        stop = back_order.closed(sides)
        if stop is not None:
            return stop
        own = self._own_account(sides, account)
        try:
            customer = managed_copy(sides, own)
        except BusinessError as error:
            return answer(error)
        return Result(Outcome.DONE, external_id=str(customer.managed.public_id))

    def create(self, ctx: Context, request: ServiceRequest) -> Result:
        """Order the service at the distributor, once."""
        return back_order.create(self._sides(ctx), ctx.operation_id, request)

    def change(self, ctx: Context, request: ServiceRequest) -> Result:
        """Licences, add-ons, automatic renewal, what is scheduled."""
        return back_change.follow(self._sides(ctx), ctx.operation_id, request, "change")

    def suspend(self, ctx: Context, request: ServiceRequest) -> Result:
        """Suspend the distributor's subscription."""
        return back_change.follow(self._sides(ctx), ctx.operation_id, request, "suspend")

    def activate(self, ctx: Context, request: ServiceRequest) -> Result:
        """Reactivate it."""
        return back_change.follow(self._sides(ctx), ctx.operation_id, request, "activate")

    def cancel(self, ctx: Context, request: ServiceRequest) -> Result:
        """Cancel it at once."""
        return back_change.follow(self._sides(ctx), ctx.operation_id, request, "cancel")

    def upgrade(self, ctx: Context, request: ServiceRequest) -> Result:
        """Upgrade all or a part of it."""
        return back_change.follow(self._sides(ctx), ctx.operation_id, request, "upgrade")

    def read_state(self, ctx: Context, request: ServiceRequest) -> Result:
        """The distributor's subscription as it stands; his renewals are read from it."""
        sides = self._sides(ctx)
        tie = tie_of(sides, own_subscription(sides, request.subscription_id))
        managed = back_order.managed_of(tie) if tie else None
        if managed is None:
            return replace(refused("subscription_missing"), code="subscription_gone")
        data = back_order.data_of(managed, request)
        return Result(Outcome.DONE, external_id=back_order.vendor_id(managed), data=data)

    @staticmethod
    def _sides(ctx: Context) -> Sides:
        try:
            return sides_of(ctx.instance_id)
        except BusinessError as error:
            raise VendorError(ErrorKind.MISCONFIGURED, str(error.message), code=error.code) from error

    def _source(self, ctx: Context) -> tuple[Any, Context]:
        """The connector of the distributor's instance, and its context."""
        source = self._sides(ctx).source
        connector: Connector = connector_for(source.application.code)
        return connector, context_for(source, language=ctx.language)

    def _asked(self, ctx: Context, verb: str, argument: object) -> CheckResult:
        """The answer of the distributor's vendor; fine if he has nothing to say to it."""
        connector, source = self._source(ctx)
        if verb not in connector.verbs:
            return CheckResult(True)
        result: CheckResult = getattr(connector, verb)(source, argument)
        return result

    @staticmethod
    def _own_account(sides: Sides, account: AccountData) -> Account:
        rows = Account.objects.filter(organization_id=sides.instance.organization_id, public_id=account.id)
        row = rows.select_related("bill_to").first()
        if row is None:
            raise VendorError(ErrorKind.CONTRACT, _("This account does not exist."), code="account_missing")
        return row

    def _theirs(self, ctx: Context, account: AccountData) -> AccountData:
        """The customer as the distributor's vendor knows him."""
        sides = self._sides(ctx)
        customer = ManagedAccount.objects.select_related("managed").filter(own__public_id=account.id).first()
        link = sides.link_at_source(customer.managed if customer else None)
        return replace(account, external_id=link.external_id if link else "", purchase_mode="")
